"""`manage.py load_stripe_objects` and `sync_stripe` on 74,600 objects, beside one object at a time.

Before and after in one run: objects were stored, linked and counted one at a time, as webhooks still
are, with the same functions. That is measured on every 20th of the same objects, in a database that
is as empty; the ratio is that of the objects a second.
"""

import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import dataset

Json = dict[str, Any]

PRODUCTS, PRICES, CUSTOMERS, SUBSCRIPTIONS = 100, 500, 40_000, 34_000
CREATED = 1_700_000_000


def objects(scale: float) -> Iterator[Json]:
    """Yield the objects of a company in the order in which Stripe's exports have them."""
    dice = random.Random(1)
    customers = int(CUSTOMERS * scale)
    for number in range(PRODUCTS):
        yield {"id": f"prod_{number}", "object": "product", "name": f"P {number}", "active": True}
    yield from (_price(number) for number in range(PRICES))
    yield from (_customer(number) for number in range(customers))
    for number in range(int(SUBSCRIPTIONS * scale)):
        yield _subscription(number, f"cus_{number % customers:06}", dice)


def _price(number: int) -> Json:
    return {
        "id": f"price_{number}",
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": CREATED,
        "currency": "usd",
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": f"prod_{number % PRODUCTS}",
        "recurring": {"interval": "month", "interval_count": 1, "usage_type": "licensed"},
        "tax_behavior": "exclusive",
        "type": "recurring",
        "unit_amount": 500 + 10 * number,
        "unit_amount_decimal": str(500 + 10 * number),
    }


def _customer(number: int) -> Json:
    return {
        "id": f"cus_{number:06}",
        "object": "customer",
        "address": {"city": "Berlin", "country": "DE", "line1": "Hauptstr. 1", "postal_code": "1"},
        "balance": 0,
        "created": CREATED + number,
        "currency": "usd",
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": f"person{number}@example.com",
        "invoice_prefix": f"A{number:07}",
        "invoice_settings": {"custom_fields": None, "default_payment_method": None},
        "livemode": False,
        "metadata": {"distinct_id": f"p{number}"} if number % 2 else {},
        "name": f"Person {number}",
        "phone": None,
        "preferred_locales": ["de"],
        "shipping": None,
        "tax_exempt": "none",
    }


def _subscription(number: int, customer: str, dice: random.Random) -> Json:
    started = CREATED + dice.randrange(20_000_000)
    items = [_item(number, place, dice) for place in range(1 + (number % 10 == 0))]
    is_over = dice.random() < 0.3
    return {
        "id": f"sub_{number:06}",
        "object": "subscription",
        "automatic_tax": {"enabled": False, "liability": None},
        "billing_cycle_anchor": started,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": started + 5_000_000 if is_over else None,
        "collection_method": "charge_automatically",
        "created": started,
        "currency": "usd",
        "customer": customer,
        "days_until_due": None,
        "discounts": [],
        "ended_at": started + 5_000_000 if is_over else None,
        "items": {"object": "list", "data": items, "has_more": False},
        "latest_invoice": f"in_{number}",
        "livemode": False,
        "metadata": {},
        "pause_collection": None,
        "start_date": started,
        "status": "canceled" if is_over else "active",
        "trial_end": None,
        "trial_start": None,
    }


def _item(number: int, place: int, dice: random.Random) -> Json:
    return {
        "id": f"si_{number}_{place}",
        "object": "subscription_item",
        "created": CREATED,
        "current_period_end": CREATED + 2_678_400,
        "current_period_start": CREATED,
        "discounts": [],
        "metadata": {},
        "price": _price(dice.randrange(PRICES)),
        "quantity": dice.randint(1, 20),
        "subscription": f"sub_{number:06}",
    }
