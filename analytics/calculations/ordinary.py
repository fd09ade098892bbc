"""Read ordinary events many at a time, at a fraction of what reading them one by one costs.

An event is ordinary where its fields are as most SDKs send them and nothing in it means anything to
capture itself. `wire` has the rules; what is not certain to fulfil them all is left to it.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from .batch import Batch, microseconds
from .wire import (
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
    rb'"\$(?:%b)' % "|".join(meaning.removeprefix("$") for meaning in _MEANINGS).encode()
).search
_DASHES = (8, 13, 18, 23)  # in the usual notation of a UUID
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
        return batch_of(_decode(b"[%b]" % b",".join(raws)), arrival)
    except UNREADABLE:
        return None


def batch_of(events: Sequence[OrdinaryEvent], arrival: Arrival) -> Batch | None:
    """Return events that were decoded from JSON; None where one of them is not ordinary."""
    columns = zip(*map(msgspec.structs.astuple, events), strict=True)
    names, uuids, distinct_ids, timestamps, raws, *_ = columns
    properties = list(map(bytes, raws))
    try:
        if (
            not _are_tame(properties)
            or tuple(map(str.strip, names)) != names
            or tuple(map(str.strip, distinct_ids)) != distinct_ids
        ):
            return None
        times = _times(timestamps)
        if arrival.sent_at:
            times += microseconds(arrival.received_at) - microseconds(arrival.sent_at)
        if times.min() < microseconds(max(EARLIEST, arrival.oldest)) or times.max() > microseconds(
            arrival.received_at + MAX_CLOCK_AHEAD
        ):
            return None
        return Batch(names, distinct_ids, _uuids(uuids), times, properties)
    except (UnicodeError, ValueError, OverflowError):
        return None


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
    moments = list(map(datetime.fromisoformat, texts))
    if not all(map(_zone, moments)):
        raise ValueError
    return np.rint(np.array(list(map(datetime.timestamp, moments))) * 1e6).astype(np.int64)


def _uuids(texts: Sequence[str]) -> NDArray[np.void]:
    """Return uuids; raise ValueError where one is written unusually."""
    text = "".join(texts)
    if any(text[place::36].count("-") != len(texts) for place in _DASHES):
        raise ValueError
    uuids = bytes.fromhex(text.replace("-", ""))
    if len(uuids) != 16 * len(texts):
        raise ValueError
    return np.frombuffer(uuids, "V16")
