"""Subscriptions and discounts over time."""
