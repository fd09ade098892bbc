"""A KPI's numbers, formatted for pages."""

from django import template

from common import formatting
from common.formatting import UNKNOWN, Ends, Unit
from operational.calculations.alignment import Band

BAND_NAMES = {
    Band.ON_TRACK: "On track",
    Band.AT_RISK: "At risk",
    Band.OFF_TRACK: "Off track",
    Band.INSUFFICIENT_DATA: "Insufficient data",
}

_NO_BREAK = "\N{NO-BREAK SPACE}"

register = template.Library()
register.filter("points", formatting.points)
register.filter("signed", formatting.signed_points)


@register.filter
def band_name(band: Band) -> str:
    return BAND_NAMES[band]


@register.filter
def figure(value: float | None, unit: Unit) -> str:
    """Format a value in the unit of its KPI, without a line break before the unit."""
    return formatting.figure(value, unit).replace(" ", _NO_BREAK)


@register.filter
def interval(ends: Ends | None, unit: Unit) -> str:
    """Format the low and high end with the unit once: "19.9 – 25.9 %"."""
    return formatting.interval(ends, unit).replace(" %", f"{_NO_BREAK}%")


@register.filter
def basis_name(basis: str) -> str:
    """Format the basis of growth: "active users"."""
    return basis.replace("_", " ").replace("mrr", "MRR") or UNKNOWN


@register.filter
def bar_width(attainment: float | None) -> float:
    """Return how far a bar is filled, in percent; full if nothing is left to improve."""
    return 100.0 if attainment is None else round(100 * min(max(attainment, 0.0), 1.0), 1)


@register.filter
def direction(change: float | None) -> str:
    """Return "up", "down", "same" (after rounding) or "unknown"."""
    if change is None:
        return "unknown"
    rounded = round(change, 1)
    return "same" if not rounded else "up" if rounded > 0 else "down"


@register.filter
def moved(change: float) -> str:
    """Describe how the score moved: "up 3.5 points"."""
    if direction(change) == "same":
        return "unchanged"
    return f"{direction(change)} {formatting.points(abs(change))} points"
