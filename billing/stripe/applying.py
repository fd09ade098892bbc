"""Apply Stripe's events that were received, and retry until it succeeds.

An event only says that something changed: the object itself is read again from Stripe, so order,
repetition and gaps do not matter. Offline (`read=False`) the object of the newest event wins.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from billing.calculations.stripe_completion import EXPANDABLE, discounts_in, with_discounts
from billing.calculations.stripe_fields import UnusableStripeObject, id_of
from billing.calculations.stripe_personal import anonymous_event
from billing.calculations.versions.event_order import in_order, moment_and_rank
from billing.models import StripeEvent, StripeEventState
from billing.stripe import customers, gateway, open_checkouts, timeline
from billing.stripe.signals import stripe_changed
from common.calculations.backoff import backoff
from common.formatting import error_line

logger = logging.getLogger(__name__)

Json = dict[str, Any]

_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(hours=1)
_CLAIM = timedelta(minutes=10)  # an attempt that takes longer has died
_PURCHASES = {"checkout.session.completed", "customer.subscription.created"}


class _NotAtStripe(Exception):
    """Stripe answers that our account does not have the object of an event."""


def apply_due(*, now: datetime) -> int:
    """Apply the events that are due, oldest first; return their number."""
    due = StripeEvent.objects.filter(due_at__lte=now).order_by("happened_at", "event_id")
    event_ids = list(due.values_list("pk", flat=True)[:5_000])
    for event_id in event_ids:
        apply(event_id, now=now)
    return len(event_ids)


def apply(
    event_id: str, *, now: datetime, read: bool | None = None, follow: bool = True
) -> StripeEventState:
    """Apply an event, once among parallel workers; return its new state.

    `read`: read the object from Stripe; None: if Stripe is set up. With `follow=False` the caller
    has to call `follow_all`, for many events together.
    """
    event = _claim(event_id, now)
    if event is None:
        return StripeEventState(
            StripeEvent.objects.values_list("state", flat=True).get(pk=event_id)
        )
    try:
        reads = gateway.is_set_up() if read is None else read
        if event.state != StripeEventState.APPLIED:
            _store(event, read=reads)
        is_linked_now = customers.link_by(event.payload["data"]["object"])
        if reads and event.type in _PURCHASES:
            open_checkouts.follow_purchase(event.payload["data"]["object"])
        if follow:
            _follow(event, is_linked_now=is_linked_now)
    except _NotAtStripe as error:
        return _finish(event, StripeEventState.IGNORED, str(error))
    except UnusableStripeObject as error:
        return _finish(event, StripeEventState.REFUSED, str(error))
    except Exception as error:  # noqa: BLE001  (any error is stored, shown to staff and retried)
        logger.warning("Stripe event %s failed: %s", event.pk, type(error).__name__)
        return _fail(event, error, now)
    return _finish(event, StripeEventState.APPLIED, "")


def follow_all(
    customer_ids: Collection[str],
    object_ids: Collection[str] = (),
    progress: Callable[[int], Any] = lambda _: None,
) -> None:
    """Have timelines and ledger follow many changes: of customers' objects, of coupons and prices.

    `progress` is called with how many more customers are done.
    """
    if customer_ids or object_ids:
        timeline.add_all(customer_ids)
        stripe_changed.send(
            sender=None,
            customer_ids=set(customer_ids),
            object_ids=set(object_ids),
            progress=progress,
        )


def _follow(event: StripeEvent, *, is_linked_now: bool) -> None:
    """Have the timeline and the ledger follow an applied event."""
    owners = {event.customer_id} - {""}
    if is_linked_now:
        timeline.add_all(owners)
    elif owners:
        timeline.add([event])
    referred = {event.object_id} if _kind_of(event) in EXPANDABLE else set()
    if owners or referred:
        stripe_changed.send(sender=None, customer_ids=owners, object_ids=referred)


def _kind_of(event: StripeEvent) -> str:
    return str(event.payload["data"]["object"]["object"])


def _claim(event_id: str, now: datetime) -> StripeEvent | None:
    """Return an event that is due, to a single caller; None if there is nothing to do."""
    with transaction.atomic():
        event = (
            StripeEvent.objects.select_for_update(skip_locked=True)
            .filter(pk=event_id, due_at__lte=now)
            .first()
        )
        if event is not None:
            event.attempts += 1
            event.due_at = now + _CLAIM
            event.save(update_fields=["attempts", "due_at"])
    return event


def _store(event: StripeEvent, *, read: bool) -> None:
    """Store the event's object and mark the event as applied, in one transaction."""
    stripe_json = event.payload["data"]["object"]
    if event.type == "customer.deleted":  # Stripe itself does not say when it was
        gateway.note_deletion(event.object_id, event.happened_at)
    kind, as_of = stripe_json["object"], gateway.moment()
    is_kept = kind in gateway.KINDS and bool(event.object_id)
    fresh = _read(kind, event) if read and is_kept else None
    complete = _complete(stripe_json, fresh)
    payload = event.payload | {"data": event.payload["data"] | {"object": complete}}
    with transaction.atomic():
        StripeEvent.objects.select_for_update().get(pk=event.pk)
        if gateway.is_of_erased(stripe_json):  # perhaps since the event was read
            payload = anonymous_event(payload)
        if is_kept and fresh is None:
            if read and kind != "discount":  # it no longer exists
                mark = {"deleted": True} if _is_deletion(event.payload) else {}
                gateway.store(complete | mark, as_of=as_of, read_now=True)
            else:
                _store_newest(event)
        event.customer_id = gateway.owner_of(stripe_json)
        event.payload, event.state, event.reason = payload, StripeEventState.APPLIED, ""
        event.save(update_fields=["payload", "state", "reason", "customer_id"])


