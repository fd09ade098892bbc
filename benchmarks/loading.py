"""Stripe's history in one run: `load_stripe_objects` and `sync_stripe`, before and after.

Before, objects were stored and linked one at a time, as webhooks still are: the same functions with
one object each, on every 40th of the same objects, in an equal and equally empty database; in both,
the ledger follows for all of them together. The peak memory is that of the command.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import islice
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from benchmarks import dataset, memory
from billing.stripe import applying, customers, gateway, loading, sync
from devstack.fake_stripe import FakeStripe

Json = dict[str, Any]

DATABASE = "bench_loading"
PRODUCTS, PRICES, CUSTOMERS, SUBSCRIPTIONS = 100, 500, 40_000, 34_000  # 74,600 objects
SAMPLE = 40
SIZES = 10_000, 80_000  # objects, whose peak memory is compared
AT_STRIPE = 4_000  # customers with a subscription each, at the fake Stripe
FACTOR = 15
CREATED = 1_700_000_000


def run(scale: float) -> None:
    dataset.use_database(DATABASE)
    call_command("migrate", verbosity=0)
    _load(scale)
    _sync(int(AT_STRIPE * scale))
    for size in SIZES:
        _measure_memory(int(size * scale))


def _load(scale: float) -> None:
    _empty()
    sample = list(islice(_objects(scale), 0, None, SAMPLE))
    before = _rate(len(sample), lambda: _one_at_a_time(sample))
    _empty()
    lines = [json.dumps(row) for row in _objects(scale)]
    after = _rate(len(lines), lambda: loading.load(lines))
    print(f"  load: {before:,.0f} objects/s one at a time ({len(sample):,} of them),")
    print(
        f"    {after:,.0f}/s now ({len(lines):,}): {after / before:.0f} times (at least {FACTOR})"
    )


def _sync(number: int) -> None:
    server = FakeStripe(seed=1)
    server.start()
    settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE = server.api_key, server.url
    try:
        _fill(server, number)
        kinds = "product", "price", "customer", "subscription"
        reading = _rate(1, lambda: [list(gateway.every(kind)) for kind in kinds])
        listed = [row for kind in kinds for row in gateway.every(kind)]
        _empty()
        sample = listed[::SAMPLE]
        before = _rate(len(sample), lambda: _keep_one_at_a_time(sample))
        _empty()
        seconds = 1 / _rate(1, sync.sync) - 1 / reading
    finally:
        server.stop()
        settings.STRIPE_SECRET_KEY = ""
    after = len(listed) / seconds
    print(f"  sync: {before:,.0f} objects/s one at a time, {after:,.0f}/s now ({len(listed):,}):")
    print(
        f"    {after / before:.0f} times (at least {FACTOR}), without Stripe's {1 / reading:.1f} s"
    )


def _one_at_a_time(rows: list[Json]) -> None:
    as_of = gateway.moment()
    for row in rows:
        gateway.store(row, as_of=as_of)
        customers.link_by(row)
    applying.follow_all(gateway.owners_of(rows))


def _keep_one_at_a_time(rows: list[Json]) -> None:
    as_of = gateway.moment()
    for row in rows:
        stripe_json, _ = gateway.keep(row, as_of=as_of)
        customers.link_by(stripe_json)
    applying.follow_all(gateway.owners_of(rows))


def _times(after: float, before: float) -> str:
    return f"{after / before:.0f} times (at least {FACTOR})"


def _rate(number: int, do: Callable[[], Any]) -> float:
    start = perf_counter()
    do()
    return number / (perf_counter() - start)


def _empty() -> None:
    """Leave only a person for every second customer, who is named in the customer's metadata."""
    call_command("flush", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO analytics_person (id, excluded, is_demo, properties)"
            " SELECT id, false, false, '{}' FROM generate_series(1, %s) AS id",
            [SIZES[-1]],
        )
        cursor.execute(
            "INSERT INTO analytics_distinctid (distinct_id, person_id, proved)"
            " SELECT 'p' || id, id, true FROM analytics_person"
        )
        cursor.execute("ANALYZE")


def _fill(server: FakeStripe, number: int) -> None:
    """Let one customer subscribe at the fake Stripe, and copy both."""
    call = gateway.call
    product = call("post", "/v1/products", name="Pro")["id"]
    terms = {"currency": "usd", "unit_amount": 2_000, "recurring": {"interval": "month"}}
    price = call("post", "/v1/prices", product=product, **terms)["id"]
    card = {"default_payment_method": "pm_card_visa"}
    customer = call("post", "/v1/customers", payment_method="pm_card_visa", invoice_settings=card)
    sold = call("post", "/v1/subscriptions", customer=customer["id"], items=[{"price": price}])
    objects = server.state.objects
    for kind in ("event", "invoice"):
        objects[kind].clear()
    for copy in range(1, number):
        own = {"id": f"cus_{copy}", "metadata": {"distinct_id": f"p{copy}"} if copy % 2 else {}}
        objects["customer"][own["id"]] = deepcopy(objects["customer"][customer["id"]]) | own
        own = {"id": f"sub_{copy}", "customer": own["id"]}
        objects["subscription"][own["id"]] = deepcopy(objects["subscription"][sold["id"]]) | own


def _measure_memory(number: int) -> None:
    _empty()
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for row in islice(_objects(number / 70_000), number):
            file.write(json.dumps(row) + "\n")
        file.flush()
        peak = memory.peak(DATABASE, "load_stripe_objects", file.name)
        size = Path(file.name).stat().st_size / 1e6
    print(f"  a file of {number:,} objects ({size:.0f} MB): peak {peak:.0f} MB", flush=True)


def _objects(scale: float) -> Iterator[Json]:
    """Yield the objects of a company in the order in which Stripe's exports have them."""
    dice = Random(1)
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


def _subscription(number: int, customer: str, dice: Random) -> Json:
    started = CREATED + dice.randrange(20_000_000)
    items = [_item(number, position, dice) for position in range(1 + (number % 10 == 0))]
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


def _item(number: int, position: int, dice: Random) -> Json:
    return {
        "id": f"si_{number}_{position}",
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
