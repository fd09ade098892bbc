"""Load Stripe's objects and events from a file: offline, in the same way as webhooks.

The file is a stream: of a line only its outcome stays in memory.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from itertools import chain, groupby, islice
from typing import Any

from django.db import DatabaseError, transaction

from billing.calculations.loaded_lines import KEPT, LoadedLine, LoadOutcome
from billing.calculations.stripe_completion import EXPANDABLE
from billing.calculations.stripe_event import customer_of, why_object_ignored
from billing.calculations.stripe_fields import UnusableStripeObject
from billing.models import HeldObject, StripeEvent, StripeEventState
from billing.stripe import applying, customers, events, gateway
from common.calculations.json_reading import read_json
from common.formatting import first_line

Json = dict[str, Any]

_BATCH = 1_000
_BATCH_SIZE = 8_000_000  # bytes


class LoadStep(StrEnum):
    LOADING = "Loading lines"
    APPLYING = "Applying events"
    FOLLOWING = "Updating customers' MRR"


Progress = Callable[[LoadStep, int], Any]  # how many more lines, events or customers are done


def load(lines: Iterable[bytes | str], *, progress: Progress = lambda *_: None) -> list[LoadedLine]:
    """Load raw Stripe objects, one JSON object per line, in any order; return their outcomes.

    Objects are valid as of now, events as of when they happened. Loading again changes nothing.
    """
    loaded: list[LoadedLine] = []
    to_apply: list[tuple[datetime, str, LoadedLine]] = []
    as_of = gateway.moment()
    for batch in _batches(lines):
        taken = [(LoadedLine(number), text) for number, text in batch]
        to_apply += _take(taken, as_of)
        loaded += [line for line, _ in taken]
        progress(LoadStep.LOADING, len(batch))
    for _, event_id, line in sorted(to_apply, key=lambda due: due[:2]):
        _apply(event_id, line)
        progress(LoadStep.APPLYING, 1)
    _mark_superseded(loaded)
    _find_owners(loaded)
    _follow(loaded, progress)
    return loaded


def _batches(lines: Iterable[bytes | str]) -> Iterator[list[tuple[int, bytes | str]]]:
    """Yield numbered lines that are not empty, in batches of limited number and size."""
    batch: list[tuple[int, bytes | str]] = []
    size = 0
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        batch.append((number, text))
        size += len(text)
        if len(batch) == _BATCH or size >= _BATCH_SIZE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _take(
    batch: list[tuple[LoadedLine, bytes | str]], as_of: datetime
) -> list[tuple[datetime, str, LoadedLine]]:
    """Store the objects of a batch, and receive its events; return those to be applied."""
    objects: list[tuple[LoadedLine, Json]] = []
    received: list[tuple[LoadedLine, Json]] = []
    for line, text in batch:
        try:
            stripe_json = _parsed(text)
        except UnusableStripeObject as error:
            _refuse(line, first_line(error))
            continue
        line.kind = sys.intern(stripe_json["object"])
        line.stripe_id = sys.intern(str(stripe_json.get("id") or ""))
        (received if line.kind == "event" else objects).append((line, stripe_json))
    _take_objects(objects, as_of)
    due = [(_take_event(line, event), line) for line, event in received]
    return [(event.happened_at, event.pk, line) for event, line in due if event is not None]


def _parsed(text: bytes | str) -> Json:
    try:
        stripe_json = read_json(text.encode() if isinstance(text, str) else text)
    except ValueError as error:
        raise UnusableStripeObject("line", f"invalid JSON: {error}") from error
    if not isinstance(stripe_json, dict) or not isinstance(stripe_json.get("object"), str):
        raise UnusableStripeObject("object", "is missing: every line must be a Stripe object")
    return stripe_json


def _take_event(line: LoadedLine, stripe_json: Json) -> StripeEvent | None:
    """Receive an event; return it if it is to be applied."""
    line.kind = sys.intern(str(stripe_json.get("type") or "event"))
    try:
        with transaction.atomic():
            event = events.receive(stripe_json)
    except (UnusableStripeObject, DatabaseError) as error:
        _refuse(line, first_line(error))
        return None
    if event is None:
        line.outcome = LoadOutcome.UNCHANGED
        return None
    line.stripe_id, line.customer_id = event.pk, event.customer_id
    line.referred = event.object_id if event.type.split(".")[0] in EXPANDABLE else ""
    if event.state == StripeEventState.IGNORED:
        line.outcome, line.reason = LoadOutcome.IGNORED, event.reason
        return None
    return event


def _take_objects(objects: list[tuple[LoadedLine, Json]], as_of: datetime) -> None:
    to_store: list[tuple[LoadedLine, Json]] = []
    for line, stripe_json in objects:
        line.reason = events.reason_of_other_mode(stripe_json) or why_object_ignored(line.kind)
        if line.reason:
            line.outcome = LoadOutcome.IGNORED
        else:
            to_store.append((line, stripe_json))
    outcomes = gateway.store_all([stripe_json for _, stripe_json in to_store], as_of=as_of)
    for (line, stripe_json), outcome in zip(to_store, outcomes, strict=True):
        if isinstance(outcome, Exception):
            _refuse(line, first_line(outcome))
        else:
            _note(line, stripe_json)
            if outcome == gateway.StoreOutcome.UNCHANGED:
                line.outcome = LoadOutcome.UNCHANGED
    customers.link_all(row for line, row in to_store if line.outcome in KEPT)


def _note(line: LoadedLine, stripe_json: Json) -> None:
    """Note what of a stored object the end of the load needs."""
    line.customer_id = sys.intern(customer_of(stripe_json))
    line.referred = line.stripe_id if line.kind in EXPANDABLE else ""
    line.version = _version(stripe_json)
    if line.kind in {"refund", "dispute"}:
        line.charge_id = gateway.charge_of(stripe_json)


def _apply(event_id: str, line: LoadedLine) -> None:
    state = applying.apply(event_id, now=gateway.moment(), read=False, follow=False)
    if state != StripeEventState.APPLIED:
        _refuse(line, StripeEvent.objects.values_list("reason", flat=True).get(pk=event_id))


def _refuse(line: LoadedLine, reason: str) -> None:
    line.outcome, line.reason = LoadOutcome.REFUSED, reason


def _mark_superseded(loaded: list[LoadedLine]) -> None:
    """Mark the lines of an object that lost to another version of it in the file."""
    stored = sorted((line for line in loaded if line.version), key=_object_of)
    groups = (list(lines) for _, lines in groupby(stored, key=_object_of))
    for several in _chunks(rows for rows in groups if len({row.version for row in rows}) > 1):
        kept = _kept_versions({_object_of(rows[0]) for rows in several})
        for line in chain.from_iterable(several):
            if line.version != kept.get(_object_of(line)):
                line.outcome, line.reason = LoadOutcome.IGNORED, "Superseded by another line."


def _kept_versions(objects: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the versions that are stored of objects, by kind and id."""
    return {
        (kind, object_id): _version(stripe_json)
        for kind in {kind for kind, _ in objects}
        for object_id, stripe_json in gateway.stored_of(
            kind, [object_id for own_kind, object_id in objects if own_kind == kind]
        ).items()
    }


