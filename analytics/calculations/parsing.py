"""Read the events of stored requests: ordinary ones together, all others one by one.

Each request takes these steps:

1. `_ordinary_body` decodes a body whose events all look ordinary; `ordinary` reads many such bodies
   together.
2. Any other body is opened (`body.open_body`), and `parse` reads its events: those that look
   ordinary together, each of the others with `wire.read_event`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby

import msgspec
import numpy as np

from analytics.calculations import ordinary
from analytics.calculations.batch import EventBatch
from analytics.calculations.body import open_body, parse_sent_at
from analytics.calculations.compression import decompress
from analytics.calculations.people.profile_changes import marking_history
from analytics.calculations.records import (
    MAX_EVENT,
    MAX_EVENTS,
    Arrival,
    EventRecord,
    InvalidEvent,
    Rejection,
    TooLarge,
)
from analytics.calculations.stored_json import UNREADABLE, may_have_too_many_values
from analytics.calculations.wire import read_event

_BYTES_TOGETHER = 64 * 1024  # as received: the columns read from them fit a processor's cache


@dataclass(slots=True)
class ParsedRequest:
    """The events of a request's body. A bad event never costs the good ones next to it."""

    arrival: Arrival
    events: EventBatch = field(default_factory=lambda: EventBatch.from_records([]))
    rejections: list[Rejection] = field(default_factory=list)
    without_time: list[bytes] = field(default_factory=list)  # uuids; their own was unusable


Unreadable = InvalidEvent | TooLarge  # why a body has no events


class _OrdinaryBody(msgspec.Struct):
    batch: list[ordinary.OrdinaryEvent]
    sent_at: str | None = None


_decode_body = msgspec.json.Decoder(_OrdinaryBody).decode


def parse_bodies(
    bodies: Sequence[bytes], arrivals: Sequence[Arrival]
) -> Iterator[ParsedRequest | Unreadable]:
    """Yield the events of each body, which may be compressed, or why it is unreadable."""
    sizes = accumulate(map(len, bodies))
    rows = zip(sizes, bodies, arrivals, strict=True)
    for _, group in groupby(rows, lambda row: row[0] // _BYTES_TOGETHER):
        _, *columns = zip(*group, strict=True)
        yield from _parse_together(*columns)


def _parse_together(
    bodies: Sequence[bytes], arrivals: Sequence[Arrival]
) -> Iterator[ParsedRequest | Unreadable]:
    """Read in one pass the bodies whose events are all ordinary."""
    decoded: dict[int, Sequence[ordinary.OrdinaryEvent]] = {}
    sent = list(arrivals)
    for index, (body, arrival) in enumerate(zip(bodies, arrivals, strict=True)):
        if ordinary_body := _ordinary_body(body, arrival):
            decoded[index] = ordinary_body.batch
            sent[index] = arrival.with_sent_at(parse_sent_at(ordinary_body.sent_at))
    batches = ordinary.ordinary_batches(list(decoded.values()), [sent[index] for index in decoded])
    events = dict(zip(decoded, batches, strict=True))
    for index, (body, arrival) in enumerate(zip(bodies, arrivals, strict=True)):
        batch = events.get(index)
        yield _parse_alone(body, arrival) if batch is None else ParsedRequest(sent[index], batch)


def _ordinary_body(body: bytes, arrival: Arrival) -> _OrdinaryBody | None:
    """Decode a body whose events all look ordinary."""
    if arrival.sdk:
        return None
    try:
        plain = decompress(body)
        if len(plain) > MAX_EVENT or may_have_too_many_values(plain):
            return None
        if not ordinary.may_be_ordinary(plain):
            return None
        decoded = _decode_body(plain)
    except (InvalidEvent, TooLarge, *UNREADABLE):
        return None
    return decoded if 0 < len(decoded.batch) <= MAX_EVENTS else None


def _parse_alone(body: bytes, arrival: Arrival) -> ParsedRequest | Unreadable:
    try:
        envelope = open_body(body)
    except (InvalidEvent, TooLarge) as error:
        return error
    sent = arrival.with_sent_at(envelope.sent_at).of_history(is_history=envelope.is_history)
    return parse(envelope.events, sent)


def parse(events: Sequence[msgspec.Raw | bytes], arrival: Arrival) -> ParsedRequest:
    """Return the events that can be stored, in order, and the rejections."""
    parsed = ParsedRequest(arrival)
    raws = [bytes(raw) for raw in events]
    together = [] if arrival.sdk else ordinary.ordinary_indices(raws)
    batch = (
        ordinary.read_ordinary([raws[index] for index in together], arrival) if together else None
    )
    if batch is None:
        together, batch = [], parsed.events
    alone: dict[int, EventRecord] = {}
    for position in sorted(set(range(len(raws))).difference(together)):
        raw = raws[position]
        try:
            alone[position] = read_event(raw, arrival, position=position)
        except InvalidEvent as error:
            parsed.rejections.append(error.rejection(raw, position))
    order = np.argsort(np.array([*together, *alone], np.int64))
    parsed.without_time = [event.uuid for event in alone.values() if event.ignores_timestamp]
    records = EventBatch.from_records(list(marking_history(alone.values())))
    parsed.events = EventBatch.concatenate([batch, records]).take(order)
    return parsed
