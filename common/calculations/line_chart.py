"""Where things go in a line chart: percent of its box, x to the right and y downwards."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_HEADROOM = 0.08  # share of the range left free above and below: no line touches the edge


@dataclass(frozen=True, slots=True)
class Sample:
    """A known value on a day, with the ends of its interval where it has one."""

    day: date
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the value axis."""

    value: float
    y: float


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line over days, which breaks where a day is missing, with the target across it.

    `lines` and `bands` are SVG point lists ("x,y x,y ..."); a band spans the intervals.
    """

    lines: tuple[str, ...]
    bands: tuple[str, ...]
    ticks: tuple[Tick, ...]
    target_y: float
    last_x: float
    last_y: float
    first: Sample
    last: Sample
    lowest: Sample
    highest: Sample


def line_chart(
    samples: Sequence[Sample], *, target: float, first: date, last: date
) -> LineChart | None:
    """Lay out samples, in ascending order, over the days `first` to `last`; None without any."""
    if not samples:
        return None
    bottom, top = _range([target, *(value for s in samples for value in _values(s))])
    days = max(1, (last - first).days)

    def x(sample: Sample) -> float:
        return round(100 * (sample.day - first).days / days, 2)

    def y(value: float) -> float:
        return round(100 * (top - value) / (top - bottom), 2)

    def points(places: Sequence[tuple[Sample, float]]) -> str:
        return " ".join(f"{x(sample)},{y(value)}" for sample, value in places)

    runs = list(_unbroken(samples))
    return LineChart(
        lines=tuple(points([(s, s.value) for s in run]) for run in runs),
        bands=tuple(points(band) for band in map(_outline, runs) if band),
        ticks=tuple(Tick(value, y(value)) for value in _round_numbers(bottom, top)),
        target_y=y(target),
        last_x=x(samples[-1]),
        last_y=y(samples[-1].value),
        first=samples[0],
        last=samples[-1],
        lowest=min(samples, key=lambda sample: sample.value),
        highest=max(samples, key=lambda sample: sample.value),
    )


def _values(sample: Sample) -> list[float]:
    return [value for value in (sample.value, sample.low, sample.high) if value is not None]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Return what the value axis spans; it begins at 0 where the headroom would pass it."""
    low, high = min(values), max(values)
    room = (high - low) * _HEADROOM or abs(high) * _HEADROOM or 1.0
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def _unbroken(samples: Sequence[Sample]) -> Iterator[list[Sample]]:
    """Yield the runs of consecutive days; a day on its own comes twice, to be seen as a dot."""
    run: list[Sample] = []
    for sample in samples:
        if run and sample.day - run[-1].day > timedelta(days=1):
            yield run if len(run) > 1 else run * 2
            run = []
        run.append(sample)
    yield run if len(run) > 1 else run * 2


def _outline(run: Sequence[Sample]) -> list[tuple[Sample, float]]:
    """Return the way along the upper ends of the intervals and back along the lower ones."""
    upper = [(sample, sample.high) for sample in run if sample.high is not None]
    lower = [(sample, sample.low) for sample in reversed(run) if sample.low is not None]
    return [*upper, *lower]


def _round_numbers(bottom: float, top: float) -> Iterator[float]:
    """Yield a few numbers that people like, such as multiples of 0.05, in the range."""
    rough = (top - bottom) / 6
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough)
    for number in range(math.ceil(bottom / step), math.floor(top / step) + 1):
        yield round(number * step, 10)


def column_heights(values: Sequence[float], *, tallest: int, smallest: int = 2) -> list[int]:
    """Return heights for columns that show how values compare with the least and the largest."""
    if not values:
        return []
    low, high = min(values), max(values)
    spread = high - low
    if not spread:
        return [tallest // 2 for _ in values]
    return [round(smallest + (tallest - smallest) * (value - low) / spread) for value in values]
