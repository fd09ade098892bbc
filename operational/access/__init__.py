"""Logging in, its limits and the second factor; API tokens and groups; what a proxy must say."""
