"""Stored objects without a customer, such as checkouts and payments of guests."""

from collections.abc import Callable, Iterator
from typing import Any

from djstripe.models import Charge, Session, StripeModel

from billing.calculations.stripe_personal import anonymous
from billing.stripe.gateway.customer_objects import rewrite

Json = dict[str, Any]


def count_guests(is_named: Callable[[Json], bool]) -> int:
    """Return the number of objects without a customer that name a person."""
    return sum(1 for _ in _matches(is_named))


def anonymize_guests(is_named: Callable[[Json], bool], clean: Callable[[Json], Json]) -> int:
    """Remove personal data from objects without a customer that name a person."""
    matches = list(_matches(is_named))
    for row in matches:
        rewrite(row, clean(anonymous(row.stripe_data)))
    return len(matches)


def _matches(is_named: Callable[[Json], bool]) -> Iterator[StripeModel]:
    for model in (Charge, Session):
        for row in model.objects.filter(customer=None).iterator(chunk_size=500):
            if is_named(row.stripe_data):
                yield row
