"""Codes and links, who invited whom, and rewards for it."""
