"""A KPI's numbers as people read them."""

from django import template

from common.calculations.statistics import Interval
from common.templatetags.numbers import UNKNOWN
from operational.calculations.alignment import Band
from operational.calculations.kpi import Unit
from operational.calculations.shown import shown, shown_points
from operational.models import KpiReading

BAND_NAMES = {
    Band.ON_TRACK: "On track",
    Band.AT_RISK: "At risk",
    Band.OFF_TRACK: "Off track",
    Band.INSUFFICIENT_DATA: "Insufficient data",
}

_NO_BREAK = "\N{NO-BREAK SPACE}"

register = template.Library()


@register.filter
def band_name(band: Band) -> str:
    return BAND_NAMES[band]


@register.filter
def figure(value: float | None, unit: Unit) -> str:
    """Show a value in the unit of its KPI; a line never ends between the two."""
    return UNKNOWN if value is None else shown(value, unit).replace(" ", _NO_BREAK)


@register.filter
def points(number: float | None) -> str:
    """Show a score, or points of it."""
    return UNKNOWN if number is None else shown_points(number)


@register.filter
def interval(ends: Interval | KpiReading | None, unit: Unit) -> str:
    """Show the low and the high end with the unit once: "19.9 – 25.9 %"."""
    if ends is None:
        return UNKNOWN
    low, high = figure(ends.low, unit), figure(ends.high, unit)
    return f"{low.removesuffix(_NO_BREAK + '%')} – {high}"


@register.filter
def basis_name(basis: str) -> str:
    """Show what growth is measured on: "active users"."""
    return basis.replace("_", " ").replace("mrr", "MRR") or UNKNOWN


@register.filter
def percent(share: float | None) -> str:
    """Show a share as a whole percentage."""
    return UNKNOWN if share is None else f"{100 * share:.0f}{_NO_BREAK}%"


@register.filter
def bar_width(attainment: float | None) -> float:
    """Return how far a bar is filled, in percent; where nothing is left to improve it is full."""
    return 100.0 if attainment is None else round(100 * min(max(attainment, 0.0), 1.0), 1)


@register.filter
def count(number: float | None) -> str:
    """Show a number of persons, customers or the like."""
    return UNKNOWN if number is None else f"{number:,.15g}"


@register.filter
def signed(change: float) -> str:
    """Show a change in points with its sign."""
    return "±0.0" if direction(change) == "same" else f"{change:+.1f}".replace("-", "−")


@register.filter
def direction(change: float | None) -> str:
    """Return "up", "down", "same" (as far as it is shown) or "unknown"."""
    if change is None:
        return "unknown"
    shown_change = round(change, 1)
    return "same" if not shown_change else "up" if shown_change > 0 else "down"


@register.filter
def moved(change: float) -> str:
    """Say how the score moved: "up 3.5 points"."""
    way = direction(change)
    return "unchanged" if way == "same" else f"{way} {abs(change):.1f} points"
