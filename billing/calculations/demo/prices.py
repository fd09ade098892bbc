"""The products and prices of the demo."""

from typing import Any

Json = dict[str, Any]

PREFIX = "demo"  # of every id: cus_demo_1
# Slug of the plan, name, monthly price in cents, and whether it is per seat.
PRODUCTS = (
    ("pro", "Pro", 2_900, False),
    ("team", "Team", 1_900, True),
    ("enterprise", "Enterprise", 49_900, False),
)
_YEAR = 10  # a year costs 10 months


def lookup_key(plan: str, interval: str) -> str:
    return f"plumbline_{PREFIX}_{plan}_{interval}"


def price_terms(plan: str, interval: str) -> Json:
    """Return the terms of a price: amount in cents, currency and interval."""
    monthly = next(amount for slug, _, amount, _ in PRODUCTS if slug == plan)
    return {
        "currency": "usd",
        "unit_amount": monthly * (_YEAR if interval == "year" else 1),
        "recurring": {"interval": interval},
        "lookup_key": lookup_key(plan, interval),
    }
