"""Store Stripe's objects, never an older version over a newer one.

dj-stripe itself would read every object that an object refers to from Stripe, with up to six calls,
and store one at a time; here such an object gets a placeholder, and many are stored together.
`djstripe_updated` is the time as of which an object is stored.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import DatabaseError, transaction
from djstripe.models import Customer

from billing.calculations.stripe_completion import keeping_expanded, without_expandable
from billing.calculations.stripe_event import customer_of
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.calculations.stripe_personal import anonymous
from billing.calculations.subscription import ENDED
from billing.stripe.gateway.columns import columns_of
from billing.stripe.gateway.objects import KINDS, is_deleted, is_placeholder
from billing.stripe.gateway.working_set import StoredRow, WorkingSet

Json = dict[str, Any]

_LONGEST_ID = 255


class StoreOutcome(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    STALE = "older than the stored version"


Stored = StoreOutcome | UnusableStripeObject | DatabaseError  # or why it cannot be stored


def store(stripe_json: Json, *, as_of: datetime, read_now: bool = False) -> StoreOutcome:
    """Store an object as `store_all` does; UnusableStripeObject names the invalid field."""
    [outcome] = store_all([stripe_json], as_of=as_of, read_now=read_now)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def store_all(objects: Sequence[Json], *, as_of: datetime, read_now: bool = False) -> list[Stored]:
    """Store objects in this order, each unless a newer version is stored; return their outcomes.

    Versions of the same time have no order: the same version always wins. But a version that was
    `read_now` from Stripe replaces an earlier one, and a deleted customer never comes back. What
    PostgreSQL refuses is found by halves, and nothing else is lost with it.
    """
    try:
        return _stored(objects, as_of, read_now)
    except DatabaseError:
        middle = len(objects) // 2
    if middle:
        return [
            outcome
            for half in (objects[:middle], objects[middle:])
            for outcome in store_all(half, as_of=as_of, read_now=read_now)
        ]
    try:
        return _stored(objects, as_of, read_now)  # someone else may have added it meanwhile
    except DatabaseError as error:
        return [error]


def note_deletion(customer_id: str, at: datetime) -> None:
    """Remember when a stored customer was deleted, which Stripe only says in the event."""
    Customer.objects.filter(id=customer_id, date_purged=None).update(date_purged=at)


@transaction.atomic
def _stored(objects: Sequence[Json], as_of: datetime, read_now: bool) -> list[Stored]:
    problems = list(map(_problem_of_id, objects))
    usable = [row for row, problem in zip(objects, problems, strict=True) if problem is None]
    rows = WorkingSet(usable)
    outcomes: list[Stored] = []
    for stripe_json, problem in zip(objects, problems, strict=True):
        try:
            outcomes.append(problem or _keep(rows, stripe_json, as_of, read_now))
        except UnusableStripeObject as error:
            outcomes.append(error)
    rows.write()
    return outcomes


def _problem_of_id(stripe_json: Json) -> UnusableStripeObject | None:
    object_id = stripe_json.get("id")
    if not object_id:
        return UnusableStripeObject("id", "is missing")
    if not isinstance(object_id, str):
        return UnusableStripeObject("id", f"{object_id!r} is not an id")
    if len(object_id) > _LONGEST_ID:
        return UnusableStripeObject("id", f"is longer than {_LONGEST_ID} characters")
    return None


def _keep(rows: WorkingSet, stripe_json: Json, as_of: datetime, read_now: bool) -> StoreOutcome:
    """Replace an object's row in memory, unless what it has is newer."""
    row = rows.row(stripe_json["object"], stripe_json["id"])
    model, kept, since = KINDS[stripe_json["object"]], row.stripe_json, row.as_of
    stripe_json = _permitted(rows, stripe_json, kept)
    columns = columns_of(model, stripe_json)
    if is_placeholder(kept) or since is None:
        outcome, final = StoreOutcome.NEW, stripe_json
    elif model is Customer and is_deleted(stripe_json) and not is_deleted(kept):
        outcome, final, as_of = StoreOutcome.CHANGED, stripe_json, max(as_of, since)
    elif as_of < since or (as_of == since and not read_now and _text(stripe_json) < _text(kept)):
        final, as_of = keeping_expanded(kept, stripe_json), since
        outcome = StoreOutcome.STALE if final == kept else StoreOutcome.CHANGED
    else:
        final = keeping_expanded(stripe_json, kept)
        outcome = StoreOutcome.UNCHANGED if final == kept else StoreOutcome.CHANGED
    if outcome == StoreOutcome.STALE:
        return outcome
    rows.put(row, columns if final == stripe_json else columns_of(model, final), as_of)
    if model is Customer and is_deleted(final):
        _end_with_customer(rows, row, as_of)
    return outcome


def _permitted(rows: WorkingSet, stripe_json: Json, kept: Json) -> Json:
    """Return what may be stored of an object, in place of `kept`."""
    if rows.is_of_erased(stripe_json):
        stripe_json = anonymous(stripe_json)
    if is_deleted(stripe_json) and not is_placeholder(kept):
        stripe_json = kept | stripe_json
    elif stripe_json["object"] == "customer" and is_deleted(kept):
        stripe_json = stripe_json | {"deleted": True}
    return _ended(rows, stripe_json) if stripe_json["object"] == "subscription" else stripe_json


def _end_with_customer(rows: WorkingSet, customer: StoredRow, at: datetime) -> None:
    """End the stored subscriptions of a customer that is deleted, as Stripe does.

    https://docs.stripe.com/api/customers/delete. Their own events may come later, or never.
    """
    rows.purge(customer, at)
    for row in rows.subscriptions_of(customer.stripe_json["id"]):
        ended = _ended(rows, row.stripe_json)
        if ended is not row.stripe_json:
            rows.put(row, columns_of(KINDS["subscription"], ended), row.as_of)


def _ended(rows: WorkingSet, subscription: Json) -> Json:
    """Return the subscription, ended if its stored customer is deleted."""
    at = rows.purged(customer_of(subscription))
    if at is None or subscription.get("status") in ENDED:
        return subscription
    moment = int(at.timestamp())
    return subscription | {
        "status": "canceled",
        "canceled_at": subscription.get("canceled_at") or moment,
        "ended_at": moment,
    }


def _text(stripe_json: Json) -> str:
    return json.dumps(without_expandable(stripe_json), sort_keys=True)
