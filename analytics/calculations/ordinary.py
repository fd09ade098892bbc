"""Read ordinary events many at a time: a fast path beside `wire`, with the same results.

An event is ordinary where its fields are as most SDKs send them and capture itself acts on nothing
in it. `wire` has the rules; an event that may break any of them is left to it.

Both readers agree: tests/analytics/calculations/test_ordinary.py compares them with generated
events (`test_events_read_together_equal_events_read_separately` and those after it).

It buys: reading bodies of 100 events takes 1.5 us an event instead of 4.4 us with `wire` alone
(CPU time, 20,000 events), and the events come as columns, so that no object is made for each.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.calculations.batch import EventBatch, pick
from analytics.calculations.event_times import MAX_CLOCK_AHEAD, microseconds
from analytics.calculations.records import (
    EARLIEST,
    IDENTITY_HASH,
    MAX_EVENT,
    MAX_NAME,
    OTHER_ID,
    Arrival,
    Proof,
)
from analytics.calculations.stored_json import (
    MAX_DEPTH,
    MAX_INTEGER,
    UNREADABLE,
    has_large_exponent,
    may_have_too_many_values,
)

# What capture acts on: names of events, and fields inside or outside of the properties. An escape
# could hide any of them.
_SPECIAL = [*OTHER_ID, "$groupidentify", "$set", "$unset"]
_SPECIAL += ["$process_person_profile", "$ignore_sent_at", IDENTITY_HASH]
_find_special = re.compile(
    # Searching for the dollar first and the quotation mark second is faster than for both.
    rb'\$(?<="\$)(?:%b)' % "|".join(name.removeprefix("$") for name in _SPECIAL).encode()
).search
_DASHES = (8, 13, 18, 23)  # in the usual notation of a UUID
_ZEROS = bytes.maketrans(b"123456789", bytes(9 * [ord("0")]))
# How times in UTC are usually written, by their length; a zero stands for any digit.
_NOTATIONS = {
    len(time + zone): (time, zone)
    for time in (
        b"0000-00-00T00:00:00",
        b"0000-00-00T00:00:00.000",
        b"0000-00-00T00:00:00.000000",
    )
    for zone in (b"Z", b"+00:00")
}
_MAX_AHEAD = MAX_CLOCK_AHEAD // timedelta(microseconds=1)
_first, _zone = itemgetter(0), attrgetter("tzinfo")

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]


class OrdinaryEvent(msgspec.Struct, gc=False):
    """An event as most SDKs send it; its other fields are ignored."""

    event: _Name
    uuid: Annotated[str, msgspec.Meta(min_length=36, max_length=36)]
    distinct_id: _Name
    timestamp: str
    properties: msgspec.Raw
    options: None = None  # v1, as are the next two
    session_id: None = None
    window_id: None = None


_decode = msgspec.json.Decoder(list[OrdinaryEvent]).decode


def may_be_ordinary(raw: bytes) -> bool:
    """Whether an event, or a body of many, holds nothing that capture itself acts on."""
    return _find_special(raw) is None and not (b"\\" in raw and b"\\u" in raw)


def ordinary_indices(raws: Sequence[bytes]) -> list[int]:
    """Return the indices of the events that look ordinary, where not all of them do."""
    return [
        index
        for index, raw in enumerate(raws)
        if len(raw) <= MAX_EVENT
        and may_be_ordinary(raw)
        and _brackets(raw) <= MAX_DEPTH
        and not may_have_too_many_values(raw)
    ]


def read_ordinary(raws: Sequence[bytes], arrival: Arrival) -> EventBatch | None:
    """Return events that look ordinary; None where one of them turns out not to be."""
    try:
        (batch,) = ordinary_batches([_decode(b"[%b]" % b",".join(raws))], [arrival])
    except UNREADABLE:
        return None
    return batch


def unchanged(raws: Sequence[bytes], arrival: Arrival) -> set[int]:
    """Return the indices of events that are certain to be stored as they are."""
    together = ordinary_indices(raws)
    is_read = together and read_ordinary([raws[index] for index in together], arrival) is not None
    return set(together) if is_read else set()


def ordinary_batches(
    bodies: Sequence[Sequence[OrdinaryEvent]], arrivals: Sequence[Arrival]
) -> list[EventBatch | None]:
    """Return each body's events, decoded from JSON; None where one of them is not ordinary."""
    if not bodies:
        return []
    together = _as_batch(list(chain.from_iterable(bodies)))
    if together is not None:
        return _in_time(together, list(map(len, bodies)), arrivals)
    if len(bodies) == 1:
        return [None]
    pairs = zip(bodies, arrivals, strict=True)
    return [batch for body, arrival in pairs for batch in ordinary_batches([body], [arrival])]


