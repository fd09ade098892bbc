"""Imports every module that has routes."""

from devstack.fake_stripe import clocks, customers, events
from devstack.fake_stripe.catalogue import coupons, products, usage
from devstack.fake_stripe.invoicing import invoice_requests, payments, previews
from devstack.fake_stripe.pages import checkout, checkout_page, invoice_page, portal
from devstack.fake_stripe.subscriptions import (
    new_subscriptions,
    subscription_items,
    subscription_requests,
)

__all__ = [
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
    "products",
    "subscription_items",
    "subscription_requests",
    "usage",
]
