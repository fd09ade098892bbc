"""When an event happened, by our clock."""

import re
import reprlib
from datetime import UTC, datetime, timedelta
from typing import Any

from analytics.calculations.records import EARLIEST, Arrival, InvalidEvent, Reason

MAX_CLOCK_AHEAD = timedelta(hours=23)

# Unix times that are larger cannot be in seconds, milliseconds, microseconds.
_LARGEST_BY_UNIT = ((10**11, 1), (10**14, 1_000), (10**17, 1_000_000))
_NANOSECONDS = 1_000_000_000
_is_unix_time = re.compile(r"\d{9,19}(?:\.\d*)?").fullmatch  # 8 digits are a date


def parse_time(value: Any, name: str) -> datetime:
    """Return an aware UTC datetime from ISO 8601 or a Unix time, which may be digits in a text.

    By its size a Unix time is in seconds, milliseconds, microseconds or nanoseconds.
    """
    try:
        if isinstance(value, str) and _is_unix_time(value.strip()):
            value = float(value)
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value.strip())
            if parsed.tzinfo is UTC:
                return parsed
            return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        units = (unit for largest, unit in _LARGEST_BY_UNIT if value <= largest)
        return datetime.fromtimestamp(value / next(units, _NANOSECONDS), UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        detail = f"{name}: {reprlib.repr(value)} is not a valid ISO 8601 time"
        raise InvalidEvent(Reason.BAD_TIMESTAMP, detail) from error


def event_time(
    timestamp: str | float | None,
    offset: float | None,
    arrival: Arrival | None,
    *,
    ignore_sent_at: bool = False,
) -> datetime:
    """Return when an event happened; one too far ahead happened when it arrived.

    Raise `InvalidEvent` where the time is missing, unreadable, before `EARLIEST` or before the
    retention period. `offset` is in milliseconds before the request was sent.
    """
    happened_at = _claimed_time(timestamp, offset, arrival, ignore_sent_at=ignore_sent_at)
    if arrival and happened_at > arrival.received_at + MAX_CLOCK_AHEAD:
        return arrival.received_at
    if happened_at < EARLIEST:
        raise InvalidEvent(Reason.BAD_TIMESTAMP, f"timestamp: before {EARLIEST.year}")
    if arrival and happened_at < arrival.oldest:
        raise InvalidEvent(
            Reason.TOO_OLD, f"timestamp: before {arrival.oldest.date()}, no longer retained"
        )
    return happened_at


def is_too_far_ahead(
    timestamp: str | float | None,
    offset: float | None,
    arrival: Arrival,
    *,
    ignore_sent_at: bool = False,
) -> bool:
    """Whether `event_time` replaces this time with that of the arrival."""
    claimed = _claimed_time(timestamp, offset, arrival, ignore_sent_at=ignore_sent_at)
    return claimed > arrival.received_at + MAX_CLOCK_AHEAD


def _claimed_time(
    timestamp: str | float | None,
    offset: float | None,
    arrival: Arrival | None,
    *,
    ignore_sent_at: bool,
) -> datetime:
    """Return when an event says it happened, corrected to our clock."""
    if timestamp is not None:
        happened_at = parse_time(timestamp, "timestamp")
        if arrival and arrival.sent_at and not ignore_sent_at:
            return _shifted(happened_at, arrival.received_at - arrival.sent_at)
        return happened_at
    if arrival is None:
        raise InvalidEvent(Reason.MISSING_FIELD, "timestamp: missing")
    try:
        since = timedelta(milliseconds=offset or 0)
    except (OverflowError, ValueError) as error:
        raise InvalidEvent(Reason.BAD_TIMESTAMP, "offset: out of range") from error
    return _shifted(arrival.received_at, -since)


def _shifted(happened_at: datetime, shift: timedelta) -> datetime:
    try:
        return happened_at + shift
    except OverflowError as error:
        raise InvalidEvent(Reason.BAD_TIMESTAMP, "timestamp: out of range") from error