def _as_batch(events: Sequence[OrdinaryEvent]) -> EventBatch | None:
    """Return events at the times their senders gave; None where one is not ordinary."""
    names = [event.event for event in events]
    distinct_ids = [event.distinct_id for event in events]
    properties = [bytes(event.properties) for event in events]
    try:
        if (
            not _are_storable(properties)
            or list(map(str.strip, names)) != names
            or list(map(str.strip, distinct_ids)) != distinct_ids
        ):
            return None
        uuids = _uuids([event.uuid for event in events])
        times = _times([event.timestamp for event in events])
        proved = np.zeros(len(names), np.bool_)
        return EventBatch(names, distinct_ids, uuids, times, properties, proved)
    except (UnicodeError, ValueError, OverflowError):
        return None


def _in_time(
    together: EventBatch, sizes: Sequence[int], arrivals: Sequence[Arrival]
) -> list[EventBatch | None]:
    """Return the batches of these sizes, with times corrected to our clock.

    None for a batch with an event that is too old or too far ahead.
    """
    received_at = np.array([microseconds(arrival.received_at) for arrival in arrivals])
    sent_at = np.array(
        [microseconds(arrival.sent_at or arrival.received_at) for arrival in arrivals]
    )
    earliest = np.array([microseconds(max(EARLIEST, arrival.oldest)) for arrival in arrivals])
    times = together.times + np.repeat(received_at - sent_at, sizes)
    proved = [arrival.source.proof >= Proof.PROVED for arrival in arrivals]
    together = replace(together, times=times, proved=np.repeat(np.array(proved, np.bool_), sizes))
    ends = np.cumsum(np.array(sizes, np.int64))
    starts = np.append(0, ends[:-1])
    is_in_time = np.minimum.reduceat(times, starts) >= earliest
    is_in_time &= np.maximum.reduceat(times, starts) <= received_at + _MAX_AHEAD
    ranges = zip(is_in_time.tolist(), starts.tolist(), ends.tolist(), strict=True)
    return [together[start:end] if fits else None for fits, start, end in ranges]


def _are_storable(properties: Sequence[bytes]) -> bool:
    """Whether all are objects that every later reader can take."""
    joined = b" ".join(properties)
    if not joined.isascii():
        joined.decode()
    return (
        set(map(_first, properties)) == {ord("{")}
        and max(map(len, properties)) <= MAX_INTEGER
        and not has_large_exponent(joined)
        and (
            _brackets(joined) < len(properties) + MAX_DEPTH
            or all(_brackets(raw) <= MAX_DEPTH for raw in properties)
        )
    )


def _brackets(properties: bytes) -> int:
    return properties.count(b"{") + properties.count(b"[")


def _times(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return Unix times in microseconds; raise ValueError where a text is not a time with zone."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    times = np.empty(len(texts), np.int64)
    for length in set(lengths.tolist()):
        indices = np.flatnonzero(lengths == length)
        same_length = pick(texts, indices.tolist())
        parsed = _times_in_utc(*_NOTATIONS[length], same_length) if length in _NOTATIONS else None
        times[indices] = _times_in_any_zone(same_length) if parsed is None else parsed
    return times


def _times_in_utc(time: bytes, zone: bytes, texts: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the times in texts of this length; None where one is in another notation."""
    joined = "".join(texts).encode("ascii")
    if joined.translate(_ZEROS) != len(texts) * (time + zone):
        return None
    fields = np.dtype([("time", f"S{len(time)}"), ("zone", f"S{len(zone)}")])
    parts = np.frombuffer(joined, fields)
    if (parts["zone"] != zone).any():
        return None
    return parts["time"].astype("datetime64[us]").astype(np.int64)


def _times_in_any_zone(texts: Sequence[str]) -> list[int]:
    times = list(map(datetime.fromisoformat, texts))
    if not all(map(_zone, times)):
        raise ValueError
    return list(map(microseconds, times))


def _uuids(texts: Sequence[str]) -> NDArray[np.void]:
    """Return uuids; raise ValueError where one has an unusual notation."""
    joined = "".join(texts)
    if any(joined[dash::36].count("-") != len(texts) for dash in _DASHES):
        raise ValueError
    uuids = bytes.fromhex(joined.replace("-", ""))
    if len(uuids) != 16 * len(texts):
        raise ValueError
    return np.frombuffer(uuids, "V16")
