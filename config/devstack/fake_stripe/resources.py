"""Imports every module that has routes."""

from config.devstack.fake_stripe import (
    catalogue,
    checkout,
    checkout_page,
    clocks,
    coupons,
    customers,
    events,
    invoice_page,
    invoice_requests,
    new_subscriptions,
    payments,
    portal,
    previews,
    subscription_items,
    subscription_requests,
    usage,
)

__all__ = [
    "catalogue",
    "checkout",
    "checkout_page",
    "clocks",
    "coupons",
    "customers",
    "events",
    "invoice_page",
    "invoice_requests",
    "new_subscriptions",
    "payments",
    "portal",
    "previews",
    "subscription_items",
    "subscription_requests",
    "usage",
]
