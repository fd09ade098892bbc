"""Where things go in a chart: percent of its box, x to the right and y downwards."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

HEAT_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Axis:
    """A value axis between round numbers, 0 always among them; `ticks` are their values."""

    bottom: float
    top: float
    ticks: tuple[float, ...]

    def y(self, value: float) -> float:
        return round(100 * (self.top - value) / (self.top - self.bottom), 2)


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a bar chart."""

    x: float
    y: float
    width: float
    height: float


def axis(values: Sequence[float]) -> Axis:
    """Return an axis on which all of `values` (whole numbers) have their place."""
    low, high = min(0, *values, 0), max(0, *values, 0)
    step = _round_step(high - low)
    first, last = math.floor(low / step), max(math.ceil(high / step), 1)
    ticks = tuple(number * step for number in range(first, last + 1))
    return Axis(ticks[0], ticks[-1], ticks)


def polyline(values: Sequence[float], on: Axis) -> str:
    """Return the points of an SVG polyline through `values`, spread from edge to edge."""
    gaps = max(1, len(values) - 1)
    places = ((round(100 * number / gaps, 2), on.y(value)) for number, value in enumerate(values))
    return " ".join(f"{x},{y}" for x, y in places)


def bar(number: int, count: int, *, start: float, end: float, on: Axis) -> Bar:
    """Return the `number`-th of `count` bars, from the value `start` to `end`."""
    slot = 100 / count
    high, low = max(start, end), min(start, end)
    return Bar(
        x=round(slot * (number + 0.14), 2),
        y=on.y(high),
        width=round(slot * 0.72, 2),
        height=round(on.y(low) - on.y(high), 2),
    )


def heat_level(rate: float, *, lowest: float, highest: float) -> int:
    """Return how strongly a rate is coloured: from 0, the lowest one, to 8, the highest one."""
    span = highest - lowest
    return min(HEAT_LEVELS, max(0, round(HEAT_LEVELS * (rate - lowest) / span))) if span else 0


def _round_step(span: float) -> int:
    """Return 1, 2 or 5 times a power of ten that divides a span into at most about five parts."""
    rough = max(1.0, span / 5)
    magnitude = int(10 ** math.floor(math.log10(rough)))
    return next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough)
