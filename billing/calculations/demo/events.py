"""Stripe events of a made-up company's customers, for the demo.

Seeded, so the same arguments give the same events. Some activated persons subscribe days later.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random
from typing import Any

from billing.calculations.demo.customer import DemoCustomer, DemoPerson

Json = dict[str, Any]

_SUBSCRIBES = 0.34  # of the activated persons


def events(
    people: Sequence[DemoPerson], *, prices: dict[str, Json], until: datetime, seed: int
) -> Iterator[Json]:
    """Yield Stripe's events before the aware `until`; `prices` are Stripe's, by lookup key."""
    for number, person in enumerate(sorted(people, key=lambda row: row.distinct_id)):
        random = Random(f"{seed}:{number}")  # noqa: S311
        if random.random() > _SUBSCRIBES:
            continue
        customer = DemoCustomer(random, number, person, prices, int(until.timestamp()))
        yield from (event for event in customer.run() if event["created"] < customer.until)
