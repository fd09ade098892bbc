"""Checkout and portal sessions, and the pages people see."""
