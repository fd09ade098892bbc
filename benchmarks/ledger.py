"""The MRR ledger of 100,000 customers with 5 years of history, rebuilt and read."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import dataset
from billing.revenue import customer_churn, ledger, ledger_check, lifetime_value, movements, mrr
from common.postgres import raw_cursor

CUSTOMERS = 100_000
EVENTS_EACH = 6  # in 5 years: more than a change of plan a year
START = datetime(2021, 1, 1, tzinfo=UTC)
DAYS = 5 * 365
NOW = START + timedelta(days=DAYS)
LAST_DAY = date(2025, 12, 1)
READERS = {
    "mrr": mrr.report,
    "churn": customer_churn.last_30_days,
    "ltv": lifetime_value.estimate,
    "movements": lambda *, as_of: movements.by_period(
        first=as_of - timedelta(days=365), last=as_of, as_of=as_of
    ),
}


def run(scale: float) -> None:
    dataset.use_database("bench_ledger")
    call_command("migrate", verbosity=0)
    customers = int(CUSTOMERS * scale)
    store(customers)
    start = perf_counter()
    movements = ledger.rebuild(now=NOW)
    seconds = perf_counter() - start
    print(f"  {movements:,} movements of {customers:,} customers in {seconds:.1f} s:", flush=True)
    print(f"    {movements / seconds:,.0f}/s (at least 20,000), reading what is stored included")
    start = perf_counter()
    assert ledger_check.check() == []
    print(f"  every day adds up: checked in {perf_counter() - start:.1f} s")
    for name, read in READERS.items():
        costs = [_seconds(read) for _ in range(10)]
        with CaptureQueriesContext(connection) as queries:
            read(as_of=LAST_DAY)
        print(f"  {name}: {1e3 * median(costs):.1f} ms, {len(queries)} queries (at most 10)")
    start = perf_counter()
    ledger.recount([_id(number) for number in range(100)], now=NOW)
    print(f"  a recount of 100 customers: {1e3 * (perf_counter() - start):.0f} ms")


def store(customers: int, *, until: datetime | None = None) -> None:
    """Store the events of subscriptions that change seats, end and return.

    Their 5 years begin at START or, with `until`, evenly over the 5 years before it.
    """
    with raw_cursor() as cursor:
        cursor.execute("TRUNCATE billing_stripeevent, djstripe_subscription CASCADE")
        columns = "event_id, type, object_id, customer_id, happened_at, fingerprint, payload"
        into = f"COPY billing_stripeevent ({columns}, state, reason, attempts) FROM STDIN"
        with cursor.copy(into) as copy:
            for number in range(customers):
                start = until - timedelta(days=number % DAYS) if until else START
                for event in _events(number, start):
                    happened_at = datetime.fromtimestamp(event["created"], UTC)
                    if until and happened_at >= until:
                        break
                    copy.write_row(
                        (
                            event["id"],
                            event["type"],
                            event["data"]["object"]["id"],
                            _id(number),
                            happened_at,
                            "",
                            json.dumps(event),
                            "applied",
                            "",
                            1,
                        )
                    )
        cursor.execute("ANALYZE billing_stripeevent")


def _id(number: int) -> str:
    return f"cus_{number:07}"


def _events(number: int, start: datetime) -> Iterator[dict[str, Any]]:
    dice = random.Random(number)
    days = sorted(dice.sample(range(DAYS), EVENTS_EACH))
    created = int((start + timedelta(days=days[0])).timestamp())
    for step, day in enumerate(days):
        moment = int((start + timedelta(days=day)).timestamp())
        is_over = step == EVENTS_EACH - 1 and dice.random() < 0.5
        kind = "created" if step == 0 else "deleted" if is_over else "updated"
        yield {
            "id": f"evt_{number}_{step}",
            "object": "event",
            "type": f"customer.subscription.{kind}",
            "created": moment,
            "data": {"object": _subscription(number, created, moment if is_over else None, dice)},
        }


def _subscription(
    number: int, created: int, ended: int | None, dice: random.Random
) -> dict[str, Any]:
    recurring = {"interval": "month", "interval_count": 1, "usage_type": "licensed"}
    price = {
        "id": "price_1",
        "object": "price",
        "currency": "usd",
        "unit_amount": 900 + dice.randrange(100),
        "product": "prod_1",
        "billing_scheme": "per_unit",
        "recurring": recurring,
    }
    item = {"id": f"si_{number}", "price": price, "quantity": 1 + dice.randrange(20)}
    return {
        "id": f"sub_{number}",
        "object": "subscription",
        "customer": _id(number),
        "status": "canceled" if ended else "active",
        "currency": "usd",
        "created": created,
        "start_date": created,
        "ended_at": ended,
        "items": {"object": "list", "data": [item]},
        "discounts": [],
    }


def _seconds(read: Any) -> float:
    start = perf_counter()
    read(as_of=LAST_DAY)
    return perf_counter() - start
