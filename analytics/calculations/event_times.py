"""When an event happened, by our clock."""

import re
import reprlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from analytics.calculations.records import EARLIEST, Arrival, InvalidEvent, Reason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_CLOCK_AHEAD = timedelta(hours=23)

# Unix times that are larger cannot be in seconds, milliseconds, microseconds.
_LARGEST_BY_UNIT = ((10**11, 1), (10**14, 1_000), (10**17, 1_000_000))
_NANOSECONDS = 1_000_000_000
_LONGEST = 100  # characters of a time
_is_unix_time = re.compile(r"\d{9,19}(?:\.\d*)?").fullmatch  # 8 digits are a date

# What is usual beside ISO 8601: a zone by name or after a blank, and the end of a day.
_FRACTION_WITHOUT_POINT = re.compile(r"(?<=\d\d:\d\d:\d\d)(?=\d)")  # posthog-php's microtime
_UTC = re.compile(r"\s*(?:UTC|GMT)$")
_BLANK_BEFORE_OFFSET = re.compile(r"\s+(?=[+-]\d\d:?\d\d$)")
_is_end_of_day = re.compile(
    r"(?P<day>.{8,10}[T ])24(?P<zeros>(?::?00){1,2}(?:[.,]0+)?\D?.*)"
).fullmatch


class EventTime(NamedTuple):
    """When an event happened. Of its own time nothing was usable where it `is_arrival`."""

    at: datetime
    is_arrival: bool = False


def parse_time(value: Any, name: str) -> datetime:
    """Return an aware UTC datetime from ISO 8601, an e-mail's date, or a Unix time.

    By its size a Unix time, which may be digits in a text, is in seconds, milliseconds,
    microseconds or nanoseconds.
    """
    try:
        value = _not_too_long(value)
        if isinstance(value, str) and _is_unix_time(value.strip()):
            value = float(value)
        if isinstance(value, str):
            parsed = _parse_text(value.strip().upper())
            if parsed.tzinfo is UTC:
                return parsed
            return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        return _from_unix_time(value)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        detail = f"{name}: {reprlib.repr(value)} is not a valid ISO 8601 time"
        raise InvalidEvent(Reason.BAD_TIMESTAMP, detail) from error


def _from_unix_time(value: Any) -> datetime:
    if isinstance(value, bool):
        raise TypeError
    units = (unit for largest, unit in _LARGEST_BY_UNIT if value <= largest)
    return datetime.fromtimestamp(value / next(units, _NANOSECONDS), UTC)


def _not_too_long(value: Any) -> Any:
    """Return the value unless it is a long text: it cannot be a time, and takes long to read."""
    if isinstance(value, str) and len(value) > _LONGEST:
        raise ValueError
    return value


def _parse_text(text: str) -> datetime:
    if text[3:5] == ", ":  # "Thu, 01 Oct 2026 10:00:00 GMT"
        return parsedate_to_datetime(text)
    text = _BLANK_BEFORE_OFFSET.sub("", _UTC.sub("Z", text))
    text = _FRACTION_WITHOUT_POINT.sub(".", text, count=1)
    if end := _is_end_of_day(text):
        return datetime.fromisoformat(f"{end['day']}00{end['zeros']}") + timedelta(days=1)
    return datetime.fromisoformat(text)


def microseconds(time: datetime) -> int:
    """Return a time as Unix time in microseconds."""
    return (time - EPOCH) // timedelta(microseconds=1)


def event_time(
    timestamp: Any, offset: Any, arrival: Arrival | None, *, ignore_sent_at: bool = False
) -> EventTime:
    """Return when an event happened.

    An event that arrived happened at its arrival where its time is unreadable or too far ahead; an
    imported one needs a time. Raise `InvalidEvent` where the time is before `EARLIEST` or before
    the retention period. `offset` is in milliseconds before the request was sent.
    """
    if arrival is None:
        if timestamp is None:
            raise InvalidEvent(Reason.MISSING_FIELD, "timestamp: missing")
        return EventTime(_not_too_early(parse_time(timestamp, "timestamp")))
    try:
        happened_at = _by_our_clock(timestamp, offset, arrival, ignore_sent_at=ignore_sent_at)
    except InvalidEvent:
        return EventTime(arrival.received_at, is_arrival=True)
    if happened_at > arrival.received_at + MAX_CLOCK_AHEAD:
        return EventTime(arrival.received_at, is_arrival=True)
    if _not_too_early(happened_at) < arrival.oldest:
        raise InvalidEvent(
            Reason.TOO_OLD, f"timestamp: before {arrival.oldest.date()}, which is too old"
        )
    return EventTime(happened_at)


def _not_too_early(happened_at: datetime) -> datetime:
    if happened_at < EARLIEST:
        raise InvalidEvent(Reason.BAD_TIMESTAMP, f"timestamp: before {EARLIEST.year}")
    return happened_at


def _by_our_clock(
    timestamp: Any, offset: Any, arrival: Arrival, *, ignore_sent_at: bool
) -> datetime:
    try:
        if timestamp is None:
            return arrival.received_at - timedelta(milliseconds=float(_not_too_long(offset) or 0))
        happened_at = parse_time(timestamp, "timestamp")
        if arrival.sent_at and not ignore_sent_at:
            happened_at += arrival.received_at - arrival.sent_at
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidEvent(Reason.BAD_TIMESTAMP, "timestamp: out of range") from error
    return happened_at
