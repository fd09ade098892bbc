"""Receive Stripe's events: store each once, and enqueue it to be applied (`applying`)."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from django.conf import settings
from django.db.models import CharField, Q
from django.utils import timezone

from billing.calculations.stripe_event import customer_of, object_of, why_foreign, why_ignored
from billing.calculations.stripe_fields import UnusableStripeObject, id_of, moment_of
from billing.calculations.stripe_personal import anonymous_event
from billing.calculations.thin_event import (
    THIN_FIELDS,
    WHY_THIN_IGNORED,
    is_thin,
    thin_moment,
)
from billing.models import StripeEvent, StripeEventState
from billing.stripe import gateway
from common import queueing


def receive(event: Mapping[str, Any]) -> StripeEvent | None:
    """Store an event; None for a duplicate. UnusableStripeObject names the invalid field."""
    received = _parsed(event)
    StripeEvent.objects.bulk_create([received], ignore_conflicts=True)
    kept = StripeEvent.objects.get(pk=received.pk)
    if not _is_same(kept, received):
        raise UnusableStripeObject("id", f"another event has the id {received.pk}")
    return kept if kept.due_at == received.due_at and not kept.attempts else None


def _is_same(kept: StripeEvent, received: StripeEvent) -> bool:
    """Return whether these are one event, perhaps in two API versions.

    Stripe sends both to an endpoint during an upgrade: https://docs.stripe.com/webhooks/versioning.
    """
    if kept.fingerprint == received.fingerprint:
        return True
    versions = {row.payload.get("api_version") for row in (kept, received)}
    return len(versions) > 1 and all(
        getattr(kept, name) == getattr(received, name)
        for name in ("type", "happened_at", "object_id")
    )


def _parsed(event: Mapping[str, Any]) -> StripeEvent:
    event_id, event_type = id_of(event.get("id"), "id"), event.get("type")
    if not isinstance(event_type, str) or not event_type:
        raise UnusableStripeObject("type", "is missing")
    if "\\u0000" in json.dumps(event):
        raise UnusableStripeObject("data", "contains the character U+0000")
    if is_thin(event):
        parsed = _thin(event, event_id, event_type)
    else:
        parsed = _snapshot(event, event_id, event_type)
    for name in ("event_id", "type", "object_id", "customer_id"):
        limit = cast("CharField", StripeEvent._meta.get_field(name)).max_length or 0
        if len(getattr(parsed, name)) > limit:
            raise UnusableStripeObject(name, f"is longer than {limit} characters")
    return parsed


def _snapshot(event: Mapping[str, Any], event_id: str, event_type: str) -> StripeEvent:
    """Return an event that contains its object."""
    stripe_json, created = object_of(event), moment_of(event, "created")
    if created is None:
        raise UnusableStripeObject("created", "is missing")
    fingerprint = fingerprint_of({name: event[name] for name in ("type", "created", "data")})
    if re.fullmatch("evt_0+", event_id):  # every test event of Stripe's dashboard has this id
        event_id += f"#{fingerprint[:16]}"
    foreign = why_foreign(event)
    reason = foreign or reason_of_other_mode(event) or why_ignored(event_type)
    is_hidden = foreign or gateway.is_of_erased(stripe_json)
    kept = anonymous_event(event) if is_hidden else event
    return StripeEvent(
        event_id=event_id,
        type=event_type,
        object_id=id_of(stripe_json.get("id"), "data.object.id", default=""),
        customer_id="" if foreign else customer_of(stripe_json),
        happened_at=_time(created),
        fingerprint=fingerprint,
        payload={**kept, "id": event_id},
        state=StripeEventState.IGNORED if reason else StripeEventState.WAITING,
        reason=reason,
        due_at=None if reason else timezone.now(),
    )


def _thin(event: Mapping[str, Any], event_id: str, event_type: str) -> StripeEvent:
    """Return an event without its object, which is ignored: the same event comes with it, too."""
    related = event.get("related_object")
    related_id = related.get("id") if isinstance(related, dict) else ""
    payload = {name: event[name] for name in THIN_FIELDS if name in event}
    return StripeEvent(
        event_id=event_id,
        type=event_type,
        object_id=id_of(related_id, "related_object.id", default=""),
        happened_at=thin_moment(event),
        fingerprint=fingerprint_of(payload),
        payload=payload,
        state=StripeEventState.IGNORED,
        reason=WHY_THIN_IGNORED,
    )


def fingerprint_of(stripe_json: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(stripe_json, sort_keys=True).encode()).hexdigest()


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UnusableStripeObject("created", f"{seconds!r} is not a Unix time") from error


def reason_of_other_mode(stripe_json: Mapping[str, Any]) -> str:
    """Return why an object of the other mode (test or live) is ignored; "" if it is not."""
    live = stripe_json.get("livemode")
    if not gateway.is_set_up() or live is None or live == settings.STRIPE_LIVE_MODE:
        return ""
    mode = "live" if settings.STRIPE_LIVE_MODE else "test"
    return f"STRIPE_SECRET_KEY is for {mode} mode, but this object is not."


def enqueue(event_id: str) -> None:
    """Have a worker apply an event, once the transaction is committed."""
    queueing.enqueue("billing.tasks.apply_stripe_event", event_id)


def enqueue_update(customer_id: str) -> None:
    """Have a worker update everything derived from a customer's stored Stripe objects."""
    queueing.enqueue("billing.tasks.update_stripe_customer", customer_id)


def retry(event_ids: Sequence[str]) -> int:
    """Enqueue those of the events that failed or were refused; return their number."""
    unsuccessful = StripeEvent.objects.filter(
        Q(state__in=[StripeEventState.FAILED, StripeEventState.REFUSED])
        | Q(state=StripeEventState.APPLIED, due_at__isnull=False)
    )
    to_retry = list(unsuccessful.filter(pk__in=event_ids).values_list("pk", flat=True))
    StripeEvent.objects.filter(pk__in=to_retry).update(due_at=timezone.now())
    for event_id in to_retry:
        enqueue(event_id)
    return len(to_retry)
