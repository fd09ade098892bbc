"""Read ordinary events many at a time, at a fraction of what reading them one by one costs.

An event is ordinary where its fields are as most SDKs send them and nothing in it means anything to
capture itself. `wire` has the rules; what is not certain to fulfil them all is left to it.
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

from analytics.calculations.batch import Batch, microseconds, picked
from analytics.calculations.wire import (
    EARLIEST,
    MAX_CLOCK_AHEAD,
    MAX_DEPTH,
    MAX_EVENT,
    MAX_INTEGER,
    MAX_NAME,
    OTHER_ID,
    UNREADABLE,
    Arrival,
    has_large_exponent,
)

# What capture understands: names of events, and fields in properties or beside them. An escape
# could hide any of it.
_MEANINGS = [*OTHER_ID, "$groupidentify", "$set", "$unset"]
_MEANINGS += ["$process_person_profile", "$ignore_sent_at"]
_MEANS_SOMETHING = re.compile(
    # Looking for the dollar first and for the quotation mark then is faster than for both.
    rb'\$(?<="\$)(?:%b)' % "|".join(meaning.removeprefix("$") for meaning in _MEANINGS).encode()
).search
_DASHES = (8, 13, 18, 23)  # in the usual notation of a UUID
_ZEROS = bytes.maketrans(b"123456789", bytes(9 * [ord("0")]))
# How moments in UTC are usually written, by the length; a zero stands for any digit.
_NOTATIONS = {
    len(moment + zone): (moment, zone)
    for moment in (
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
    """An event as most SDKs send it; what else it holds is not looked at."""

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
    """Whether nothing in an event, or in many, can mean anything to capture itself."""
    return _MEANS_SOMETHING(raw) is None and not (b"\\" in raw and b"\\u" in raw)


def ordinary_places(raws: Sequence[bytes]) -> list[int]:
    """Return which of some events look ordinary, where not all of them do."""
    return [
        place
        for place, raw in enumerate(raws)
        if len(raw) <= MAX_EVENT and may_be_ordinary(raw) and _brackets(raw) <= MAX_DEPTH
    ]


def read(raws: Sequence[bytes], arrival: Arrival) -> Batch | None:
    """Return events that look ordinary; None where one of them is not, after all."""
    try:
        (batch,) = batches_of([_decode(b"[%b]" % b",".join(raws))], [arrival])
    except UNREADABLE:
        return None
    return batch


def batches_of(
    bodies: Sequence[Sequence[OrdinaryEvent]], arrivals: Sequence[Arrival]
) -> list[Batch | None]:
    """Return each body's events, decoded from JSON; None where one of them is not ordinary."""
    if not bodies:
        return []
    together = _batch_of(list(chain.from_iterable(bodies)))
    if together is not None:
        return _in_time(together, list(map(len, bodies)), arrivals)
    if len(bodies) == 1:
        return [None]
    alone = zip(bodies, arrivals, strict=True)
    return [batch for body, arrival in alone for batch in batches_of([body], [arrival])]


def _batch_of(events: Sequence[OrdinaryEvent]) -> Batch | None:
    """Return events at the times that their senders say; None where one is not ordinary."""
    names = [one.event for one in events]
    distinct_ids = [one.distinct_id for one in events]
    properties = [bytes(one.properties) for one in events]
    try:
        if (
            not _are_tame(properties)
            or list(map(str.strip, names)) != names
            or list(map(str.strip, distinct_ids)) != distinct_ids
        ):
            return None
        uuids = _uuids([one.uuid for one in events])
        times = _times([one.timestamp for one in events])
        return Batch(names, distinct_ids, uuids, times, properties)
    except (UnicodeError, ValueError, OverflowError):
        return None


def _in_time(
    together: Batch, sizes: Sequence[int], arrivals: Sequence[Arrival]
) -> list[Batch | None]:
    """Return the batches of these sizes at the times that our clock says.

    None for one that holds what came too early or too late.
    """
    received_at = np.array([microseconds(one.received_at) for one in arrivals])
    sent_at = np.array([microseconds(one.sent_at or one.received_at) for one in arrivals])
    earliest = np.array([microseconds(max(EARLIEST, one.oldest)) for one in arrivals])
    times = together.times + np.repeat(received_at - sent_at, sizes)
    together = replace(together, times=times)
    ends = np.cumsum(np.array(sizes, np.int64))
    starts = np.append(0, ends[:-1])
    is_in_time = np.minimum.reduceat(times, starts) >= earliest
    is_in_time &= np.maximum.reduceat(times, starts) <= received_at + _MAX_AHEAD
    places = zip(is_in_time.tolist(), starts.tolist(), ends.tolist(), strict=True)
    return [together[start:end] if fits else None for fits, start, end in places]


def _are_tame(properties: Sequence[bytes]) -> bool:
    """Whether all are objects that hold nothing that is more than a later reader can take."""
    all_ = b" ".join(properties)
    if not all_.isascii():
        all_.decode()
    return (
        set(map(_first, properties)) == {ord("{")}
        and max(map(len, properties)) <= MAX_INTEGER
        and not has_large_exponent(all_)
        and (
            _brackets(all_) < len(properties) + MAX_DEPTH
            or all(_brackets(one) <= MAX_DEPTH for one in properties)
        )
    )


def _brackets(properties: bytes) -> int:
    return properties.count(b"{") + properties.count(b"[")


def _times(texts: Sequence[str]) -> NDArray[np.int64]:
    """Return Unix times in microseconds; raise ValueError where a text is none with a zone."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    times = np.empty(len(texts), np.int64)
    for length in set(lengths.tolist()):
        places = np.flatnonzero(lengths == length)
        some = picked(texts, places.tolist())
        found = _times_in_utc(*_NOTATIONS[length], some) if length in _NOTATIONS else None
        times[places] = _times_of_any(some) if found is None else found
    return times


def _times_in_utc(moment: bytes, zone: bytes, texts: Sequence[str]) -> NDArray[np.int64] | None:
    """Return the times that texts of this length say; None where one is written otherwise."""
    written = "".join(texts).encode("ascii")
    if written.translate(_ZEROS) != len(texts) * (moment + zone):
        return None
    parts = np.dtype([("moment", f"S{len(moment)}"), ("zone", f"S{len(zone)}")])
    found = np.frombuffer(written, parts)
    if (found["zone"] != zone).any():
        return None
    return found["moment"].astype("datetime64[us]").astype(np.int64)


def _times_of_any(texts: Sequence[str]) -> list[int]:
    moments = list(map(datetime.fromisoformat, texts))
    if not all(map(_zone, moments)):
        raise ValueError
    return list(map(microseconds, moments))


def _uuids(texts: Sequence[str]) -> NDArray[np.void]:
    """Return uuids; raise ValueError where one is written unusually."""
    text = "".join(texts)
    if any(text[place::36].count("-") != len(texts) for place in _DASHES):
        raise ValueError
    uuids = bytes.fromhex(text.replace("-", ""))
    if len(uuids) != 16 * len(texts):
        raise ValueError
    return np.frombuffer(uuids, "V16")
