"""Load Stripe's objects and events from a file: offline, in the same way as webhooks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import DatabaseError, transaction

from billing.calculations.stripe_completion import EXPANDABLE
from billing.calculations.stripe_event import customer_of, why_object_ignored
from billing.calculations.stripe_fields import UnusableStripeObject, id_of
from billing.models import HeldObject, StripeEvent, StripeEventState
from billing.stripe import applying, customers, events, gateway, timeline
from billing.stripe.signals import stripe_changed
from common.calculations.json_reading import read_json
from common.formatting import first_line

Json = dict[str, Any]


class LoadOutcome(StrEnum):
    STORED = "stored"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    HELD = "held"
    REFUSED = "refused"


KEPT = {LoadOutcome.STORED, LoadOutcome.UNCHANGED}  # outcomes of objects that may be held


@dataclass(slots=True)
class LoadedLine:
    """A line of the file, and its outcome."""

    number: int
    kind: str = ""  # the type of an event, or of an object
    stripe_id: str = ""
    customer_id: str = ""
    outcome: LoadOutcome = LoadOutcome.STORED
    reason: str = ""
    version: str = ""  # of an object, its fingerprint
    referred: str = ""  # id of a coupon or price, which subscriptions of any customer refer to


def load(
    lines: Iterable[bytes | str], *, progress: Callable[[], Any] = lambda: None
) -> list[LoadedLine]:
    """Load raw Stripe objects, one JSON object per line, in any order; return their outcomes.

    Objects are valid as of now, events as of when they happened. Loading again changes nothing.
    """
    loaded, to_apply = [], []
    as_of = gateway.moment()
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        line = LoadedLine(number)
        loaded.append(line)
        try:
            with transaction.atomic():
                event = _take(line, _parsed(text), as_of)
        except (UnusableStripeObject, DatabaseError) as error:
            _refuse(line, first_line(error))
            event = None
        if event is not None:
            to_apply.append((event, line))
        progress()
    for event, line in sorted(to_apply, key=lambda pair: (pair[0].happened_at, pair[0].pk)):
        _apply(event, line)
    _mark_superseded(loaded)
    _follow(loaded)
    return loaded


def _parsed(text: bytes | str) -> Json:
    try:
        stripe_json = read_json(text.encode() if isinstance(text, str) else text)
    except ValueError as error:
        raise UnusableStripeObject("line", f"invalid JSON: {error}") from error
    if not isinstance(stripe_json, dict) or not isinstance(stripe_json.get("object"), str):
        raise UnusableStripeObject("object", "is missing: every line must be a Stripe object")
    return stripe_json


def _take(line: LoadedLine, stripe_json: Json, as_of: datetime) -> StripeEvent | None:
    """Store an object, or receive an event and return it, to be applied."""
    line.kind, line.stripe_id = stripe_json["object"], str(stripe_json.get("id") or "")
    if line.kind != "event":
        _take_object(line, stripe_json, as_of)
        return None
    line.kind = str(stripe_json.get("type") or "event")
    event = events.receive(stripe_json)
    if event is None:
        line.outcome = LoadOutcome.UNCHANGED
        return None
    line.stripe_id, line.customer_id = event.pk, event.customer_id
    line.referred = event.object_id if event.type.split(".")[0] in EXPANDABLE else ""
    if event.state == StripeEventState.IGNORED:
        line.outcome, line.reason = LoadOutcome.IGNORED, event.reason
        return None
    return event


def _take_object(line: LoadedLine, stripe_json: Json, as_of: datetime) -> None:
    line.reason = events.reason_of_other_mode(stripe_json) or why_object_ignored(line.kind)
    if line.reason:
        line.outcome = LoadOutcome.IGNORED
        return
    line.customer_id = customer_of(stripe_json)
    line.referred = line.stripe_id if line.kind in EXPANDABLE else ""
    line.version = events.fingerprint_of(stripe_json)
    change = gateway.store(stripe_json, as_of=as_of)
    if change == gateway.StoreOutcome.UNCHANGED:
        line.outcome = LoadOutcome.UNCHANGED
    customers.link_by(stripe_json)


def _apply(event: StripeEvent, line: LoadedLine) -> None:
    state = applying.apply(event.pk, now=gateway.moment(), read=False, follow=False)
    if state != StripeEventState.APPLIED:
        event.refresh_from_db(fields=["reason"])
        _refuse(line, event.reason)


def _refuse(line: LoadedLine, reason: str) -> None:
    line.outcome, line.reason = LoadOutcome.REFUSED, reason


def _mark_superseded(loaded: list[LoadedLine]) -> None:
    """Mark the lines of an object that lost to another version of it in the file."""
    versions: dict[tuple[str, str], list[LoadedLine]] = {}
    for line in loaded:
        if line.version:
            versions.setdefault((line.kind, line.stripe_id), []).append(line)
    for (kind, stripe_id), lines in versions.items():
        if len({line.version for line in lines}) == 1:
            continue
        kept = events.fingerprint_of(gateway.stored(kind, stripe_id) or {})
        for line in lines:
            if line.version != kept:
                line.outcome, line.reason = LoadOutcome.IGNORED, "Superseded by another line."


def _follow(loaded: list[LoadedLine]) -> None:
    """Have the ledger follow once for all lines, and mark the lines that it holds."""
    for line in loaded:
        if line.kind in {"refund", "dispute"} and line.outcome in KEPT:
            # It names no customer: it is that of its charge.
            stripe_json = gateway.stored(line.kind, line.stripe_id) or {}
            line.customer_id = gateway.owner_of(stripe_json)
            charge_id = id_of(stripe_json.get("charge"), "charge", default="")
            if not line.customer_id and not gateway.stored("charge", charge_id):
                line.outcome = LoadOutcome.HELD
                line.reason = "Its charge is not stored, so it is not counted: load the charge."
    customer_ids = {line.customer_id for line in loaded if line.customer_id}
    object_ids = {line.referred for line in loaded if line.referred}
    if not customer_ids and not object_ids:
        return
    timeline.add_all(customer_ids)
    stripe_changed.send(sender=None, customer_ids=customer_ids, object_ids=object_ids)
    held = dict(
        HeldObject.objects.filter(customer_id__in=customer_ids).values_list("stripe_id", "reason")
    )
    for line in loaded:
        if line.outcome in KEPT and line.stripe_id in held:
            line.outcome, line.reason = LoadOutcome.HELD, held[line.stripe_id]


def counts(loaded: Iterable[LoadedLine]) -> dict[str, dict[LoadOutcome, int]]:
    """Return the number of lines by kind and outcome."""
    numbers: dict[str, dict[LoadOutcome, int]] = {}
    for line in loaded:
        of_kind = numbers.setdefault(line.kind or "(unreadable)", dict.fromkeys(LoadOutcome, 0))
        of_kind[line.outcome] += 1
    return dict(sorted(numbers.items()))


def reasons(loaded: Iterable[LoadedLine]) -> Mapping[tuple[LoadOutcome, str, str], list[int]]:
    """Return line numbers by outcome, kind and reason, for lines with a reason."""
    line_numbers: dict[tuple[LoadOutcome, str, str], list[int]] = {}
    for line in loaded:
        if line.reason:
            line_numbers.setdefault((line.outcome, line.kind, line.reason), []).append(line.number)
    return dict(sorted(line_numbers.items()))
