"""Subscriptions: creating, changing, renewing, ending."""
