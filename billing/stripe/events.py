"""Apply Stripe's events: noted when they arrive, applied afterwards, again until it succeeds.

An event only says that something changed: the object itself is read from Stripe anew, so order,
repetition and gaps do not matter. Offline (`read=False`) the newest event's object counts.
"""

import hashlib
import json
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from analytics.ingestion import ingest
from analytics.ingestion.partitions import lock_and_ensure_partitions, month_of
from billing.calculations.stripe_completion import completed, discounts_of
from billing.calculations.stripe_event import (
    NAMES,
    customer_of,
    name_of,
    object_of,
    properties_of,
    why_ignored,
)
from billing.calculations.stripe_fields import UnusableStripeObject, id_of, moment_of
from billing.models import StripeCustomer, StripeEvent
from billing.stripe import customers, gateway
from billing.stripe.person_events import person_event
from billing.stripe.signals import stripe_changed
from common import queueing
from common.calculations.backoff import backoff
from common.formatting import error_line
from common.locks import Lock, locked_cursor
from common.postgres import raw_cursor

logger = logging.getLogger(__name__)

Json = dict[str, Any]
State = StripeEvent.State

_TOLD_TOGETHER = 1_000
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=2), timedelta(hours=1)
_CLAIM = timedelta(minutes=10)  # an attempt that takes longer has died
_RANKS = {"created": 0, "deleted": 2}  # of events within one second


def receive(event: Mapping[str, Any]) -> StripeEvent | None:
    """Note an event, None where it is known; Unusable names the field that prevents it."""
    noted = _noted(event)
    StripeEvent.objects.bulk_create([noted], ignore_conflicts=True)
    kept = StripeEvent.objects.get(pk=noted.pk)
    if kept.fingerprint != noted.fingerprint:
        raise UnusableStripeObject("id", f"another event has the id {noted.pk}")
    return kept if kept.due_at == noted.due_at and not kept.attempts else None


def _noted(event: Mapping[str, Any]) -> StripeEvent:
    event_id, event_type = id_of(event.get("id"), "id"), event.get("type")
    if not isinstance(event_type, str) or not event_type:
        raise UnusableStripeObject("type", "is missing")
    about, created = object_of(event), moment_of(event, "created")
    if created is None:
        raise UnusableStripeObject("created", "is missing")
    if "\\u0000" in json.dumps(event):
        raise UnusableStripeObject("data", "holds the character U+0000")
    fingerprint = fingerprint_of({name: event[name] for name in ("type", "created", "data")})
    if re.fullmatch("evt_0+", event_id):  # every test event of Stripe's dashboard has it
        event_id += f"#{fingerprint[:16]}"
    reason = not_ours(event) or why_ignored(event_type)
    return StripeEvent(
        event_id=event_id,
        type=event_type,
        object_id=id_of(about.get("id"), "data.object.id", default=""),
        customer_id=customer_of(about),
        happened_at=_moment(created),
        fingerprint=fingerprint,
        payload={**event, "id": event_id},
        state=State.IGNORED if reason else State.WAITING,
        reason=reason,
        due_at=None if reason else timezone.now(),
    )


def fingerprint_of(stripe_json: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(stripe_json, sort_keys=True).encode()).hexdigest()


