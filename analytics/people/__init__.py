"""Persons: identity, merges, profiles, exclusions, erasure."""
