"""Where things go in a chart: percent of its box, x to the right and y downwards."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

HEAT_LEVELS = 8
LABELS = 6  # below a chart
_HEADROOM = 0.08  # share of the range left free above and below: no line touches the edge
_GAP = 0.14  # share of a bar's slot left free on either side


@dataclass(frozen=True, slots=True)
class Tick:
    """A value that the axis names, and its height."""

    value: float
    y: float


@dataclass(frozen=True, slots=True)
class Axis:
    """A value axis; `rounds` are the round numbers on it."""

    bottom: float
    top: float
    rounds: tuple[float, ...]

    def y(self, value: float) -> float:
        return round(100 * (self.top - value) / (self.top - self.bottom), 2)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        return tuple(Tick(value, self.y(value)) for value in self.rounds)

    @property
    def counts(self) -> tuple[Tick, ...]:
        """The ticks of an axis that counts upwards and downwards from 0: without signs."""
        return tuple(Tick(abs(round(value)), self.y(value)) for value in self.rounds)


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a bar chart."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Part:
    """A bar or a part of one; `kind` names its color."""

    bar: Bar
    kind: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars and lines over time."""

    ticks: Sequence[Tick]
    labels: Sequence[tuple[str, float]]  # text and x
    lines: Sequence[tuple[str, str]] = ()  # kind and points
    parts: Sequence[Part] = ()


def axis_from_zero(values: Sequence[float]) -> Axis:
    """Return an axis between round whole numbers, 0 among them, that spans all of `values`."""
    low, high = min(0, *values, 0), max(0, *values, 0)
    step = int(_round_step(max(1.0, (high - low) / 5)))
    first, last = math.floor(low / step), max(math.ceil(high / step), 1)
    rounds = tuple(number * step for number in range(first, last + 1))
    return Axis(rounds[0], rounds[-1], rounds)


def axis_around(values: Sequence[float]) -> Axis:
    """Return an axis with some room around `values`, from 0 where that room would pass it."""
    low, high = min(values), max(values)
    room = (high - low) * _HEADROOM or abs(high) * _HEADROOM or 1.0
    bottom, top = (max(0.0, low - room) if low >= 0 else low - room), high + room
    step = _round_step((top - bottom) / 6)
    numbers = range(math.ceil(bottom / step), math.floor(top / step) + 1)
    return Axis(bottom, top, tuple(round(number * step, 10) for number in numbers))


def _round_step(least: float) -> float:
    """Return the first of 1, 2 or 5 times a power of ten that is not less than `least`."""
    magnitude = 10.0 ** math.floor(math.log10(least))
    return next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= least)


def share_x(number: float, count: float) -> float:
    """Return the x of `number` of `count` equal steps from the left edge to the right one."""
    return round(100 * number / count, 2)


def points(places: Sequence[tuple[float, float]]) -> str:
    """Return SVG's point list: "x,y x,y ..."."""
    return " ".join(f"{x},{y}" for x, y in places)


def polyline(values: Sequence[float], axis: Axis) -> str:
    """Return the points of a line through `values`, spread from edge to edge."""
    gaps = max(1, len(values) - 1)
    return points([(share_x(number, gaps), axis.y(value)) for number, value in enumerate(values)])


def bar(number: int, count: int, *, start: float, end: float, axis: Axis) -> Bar:
    """Return the `number`-th of `count` bars, from the value `start` to `end`."""
    high, low = max(start, end), min(start, end)
    return Bar(
        x=share_x(number + _GAP, count),
        y=axis.y(high),
        width=share_x(1 - 2 * _GAP, count),
        height=round(axis.y(low) - axis.y(high), 2),
    )


def bar_labels(texts: Sequence[str]) -> list[tuple[str, float]]:
    """Return a few of the bars' labels, evenly spread, and their x."""
    return _labels(texts, x=lambda number: share_x(number + 0.5, len(texts)))


def line_labels(texts: Sequence[str]) -> list[tuple[str, float]]:
    """Return a few of the labels of a line's points, evenly spread, and their x."""
    return _labels(texts, x=lambda number: share_x(number, max(1, len(texts) - 1)))


def _labels(texts: Sequence[str], *, x: Callable[[int], float]) -> list[tuple[str, float]]:
    spread = range(0, len(texts), max(1, math.ceil(len(texts) / LABELS)))
    return [(texts[number], x(number)) for number in spread]


def heat_level(rate: float, *, lowest: float, highest: float) -> int:
    """Return how strongly a rate is colored: from 0, the lowest one, to 8, the highest one."""
    span = highest - lowest
    return min(HEAT_LEVELS, max(0, round(HEAT_LEVELS * (rate - lowest) / span))) if span else 0


class Column(NamedTuple):
    """A column of a small chart: its height, and the space below it, in pixels."""

    height: int
    below: int


def columns(values: Sequence[float], *, tallest: int) -> list[Column]:
    """Return columns that start at 0, upwards or downwards, within `tallest` pixels."""
    above, below = max([0.0, *values]), -min([0.0, *values])
    pixels = tallest / (above + below) if above + below else 0.0
    zero = round(below * pixels)
    heights = [max(1, round(abs(value) * pixels)) for value in values]
    return [
        Column(height, zero if value >= 0 else max(0, zero - height))
        for value, height in zip(values, heights, strict=True)
    ]
