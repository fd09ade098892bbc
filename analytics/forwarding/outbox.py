"""Events waiting to be forwarded to PostHog, written with the events in the order of commits."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import zstandard
from django.conf import settings
from django.db.models import Max, Min, Sum

from analytics.calculations.records import EventRecord
from analytics.models import ForwardingBatch, ForwardingState

# Limits of one request to PostHog, which refuses more than 20 MB.
MAX_EVENTS = 1_000
MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Backlog:
    """The number of waiting events, and the time from which the oldest has waited."""

    events: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class OutboxBatch:
    """The oldest waiting events, each a JSON object, and the ids of their rows."""

    ids: Sequence[int]
    events: Sequence[bytes]


def add(records: Iterable[EventRecord]) -> None:
    """Queue newly stored events that are to be forwarded.

    Needs the roll-up lock, which keeps the ids in the order of the commits.
    """
    if settings.PLUMBLINE_FORWARDING:
        put(record.json for record in records if _is_wanted(record.event))


def put(events: Iterable[bytes]) -> None:
    """Queue events, each a JSON object."""
    ForwardingBatch.objects.bulk_create(
        ForwardingBatch(
            events=len(batch),
            size=sum(map(len, batch)),
            # During a long outage the disk lasts about eight times as long.
            body=zstandard.compress(b"[" + b",".join(batch) + b"]"),
        )
        for batch in _batches(events)
    )


def backlog() -> Backlog:
    totals = ForwardingBatch.objects.aggregate(events=Sum("events"), since=Min("created_at"))
    return Backlog(totals["events"] or 0, totals["since"])


def state() -> ForwardingState:
    """Return the state of forwarding."""
    return ForwardingState.objects.first() or ForwardingState(pk=1)


def last_id() -> int:
    """Return the id of the newest waiting batch, or 0."""
    newest: int | None = ForwardingBatch.objects.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def oldest(*, up_to: int) -> OutboxBatch | None:
    """Return the oldest events up to a batch's id, at most as many as one request holds."""
    ids: list[int] = []
    events = size = 0
    waiting = ForwardingBatch.objects.filter(pk__lte=up_to).order_by("pk")
    for batch_id, its_events, its_size in waiting.values_list("pk", "events", "size")[:MAX_EVENTS]:
        events, size = events + its_events, size + its_size
        if ids and (events > MAX_EVENTS or size > MAX_BYTES):
            break
        ids.append(batch_id)
    rows = ForwardingBatch.objects.filter(pk__in=ids).order_by("pk")
    return (
        OutboxBatch(ids, [event for row in rows for event in _unpacked(row.body)]) if ids else None
    )


def remove(batch: OutboxBatch) -> None:
    ForwardingBatch.objects.filter(pk__in=batch.ids).delete()


def discard() -> int:
    """Delete all waiting events, and return the number of events that will never be forwarded."""
    newest = last_id()
    waiting = ForwardingBatch.objects.filter(pk__lte=newest)
    events = waiting.aggregate(events=Sum("events"))["events"] or 0
    waiting.delete()
    return int(events)


def _is_wanted(event: str) -> bool:
    allowed = settings.PLUMBLINE_FORWARD_EVENTS
    return (not allowed or event in allowed) and (
        event not in settings.PLUMBLINE_FORWARD_EVENTS_EXCEPT
    )


def _batches(events: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for event in events:
        if batch and (len(batch) == MAX_EVENTS or size + len(event) > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += len(event)
    if batch:
        yield batch


def _unpacked(body: bytes | memoryview) -> list[bytes]:
    events = msgspec.json.decode(zstandard.decompress(bytes(body)), type=list[msgspec.Raw])
    return [bytes(event) for event in events]
