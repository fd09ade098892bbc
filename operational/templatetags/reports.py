"""What reports show without scripts, pictures or styles of their own."""

from collections.abc import Sequence
from datetime import datetime

from django import template

from common import formatting
from common.calculations.charts import column_heights
from operational.calculations.alignment import Band
from operational.templatetags.figures import bar_width

TALLEST = 32  # pixels
_FILLS = {Band.ON_TRACK: "-ok", Band.AT_RISK: "-warning", Band.OFF_TRACK: "-critical"}

register = template.Library()


@register.filter
def bar_heights(values: Sequence[float]) -> list[int]:
    """Return the height in pixels of each column of a sparkline."""
    return column_heights(values, tallest=TALLEST)


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
def band_fill(band: str) -> str:
    """Return the colour of a band, as the end of a class."""
    return _FILLS.get(Band(band), "")


@register.filter
def moment(iso: str) -> str:
    """Show a moment of a report: "2026-04-01 09:00 UTC"."""
    return formatting.moment(datetime.fromisoformat(iso))


@register.filter
def padded(text: object, width: int) -> str:
    return str(text).ljust(width)


@register.filter
def right(text: object, width: int) -> str:
    return str(text).rjust(width)
