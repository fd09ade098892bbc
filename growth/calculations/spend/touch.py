"""The first touch of a person before its signup: which channel brought it.

A touch is a claim of the browser. It only labels numbers, so a claim is enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from growth.calculations.spend.channels import LONGEST_CHANNEL, normalized

OLDEST = timedelta(days=90)  # before the signup
SKEW = timedelta(minutes=5)  # SDKs send it with $identify, which may follow the signup
NAMES = ("$initial_utm_source", "utm_source", "$initial_referring_domain")
_NO_SITE = "$direct"  # what SDKs write where no site referred the visitor


@dataclass(frozen=True, slots=True)
class Touch:
    """Where a person came from, as a normalized name, and when that was stored."""

    channel: str
    at: datetime


def first_touch(properties: Mapping[str, Any], times: Mapping[str, int]) -> Touch | None:
    """Return the touch in a person's properties.

    `times` are Unix times in microseconds by name, negative where the property was set once. Only
    those count: what was set otherwise is the latest value, not the first (P97).
    """
    for name in NAMES:
        channel, time = _name(properties.get(name)), times.get(name, 0)
        if channel and time < 0:
            at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=-time)
            return Touch(channel, at)
    return None


def brought(touch: Touch | None, *, signup_at: datetime | None, paid_before: datetime) -> bool:
    """Whether a touch brought a customer: at most 90 days before its signup, and it paid later.

    `paid_before` is the end of the day of its first MRR. A first touch that is too old is not
    replaced by a later one.
    """
    if touch is None or signup_at is None:
        return False
    return signup_at - OLDEST <= touch.at <= signup_at + SKEW and touch.at < paid_before


def _name(value: Any) -> str:
    """Return the channel in a property, or ""."""
    if not isinstance(value, str) or value == _NO_SITE:
        return ""
    return normalized(value)[:LONGEST_CHANNEL].strip()
