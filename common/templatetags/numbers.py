"""Numbers, days and durations as people read them; what is not known is a dash."""

import json
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from django import template

from common.calculations.statistics import Interval, Status

UNKNOWN = "–"
STATUS_NAMES = {
    Status.OK: "OK",
    Status.LOW_SAMPLE: "Low sample",
    Status.HELD: "Held",
    Status.NO_DATA: "No data",
}

register = template.Library()


@register.filter
def whole(number: int | None) -> str:
    """Show a number of persons or events: "1,234"."""
    return UNKNOWN if number is None else f"{number:,}"


@register.filter
def share(rate: float | Fraction | None) -> str:
    """Show a share with one decimal: "5.2 %"."""
    return UNKNOWN if rate is None else f"{100 * float(rate):.1f} %"


@register.filter
def change(growth: float | None) -> str:
    """Show a relative change with its sign: "+5.2 %"."""
    return UNKNOWN if growth is None else f"{100 * growth:+.1f} %".replace("-", "−")


@register.filter
def ends(interval: Interval | None) -> str:
    """Show an interval of shares: "4.1 – 6.4 %"."""
    if interval is None:
        return UNKNOWN
    return f"{100 * interval.low:.1f} – {100 * interval.high:.1f} %"


@register.filter
def status_label(status: Status) -> str:
    return STATUS_NAMES[status]


@register.filter
def day_month(day: date | None) -> str:
    """Show a day without its year: "8 Nov"."""
    return UNKNOWN if day is None else f"{day.day} {day:%b}"


@register.filter
def full_day(day: date | None) -> str:
    """Show a day with its year: "8 Nov 2026"."""
    return UNKNOWN if day is None else f"{day.day} {day:%b %Y}"


@register.filter
def month_year(day: date) -> str:
    return f"{day:%B %Y}"


@register.filter
def duration(time: timedelta | None) -> str:
    """Show a time by its two largest units: "2 d 5 h", "3 h 20 min", "45 s"."""
    if time is None:
        return UNKNOWN
    seconds = round(time.total_seconds())
    parts = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        amount, seconds = divmod(seconds, length)
        if amount:
            parts.append(f"{amount} {unit}")
    return " ".join(parts[:2]) or "0 s"


@register.filter
def pretty_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


@register.filter
def percent_width(rate: float) -> str:
    """Return the length of a rate's bar, without the language's decimal sign."""
    return f"{100 * rate:.2f}"


@register.filter(name="property")
def property_value(value: Any) -> str:
    """Show a property's value: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
