"""Add Stripe's applied events to the timelines of the persons of their customers."""

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any

from django.db import transaction

from analytics.ingestion import ingest
from analytics.ingestion.partitions import lock_and_ensure_partitions, month_of
from billing.calculations.stripe_completion import completed
from billing.calculations.stripe_event import NAMES, name_of, properties_of
from billing.models import StripeCustomer, StripeEvent, StripeEventState
from billing.stripe import gateway
from billing.stripe.person_events import person_event
from common.locks import Lock, locked_cursor
from common.postgres import raw_cursor

_BATCH = 1_000


def add_all(customer_ids: Collection[str]) -> None:
    """Add every applied event of some customers to their persons' timelines."""
    ids = iter(customer_ids)
    while owners := list(islice(ids, _BATCH)):
        rows = StripeEvent.objects.filter(customer_id__in=owners, state=StripeEventState.APPLIED)
        events = rows.order_by("pk").iterator(chunk_size=_BATCH)
        while batch := list(islice(events, _BATCH)):
            add(batch)


@transaction.atomic
def add(events: list[StripeEvent]) -> None:
    """Add events to their persons' timelines, each once; no one is erased meanwhile."""
    months = {month_of(event.happened_at) for event in events if event.type in NAMES}
    lock_and_ensure_partitions(raw_cursor(), months)  # their lock comes before that of identities
    locked_cursor(Lock.IDENTITY)
    customer_ids = {event.customer_id for event in events}
    rows = StripeCustomer.objects.filter(pk__in=customer_ids)
    distinct_ids = dict(rows.values_list("pk", "distinct_id_id"))
    ingest.store(
        [
            person_event(
                name_of(event.payload, _completed),
                distinct_ids[event.customer_id],
                key=["stripe-event", event.pk],
                at=event.happened_at,
                properties=properties_of(event.payload),
            )
            for event in events
            if event.type in NAMES and event.customer_id in distinct_ids
        ]
    )


def _completed(subscription: Mapping[str, Any]) -> Mapping[str, Any]:
    return completed(subscription, discounts={}, stored=gateway.stored)
