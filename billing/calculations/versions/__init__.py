"""Versions of Stripe's objects over time."""