def _read(kind: str, event: StripeEvent) -> Json | None:
    """Read the event's object from Stripe; None if it no longer exists there.

    A discount cannot be read: what it is on is read instead.
    """
    if kind == "discount":
        _read_owners(event.payload["data"]["object"])
        return None
    fresh = gateway.refresh(kind, event.object_id)
    if fresh is None:
        _check_deleted(kind, event.object_id, deleted=_is_deletion(event.payload))
    return fresh


def _read_owners(discount: Json) -> None:
    for kind in ("customer", "subscription"):
        owner_id = id_of(discount.get(kind), kind, default="")
        if owner_id and gateway.refresh(kind, owner_id) is None:
            _check_deleted(kind, owner_id, deleted=True)


def _is_deletion(event: Mapping[str, Any]) -> bool:
    """Whether an event says that its object is gone: a canceled subscription still exists."""
    is_subscription = event["data"]["object"]["object"] == "subscription"
    return event["type"].endswith(".deleted") and not is_subscription


def _check_deleted(kind: str, object_id: str, *, deleted: bool) -> None:
    """Raise for an object that Stripe does not have, unless its deletion is what happened.

    It may be of another account, so its event alone is not believed.
    """
    if not deleted or gateway.stored(kind, object_id) is None:
        raise _NotAtStripe(f"The Stripe account has no {kind} {object_id}.")


def _store_newest(event: StripeEvent) -> None:
    """Store the object as the events of its second leave it, and as the last of its events does.

    What is the last one of a second may depend on the events before. The events are locked, so
    that who applies the other ones sees what this one stored.
    """
    refused = Q(state__in=[StripeEventState.IGNORED, StripeEventState.REFUSED]) & ~Q(pk=event.pk)
    rows = StripeEvent.objects.select_for_update().exclude(refused).order_by("pk")
    kind = _kind_of(event)
    of_object = [row for row in rows.filter(object_id=event.object_id) if _kind_of(row) == kind]
    ordered = in_order(row.payload for row in of_object)
    so_far = [each for each in ordered if each["created"] <= event.payload["created"]]
    for newest in (so_far[-1], ordered[-1]):
        stripe_json = _complete(newest["data"]["object"], None)
        mark = {"deleted": True} if _is_deletion(newest) else {}
        moment, rank = moment_and_rank(newest)
        as_of = datetime.fromtimestamp(moment, UTC) + timedelta(microseconds=rank)
        gateway.store(stripe_json | mark, as_of=as_of, read_now=True)


def _complete(stripe_json: Json, fresh: Json | None) -> Json:
    if stripe_json.get("object") != "subscription":
        return stripe_json
    before = gateway.stored("subscription", str(stripe_json.get("id"))) or {}
    return with_discounts(stripe_json, discounts_in(before) | discounts_in(fresh or {}))


def _finish(event: StripeEvent, state: StripeEventState, reason: str) -> StripeEventState:
    StripeEvent.objects.filter(pk=event.pk).update(state=state, reason=reason, due_at=None)
    return state


def _fail(event: StripeEvent, error: Exception, now: datetime) -> StripeEventState:
    """Store a failure. An applied event stays applied; its remaining steps are retried."""
    wait = backoff(event.attempts, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
    reason = error_line(error)
    StripeEvent.objects.filter(pk=event.pk).update(reason=reason, due_at=now + wait)
    StripeEvent.objects.filter(pk=event.pk).exclude(state=StripeEventState.APPLIED).update(
        state=StripeEventState.FAILED
    )
    return StripeEventState.FAILED
