"""Stored Stripe objects, as Stripe's JSON, and the persons they belong to."""

from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from djstripe.models import Invoice, Subscription

from analytics.people.person_sql import with_person
from billing.calculations.billing_period import PaidItem, paid_items
from billing.models import StripeEvent, StripeEventState
from common.postgres import raw_cursor

Json = dict[str, Any]
_decode = msgspec.json.Decoder(dict).decode
_PER_STEP = 2_000

_DELETED = "coalesce((stripe_data -> 'deleted')::bool, false)"  # a customer, at Stripe

# The subscriptions with access, the oldest first.
_WITH_ACCESS = f"""
SELECT stripe_data::text FROM {with_person("billing_stripecustomer")}
JOIN djstripe_subscription USING (customer_id)
WHERE person_id = %s AND stripe_data ->> 'status' IN ('active', 'trialing', 'past_due')
ORDER BY created NULLS LAST, id
"""


def subscriptions_of(customer_ids: Collection[str] | None = None) -> Iterator[Json]:
    """Yield the subscriptions of some customers, or of all."""
    return _json_of(Subscription.objects.all(), "stripe_data", "customer_id", customer_ids)


def subscribing_customers() -> set[str]:
    """Return the customers with a stored subscription or an event of one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id FROM djstripe_subscription UNION"
            " SELECT customer_id FROM billing_stripeevent"
            " WHERE type LIKE 'customer.subscription.%%' AND state = %s AND customer_id <> ''",
            [StripeEventState.APPLIED],
        )
        return {customer_id for (customer_id,) in cursor.fetchall()}


def subscription_events(customer_ids: Collection[str] | None = None) -> Iterator[Json]:
    """Yield the applied events of subscriptions, in any order."""
    events = StripeEvent.objects.filter(
        type__startswith="customer.subscription.", state=StripeEventState.APPLIED
    )
    return _json_of(events, "payload", "customer_id", customer_ids)


def invoices(customer_ids: Collection[str] | None = None) -> Iterator[Json]:
    """Yield the invoices of some customers, or of all."""
    return _json_of(Invoice.objects.all(), "stripe_data", "customer_id", customer_ids)


def credit_notes(customer_ids: Collection[str] | None = None) -> Iterator[Json]:
    """Yield credit notes from their newest events: dj-stripe has no table for them."""
    newest = (
        StripeEvent.objects.filter(type__startswith="credit_note.", state=StripeEventState.APPLIED)
        .order_by("object_id", "-happened_at", "-event_id")
        .distinct("object_id")
    )
    for event in _json_of(newest, "payload", "customer_id", customer_ids):
        yield event["data"]["object"]


def persons_of(customer_ids: Collection[str]) -> dict[str, int]:
    """Return the person of each customer that is linked to one."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id, person_id FROM {with_person('billing_stripecustomer')}"
            " WHERE customer_id = ANY(%s)",
            [list(customer_ids)],
        )
        return dict(cursor.fetchall())


def customer_ids_of(person_id: int) -> list[str]:
    """Return the ids of a person's customers, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id FROM {with_person('billing_stripecustomer')}"
            " JOIN djstripe_customer ON djstripe_customer.id = customer_id"
            f" WHERE person_id = %s AND NOT {_DELETED}"
            " ORDER BY created DESC NULLS LAST, customer_id",
            [person_id],
        )
        return [customer_id for (customer_id,) in cursor.fetchall()]


def addresses_of(person_ids: Collection[int]) -> dict[int, str]:
    """Return the e-mail address of each person's newest customer that has one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (person_id) person_id, email"
            f" FROM {with_person('billing_stripecustomer')}"
            " JOIN djstripe_customer ON djstripe_customer.id = customer_id"
            f" WHERE person_id = ANY(%s) AND email <> '' AND NOT {_DELETED}"
            " ORDER BY person_id, created DESC NULLS LAST, customer_id",
            [list(person_ids)],
        )
        return dict(cursor.fetchall())


def paid_items_of(person_id: int) -> list[PaidItem]:
    """Return what a person's subscriptions with access buy, the oldest first, with one query."""
    with raw_cursor() as cursor:
        rows = cursor.execute(_WITH_ACCESS, [person_id]).fetchall()
    return [item for (text,) in rows for item in paid_items(_decode(text))]


def _json_of(
    rows: QuerySet, column: str, owner: str, customer_ids: Collection[str] | None
) -> Iterator[Json]:
    if customer_ids is not None:
        rows = rows.filter(**{f"{owner}__in": list(customer_ids)})
    texts = rows.annotate(text=Cast(column, TextField())).values_list("text", flat=True)
    if customer_ids is None:
        return map(_decode, texts.iterator(chunk_size=_PER_STEP))
    try:
        sql, parameters = texts.query.sql_with_params()
    except EmptyResultSet:
        return iter(())
    with raw_cursor() as cursor:  # Django's costs more than the reading
        return (_decode(text) for (text,) in cursor.execute(sql, parameters).fetchall())
