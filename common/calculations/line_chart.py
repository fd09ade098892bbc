"""A line over days: what `common.calculations.charts` draws of a series with gaps and a target."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from common.calculations.charts import Tick, axis_around, points, share_x


@dataclass(frozen=True, slots=True)
class Sample:
    """A value on a day, with the ends of its interval where it has one."""

    day: date
    value: float
    low: float | None = None
    high: float | None = None


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
    axis = axis_around([target, *(value for sample in samples for value in _values(sample))])
    days = max(1, (last - first).days)

    def x(sample: Sample) -> float:
        return share_x((sample.day - first).days, days)

    def line(values: Sequence[tuple[Sample, float]]) -> str:
        return points([(x(sample), axis.y(value)) for sample, value in values])

    runs = list(_unbroken(samples))
    return LineChart(
        lines=tuple(line([(sample, sample.value) for sample in run]) for run in runs),
        bands=tuple(line(band) for band in map(_outline, runs) if band),
        ticks=axis.ticks,
        target_y=axis.y(target),
        last_x=x(samples[-1]),
        last_y=axis.y(samples[-1].value),
        first=samples[0],
        last=samples[-1],
        lowest=min(samples, key=lambda sample: sample.value),
        highest=max(samples, key=lambda sample: sample.value),
    )


def _values(sample: Sample) -> list[float]:
    return [value for value in (sample.value, sample.low, sample.high) if value is not None]


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
    """Return the path along the upper ends of the intervals and back along the lower ones."""
    upper = [(sample, sample.high) for sample in run if sample.high is not None]
    lower = [(sample, sample.low) for sample in reversed(run) if sample.low is not None]
    return [*upper, *lower]
