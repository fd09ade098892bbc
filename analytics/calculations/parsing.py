"""Read the events of a request: the ordinary ones together, the others one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from . import ordinary
from .batch import Batch
from .body import MAX_EVENTS, opened, sent_at_of
from .wire import (
    MAX_EVENT,
    UNREADABLE,
    Arrival,
    EventRecord,
    Refused,
    Rejection,
    decode_event,
    event_record,
)


@dataclass(slots=True)
class Parsed:
    """What one body holds. A bad event never costs the good ones beside it."""

    arrival: Arrival
    events: Batch = field(default_factory=lambda: Batch.of([]))
    rejections: list[Rejection] = field(default_factory=list)


class _OrdinaryBody(msgspec.Struct):
    batch: list[ordinary.OrdinaryEvent]
    sent_at: str | None = None


_decode_body = msgspec.json.Decoder(_OrdinaryBody).decode


def parse_body(plain: bytes, arrival: Arrival) -> Parsed:
    """Return what a decompressed body holds. Raise what `body.opened` does."""
    parsed = _ordinary_body(plain, arrival)
    if parsed is None:
        envelope = opened(plain)
        parsed = parse(envelope.events, arrival.sent(envelope.sent_at))
    return parsed


def _ordinary_body(plain: bytes, arrival: Arrival) -> Parsed | None:
    """Read a body at one go, where all its events are ordinary."""
    if arrival.sdk or len(plain) > MAX_EVENT or not ordinary.may_be_ordinary(plain):
        return None
    try:
        body = _decode_body(plain)
    except UNREADABLE:
        return None
    if not 0 < len(body.batch) <= MAX_EVENTS:
        return None
    arrival = arrival.sent(sent_at_of(body.sent_at))
    events = ordinary.batch_of(body.batch, arrival)
    return None if events is None else Parsed(arrival, events)


def parse(events: Sequence[msgspec.Raw | bytes], arrival: Arrival) -> Parsed:
    """Return the events that can be stored, in the order given, and the rejections."""
    parsed = Parsed(arrival)
    raws = [bytes(raw) for raw in events]
    together = [] if arrival.sdk else ordinary.ordinary_places(raws)
    read = ordinary.read([raws[place] for place in together], arrival) if together else None
    if read is None:
        together, read = [], parsed.events
    alone: dict[int, EventRecord] = {}
    for position in sorted(set(range(len(raws))).difference(together)):
        raw = raws[position]
        try:
            alone[position] = event_record(decode_event(raw), raw, arrival, position=position)
        except Refused as error:
            parsed.rejections.append(error.rejection(raw, position))
    order = np.argsort(np.array([*together, *alone], np.int64))
    parsed.events = Batch.joined([read, Batch.of(list(alone.values()))]).taken(order)
    return parsed
