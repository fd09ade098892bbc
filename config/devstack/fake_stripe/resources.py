"""Imports every module that has routes."""

from config.devstack.fake_stripe import (
    catalogue,
    checkout,
    clocks,
    customers,
    events,
    invoice_requests,
    payments,
    portal,
    subscription_requests,
    usage,
)

__all__ = [
    "catalogue",
    "checkout",
    "clocks",
    "customers",
    "events",
    "invoice_requests",
    "payments",
    "portal",
    "subscription_requests",
    "usage",
]
