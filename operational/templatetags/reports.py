"""What reports show, without scripts, images or styles of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import fields

from django import template

from common import formatting
from common.calculations.charts import Column, columns
from common.formatting import UNKNOWN, Unit
from operational.calculations.alignment import Band
from operational.reports.weekly_content import ReportMovements
from operational.templatetags.figures import bar_width

TALLEST = 32  # pixels
_FILLS = {Band.ON_TRACK: "-ok", Band.AT_RISK: "-warning", Band.OFF_TRACK: "-critical"}

register = template.Library()
register.filter("kpi_value", formatting.figure)
register.filter("utc_moment", formatting.utc_moment)


@register.filter
def kpi_change(change: float | None, unit: Unit) -> str:
    """Show how a KPI moved with its sign: in percentage points for rates, else in its unit."""
    if change is None:
        return UNKNOWN
    if unit in {Unit.RATE, Unit.CHANGE}:
        return f"{formatting.signed_points(100 * change)} points"
    return formatting.signed(change)


@register.filter
def movement_rows(movements: ReportMovements) -> Iterable[tuple[str, int]]:
    """Return the name and the amount of each movement, in minor units."""
    return [(field.name, getattr(movements, field.name)) for field in fields(movements)]


@register.filter
def sparkline(values: Sequence[float]) -> list[Column]:
    """Return the columns of a sparkline."""
    return columns(values, tallest=TALLEST)


@register.filter
def bar_percent(share: float | None) -> int:
    """Return how much of a bar is filled, 0 to 100."""
    return 0 if share is None else round(bar_width(share))


@register.filter
def bar_rest(share: float | None) -> int:
    return 100 - bar_percent(share)


@register.filter
def whole_percent(points: float) -> int:
    return bar_percent(points / 100)


@register.filter
def rest_percent(points: float) -> int:
    return 100 - whole_percent(points)


@register.filter
def band_fill(band: Band) -> str:
    """Return the color of a band, as the end of a CSS class."""
    return _FILLS.get(band, "")


@register.filter
def padded(text: object, width: int) -> str:
    return str(text).ljust(width)


@register.filter
def right(text: object, width: int) -> str:
    return str(text).rjust(width)
