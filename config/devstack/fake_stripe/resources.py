"""Imports every module that has routes."""

from config.devstack.fake_stripe import (
    catalogue,
    clocks,
    customers,
    events,
    payments,
    subscription_requests,
    usage,
)

__all__ = [
    "catalogue",
    "clocks",
    "customers",
    "events",
    "payments",
    "subscription_requests",
    "usage",
]
