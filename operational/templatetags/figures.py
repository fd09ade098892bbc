"""A KPI's numbers as people read them."""

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
    """Show a value in the unit of its KPI; a line never ends between the two."""
    return formatting.figure(value, unit).replace(" ", _NO_BREAK)


@register.filter
def interval(ends: Ends | None, unit: Unit) -> str:
    """Show the low and the high end with the unit once: "19.9 – 25.9 %"."""
    return formatting.interval(ends, unit).replace(" %", f"{_NO_BREAK}%")


@register.filter
def basis_name(basis: str) -> str:
    """Show what growth is measured on: "active users"."""
    return basis.replace("_", " ").replace("mrr", "MRR") or UNKNOWN


@register.filter
def bar_width(attainment: float | None) -> float:
    """Return how far a bar is filled, in percent; where nothing is left to improve it is full."""
    return 100.0 if attainment is None else round(100 * min(max(attainment, 0.0), 1.0), 1)


@register.filter
def direction(change: float | None) -> str:
    """Return "up", "down", "same" (as far as it is shown) or "unknown"."""
    if change is None:
        return "unknown"
    rounded = round(change, 1)
    return "same" if not rounded else "up" if rounded > 0 else "down"


@register.filter
def moved(change: float) -> str:
    """Say how the score moved: "up 3.5 points"."""
    way = direction(change)
    return "unchanged" if way == "same" else f"{way} {formatting.points(abs(change))} points"
