"""Import every module that has routes."""

from devstack.fake_stripe import clocks, customers, events
from devstack.fake_stripe.catalogue import coupons, products
from devstack.fake_stripe.invoicing import payments, usage
from devstack.fake_stripe.pages import checkout, checkout_page, invoice_page, portal
from devstack.fake_stripe.subscriptions import (
    creation,
    invoice_requests,
    item_requests,
    previews,
    requests,
)

__all__ = [
    "checkout",
    "checkout_page",
    "clocks",
    "coupons",
    "creation",
    "customers",
    "events",
    "invoice_page",
    "invoice_requests",
    "item_requests",
    "payments",
    "portal",
    "previews",
    "products",
    "requests",
    "usage",
]