def _moment(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UnusableStripeObject("created", f"{seconds!r} is no Unix time") from error


def not_ours(stripe_json: Mapping[str, Any]) -> str:
    """Return why an object of the other mode, test or live, is left out; "" where it is not."""
    live = stripe_json.get("livemode")
    if not gateway.is_set_up() or live is None or live == settings.STRIPE_LIVE_MODE:
        return ""
    mode = "live" if settings.STRIPE_LIVE_MODE else "test"
    return f"STRIPE_SECRET_KEY is for {mode} mode, this is not."


def enqueue(event_id: str) -> None:
    """Have an event applied by a worker, once the transaction is committed."""
    queueing.enqueue("billing.tasks.apply_stripe_event", event_id)


def enqueue_update(customer_id: str) -> None:
    """Have a worker update everything derived from a customer's stored Stripe objects."""
    queueing.enqueue("billing.tasks.update_stripe_customer", customer_id)


def try_again(event_ids: Sequence[str]) -> int:
    """Have those of the events applied anew that failed or were refused; return how many."""
    now = timezone.now()
    unsuccessful = StripeEvent.objects.filter(
        Q(state__in=[State.FAILED, State.REFUSED]) | Q(state=State.APPLIED, due_at__isnull=False)
    )
    tried = list(unsuccessful.filter(pk__in=event_ids).values_list("pk", flat=True))
    StripeEvent.objects.filter(pk__in=tried).update(due_at=now)
    for event_id in tried:
        enqueue(event_id)
    return len(tried)


def apply_due(*, now: datetime) -> int:
    """Apply what waits and is due, oldest first; return how many events that were."""
    due = StripeEvent.objects.filter(due_at__lte=now).order_by("happened_at", "event_id")
    event_ids = list(due.values_list("pk", flat=True)[:5_000])
    for event_id in event_ids:
        apply(event_id, now=now)
    return len(event_ids)


def apply(event_id: str, *, now: datetime, read: bool | None = None, follow: bool = True) -> State:
    """Apply an event, once whoever tries at the same time; return what became of it.

    `read`: ask Stripe for the object; None: where Stripe is set up. `follow=False` leaves it to
    the caller to `tell_all` and to tell `stripe_changed`, for many events together.
    """
    event = _claim(event_id, now)
    if event is None:
        return State(StripeEvent.objects.values_list("state", flat=True).get(pk=event_id))
    try:
        if event.state != State.APPLIED:
            _store(event, read=gateway.is_set_up() if read is None else read)
        is_news = customers.link_by(event.payload["data"]["object"])
        if follow and event.customer_id:
            tell_all([event.customer_id]) if is_news else tell([event])
            stripe_changed.send(sender=None, customer_ids={event.customer_id})
    except UnusableStripeObject as error:
        return _finish(event, State.REFUSED, str(error))
    except Exception as error:  # noqa: BLE001  (whatever it is: it is kept, shown and tried again)
        logger.warning("Stripe event %s failed: %s", event.pk, type(error).__name__)
        return _fail(event, error, now)
    return _finish(event, State.APPLIED, "")


def _claim(event_id: str, now: datetime) -> StripeEvent | None:
    """Return an event that is due, for one caller; None where nothing is to be done."""
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
    """Store what the event is about, and note that it is applied, in one transaction."""
    about = event.payload["data"]["object"]
    kind, deleted = about["object"], event.type.endswith(".deleted")
    if kind == "subscription":
        deleted = False  # it is canceled, and stays
    as_of = gateway.moment()
    known = kind in gateway.KINDS and bool(event.object_id)
    fresh = gateway.refresh(kind, event.object_id) if read and known else None
    payload = event.payload | {"data": event.payload["data"] | {"object": _complete(about, fresh)}}
    with transaction.atomic():
        if known and fresh is None:
            rank = _RANKS.get(event.type.rpartition(".")[2], 1)
            as_of = event.happened_at + timedelta(microseconds=rank)
            told = payload["data"]["object"] | ({"deleted": True} if deleted else {})
            gateway.store(told, as_of=as_of)
        event.customer_id = gateway.owner_of(about)
        event.payload, event.state, event.reason = payload, State.APPLIED, ""
        event.save(update_fields=["payload", "state", "reason", "customer_id"])


def _complete(about: Json, fresh: Json | None) -> Json:
    if about.get("object") != "subscription":
        return about
    before = gateway.stored("subscription", str(about.get("id"))) or {}
    known = discounts_of(before) | discounts_of(fresh or {})
    return completed(about, discounts=known, stored=gateway.stored)


def tell_all(customer_ids: Collection[str]) -> None:
    """Put every applied event of customers on the persons that they are."""
    theirs = StripeEvent.objects.filter(customer_id__in=customer_ids, state=State.APPLIED)
    events = theirs.order_by("pk").iterator(chunk_size=_TOLD_TOGETHER)
    while batch := list(islice(events, _TOLD_TOGETHER)):
        tell(batch)


@transaction.atomic
def tell(events: list[StripeEvent]) -> None:
    """Put events on the persons of their customers, each once; nobody is erased meanwhile."""
    months = {month_of(event.happened_at) for event in events if event.type in NAMES}
    lock_and_ensure_partitions(raw_cursor(), months)  # their lock comes before that of identities
    locked_cursor(Lock.IDENTITY)
    customer_ids = {event.customer_id for event in events}
    whose = dict(
        StripeCustomer.objects.filter(pk__in=customer_ids).values_list("pk", "distinct_id_id")
    )
    ingest.store(
        [
            person_event(
                name_of(event.payload),
                whose[event.customer_id],
                key=["stripe-event", event.pk],
                at=event.happened_at,
                properties=properties_of(event.payload),
            )
            for event in events
            if event.type in NAMES and event.customer_id in whose
        ]
    )


def _finish(event: StripeEvent, state: State, reason: str) -> State:
    StripeEvent.objects.filter(pk=event.pk).update(state=state, reason=reason, due_at=None)
    return state


def _fail(event: StripeEvent, error: Exception, now: datetime) -> State:
    """Note a failure; what is applied already stays so, and the rest of it is tried again."""
    wait = backoff(event.attempts, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
    reason = error_line(error)
    StripeEvent.objects.filter(pk=event.pk).update(reason=reason, due_at=now + wait)
    StripeEvent.objects.filter(pk=event.pk).exclude(state=State.APPLIED).update(state=State.FAILED)
    return State.FAILED
