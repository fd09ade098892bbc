"""How numbers, money, days and durations are written on pages, in mails and in terminals.

Every function writes None as `UNKNOWN`: an unknown number is not zero.
"""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Protocol

from common.calculations.currency import DECIMALS, rounded
from common.calculations.statistics import Status

UNKNOWN = "–"
MINUS = "−"
STATUS_NAMES = {
    Status.OK: "OK",
    Status.LOW_SAMPLE: "Low sample",
    Status.HELD: "Held",
    Status.NO_DATA: "No data",
}
_TIME_UNITS = ("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)

Number = int | float | Decimal | Fraction


class Unit(StrEnum):
    """What a figure is, and so how it is written."""

    RATE = "rate"  # a share of persons, 0 to 1, written in percent
    CHANGE = "change"  # a relative change, written in percent; it may be negative or above 1
    RATIO = "ratio"  # a plain number
    HOURS = "hours"
    COUNT = "count"  # a whole number


class Ends(Protocol):
    """An interval, or what is stored of one."""

    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


def number(value: Number | None) -> str:
    """Write a number without needless decimals: "1,234" or "0.5"."""
    return UNKNOWN if value is None else _minus(f"{plain(value):,}")


def plain(value: Number) -> int | float:
    """Return a number as JSON and `number` write it: whole where it is, else with 6 decimals."""
    return int(value) if value == int(value) else round(float(value), 6)


def counted(value: int, noun: str, plural: str = "") -> str:
    """Write how many there are of something: "1 event", "1,234 events"; `plural`: if irregular."""
    return f"{value:,} {noun if value == 1 else plural or f'{noun}s'}"


def decimals(value: Number | None, places: int = 2) -> str:
    """Write a number with as many decimals: "2.11"."""
    return UNKNOWN if value is None else _minus(f"{float(value):,.{places}f}")


def percent(rate: Number | None, places: int = 1) -> str:
    """Write a rate in percent: "5.2 %"."""
    return UNKNOWN if rate is None else _minus(f"{100 * float(rate):.{places}f} %")


def change(growth: Number | None) -> str:
    """Write a relative change with its sign: "+5.2 %"."""
    return UNKNOWN if growth is None else _minus(f"{100 * float(growth):+.1f} %")


def points(score: float | None) -> str:
    """Write a score or points of it: "73.0"."""
    return decimals(score, 1)


def signed_points(difference: float) -> str:
    """Write a change of a score with its sign, as far as it is written: "+2.3", "±0.0"."""
    return signed(difference, 1)


def signed(difference: float, places: int = 2) -> str:
    """Write a difference with its sign, as far as it is written: "+2.31", "±0.00"."""
    if not round(difference, places):
        return f"±{0:.{places}f}"
    return _minus(f"{difference:+.{places}f}")


def figure(value: float | None, unit: Unit) -> str:
    """Write a value with its unit: "22.1 %", "3.20", "5.4 h"."""
    if unit in {Unit.RATE, Unit.CHANGE}:
        return percent(value)
    if unit is Unit.COUNT:
        return decimals(value, 0)
    if unit is Unit.HOURS:
        return UNKNOWN if value is None else f"{decimals(value, 1)} h"
    return decimals(value)


def interval(ends: Ends | None, unit: Unit) -> str:
    """Write the low and the high end, with a percent sign once: "19.9 – 25.9 %"."""
    if ends is None:
        return UNKNOWN
    return f"{figure(ends.low, unit).removesuffix(' %')} – {figure(ends.high, unit)}"


def money(amount: int | Fraction | None, currency: str) -> str:
    """Write minor units of a currency: "1,234.50 USD", "1,235 JPY"."""
    if amount is None:
        return UNKNOWN
    places = DECIMALS[currency]
    units = rounded(Fraction(amount))
    whole, rest = divmod(abs(units), 10**places)
    fraction = f".{rest:0{places}}" if places else ""
    return f"{MINUS if units < 0 else ''}{whole:,}{fraction} {currency.upper()}"


def duration(time: timedelta | None) -> str:
    """Write a time by its two largest units: "2 d 5 h", "3 h 20 min", "45 s"."""
    if time is None:
        return UNKNOWN
    seconds = round(time.total_seconds())
    parts = []
    for unit, length in _TIME_UNITS:
        amount, seconds = divmod(seconds, length)
        if amount:
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2]) or "0 s"


def elapsed(time: timedelta | None) -> str:
    """Write how long a job ran: "0.4 s"; from a minute on like `duration`."""
    if time is None or time >= timedelta(minutes=1):
        return duration(time)
    return f"{decimals(time.total_seconds(), 1)} s"


def day_month(day: date | None) -> str:
    """Write a day without its year: "8 Nov"."""
    return UNKNOWN if day is None else f"{day.day} {day:%b}"


def full_day(day: date | None) -> str:
    """Write a day with its year: "8 Nov 2026"."""
    return UNKNOWN if day is None else f"{day.day} {day:%b %Y}"


def long_day(day: date) -> str:
    """Write a day with its month in full: "8 November 2026"."""
    return f"{day.day} {day:%B %Y}"


def short_month(day: date) -> str:
    """Write a day's month: "Nov 2026"."""
    return f"{day:%b %Y}"


def month_year(day: date) -> str:
    """Write a day's month: "November 2026"."""
    return f"{day:%B %Y}"


def moment(time: datetime | None) -> str:
    """Write a moment in its own time zone: "1 Apr 2026, 09:00"."""
    return UNKNOWN if time is None else f"{full_day(time)}, {time:%H:%M}"


def exact_moment(time: datetime | None) -> str:
    """Write a moment in its own time zone, to the second: "1 Apr 2026, 09:00:00"."""
    return UNKNOWN if time is None else f"{full_day(time)}, {time:%H:%M:%S}"


def utc_moment(time: datetime | None) -> str:
    """Write a moment in UTC: "2026-04-01 09:00 UTC"."""
    return UNKNOWN if time is None else f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def first_line(text: object) -> str:
    """Write the first line of a text, such as an error's message."""
    return str(text).strip().partition("\n")[0]


def error_line(error: object) -> str:
    """Write an error's kind and its first line, to be stored: "OSError: No space left"."""
    return f"{type(error).__name__}: {first_line(error)}"[:500]


def pretty_json(value: Any, *, sort_keys: bool = False) -> str:
    """Write plain values as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=sort_keys)


def _minus(text: str) -> str:
    return text.replace("-", MINUS)