def _object_of(line: LoadedLine) -> tuple[str, str]:
    return line.kind, line.stripe_id


def _version(stripe_json: Json) -> int:
    """Return a number that differs between versions of an object: it takes little memory."""
    return int(events.fingerprint_of(stripe_json)[:15], 16)


def _find_owners(loaded: list[LoadedLine]) -> None:
    """Give refunds and disputes the customers of their charges; hold those without a charge."""
    for lines in _chunks(line for line in loaded if line.charge_id and line.outcome in KEPT):
        charge_ids = {line.charge_id for line in lines}
        owners = gateway.owners_of_charges(charge_ids)
        charges = gateway.stored_of("charge", charge_ids)
        for line in lines:
            line.customer_id = line.customer_id or owners.get(line.charge_id, "")
            if not line.customer_id and line.charge_id not in charges:
                line.outcome = LoadOutcome.HELD
                line.reason = "Its charge is not stored, so it is not counted: load the charge."


def _follow(loaded: list[LoadedLine], progress: Progress) -> None:
    """Have the ledger follow once for all lines, and mark the lines that it holds."""
    customer_ids = {line.customer_id for line in loaded if line.customer_id}
    referred = {line.referred for line in loaded if line.referred}
    applying.follow_all(customer_ids, referred, lambda number: progress(LoadStep.FOLLOWING, number))
    held: dict[str, str] = {}
    for ids in _chunks(customer_ids):
        rows = HeldObject.objects.filter(customer_id__in=ids)
        held |= dict(rows.values_list("stripe_id", "reason"))
    for line in loaded:
        if line.outcome in KEPT and line.stripe_id in held:
            line.outcome, line.reason = LoadOutcome.HELD, held[line.stripe_id]


def _chunks(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(values)
    while chunk := list(islice(rest, _BATCH)):
        yield chunk
