"""Read the events of a request: the ordinary ones together, the others one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby

import msgspec
import numpy as np

from analytics.calculations import ordinary
from analytics.calculations.batch import Batch
from analytics.calculations.body import MAX_EVENTS, TooLarge, decompressed, opened, sent_at_of
from analytics.calculations.wire import (
    MAX_EVENT,
    UNREADABLE,
    Arrival,
    EventRecord,
    Refused,
    Rejection,
    decode_event,
    event_record,
)

_BYTES_TOGETHER = 64 * 1024  # as they come: what becomes of them fits into a processor's cache


@dataclass(slots=True)
class Parsed:
    """What one body holds. A bad event never costs the good ones beside it."""

    arrival: Arrival
    events: Batch = field(default_factory=lambda: Batch.of([]))
    rejections: list[Rejection] = field(default_factory=list)


Unreadable = Refused | TooLarge  # why a body holds nothing


class _OrdinaryBody(msgspec.Struct):
    batch: list[ordinary.OrdinaryEvent]
    sent_at: str | None = None


_decode_body = msgspec.json.Decoder(_OrdinaryBody).decode


def parse_bodies(
    bodies: Sequence[bytes], arrivals: Sequence[Arrival]
) -> Iterator[Parsed | Unreadable]:
    """Yield what bodies hold, which may be compressed, or why one of them is not readable."""
    sizes = accumulate(map(len, bodies))
    rows = zip(sizes, bodies, arrivals, strict=True)
    for _, some in groupby(rows, lambda row: row[0] // _BYTES_TOGETHER):
        _, *columns = zip(*some, strict=True)
        yield from _parsed_together(*columns)


def _parsed_together(
    bodies: Sequence[bytes], arrivals: Sequence[Arrival]
) -> Iterator[Parsed | Unreadable]:
    """Read at one go those of which all events are ordinary."""
    decoded: dict[int, Sequence[ordinary.OrdinaryEvent]] = {}
    sent = list(arrivals)
    for place, (body, arrival) in enumerate(zip(bodies, arrivals, strict=True)):
        if found := _ordinary_body(body, arrival):
            decoded[place] = found.batch
            sent[place] = arrival.sent(sent_at_of(found.sent_at))
    batches = ordinary.batches_of(list(decoded.values()), [sent[place] for place in decoded])
    events = dict(zip(decoded, batches, strict=True))
    for place, (body, arrival) in enumerate(zip(bodies, arrivals, strict=True)):
        batch = events.get(place)
        yield _parsed_alone(body, arrival) if batch is None else Parsed(sent[place], batch)


def _ordinary_body(body: bytes, arrival: Arrival) -> _OrdinaryBody | None:
    """Decode a body whose events look ordinary, all of them."""
    if arrival.sdk:
        return None
    try:
        plain = decompressed(body)
        if len(plain) > MAX_EVENT or not ordinary.may_be_ordinary(plain):
            return None
        found = _decode_body(plain)
    except (Refused, TooLarge, *UNREADABLE):
        return None
    return found if 0 < len(found.batch) <= MAX_EVENTS else None


def _parsed_alone(body: bytes, arrival: Arrival) -> Parsed | Unreadable:
    try:
        envelope = opened(decompressed(body))
    except (Refused, TooLarge) as error:
        return error
    return parse(envelope.events, arrival.sent(envelope.sent_at))


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
