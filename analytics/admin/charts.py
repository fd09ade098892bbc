"""What the templates draw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from analytics.insights.active_users import Day, Month, Period
from analytics.insights.retention import WeekCohort, WeekRetention
from common.calculations.charts import Axis, Bar, axis, bar, heat_level, polyline

LABELS = 6  # below a chart


@dataclass(frozen=True, slots=True)
class Tick:
    value: int
    y: float


@dataclass(frozen=True, slots=True)
class Part:
    """A bar or a part of one; `kind` names its colour."""

    bar: Bar
    kind: str


@dataclass(frozen=True, slots=True)
class Chart:
    ticks: list[Tick]
    labels: list[tuple[str, float]]  # text and x
    lines: list[tuple[str, str]] = field(default_factory=list)  # kind and points
    parts: list[Part] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HeatRow:
    cohort: WeekCohort
    cells: list[tuple[WeekRetention, int]]  # with the strength of the colour
    missing: range


def heat_rows(cohorts: Sequence[WeekCohort], *, weeks: int) -> list[HeatRow]:
    """Return the rows of a heat map, the newest first; week 0 does not set the scale."""
    rates = [week.rate.value or 0 for cohort in cohorts for week in cohort.weeks if week.week]
    lowest, highest = min(rates, default=0), max(rates, default=0)
    return [
        HeatRow(
            cohort=cohort,
            cells=[
                (week, heat_level(week.rate.value or 0, lowest=lowest, highest=highest))
                for week in cohort.weeks
            ],
            missing=range(weeks + 1 - len(cohort.weeks)),
        )
        for cohort in reversed(cohorts)
    ]


def days_chart(days: Sequence[Day]) -> Chart:
    """Draw lines of the persons active on the day, and in the 7 and 30 days that end on it."""
    series = {
        "trailing-30": [day.trailing_30 for day in days],
        "trailing-7": [day.trailing_7 for day in days],
        "active": [day.active for day in days],
    }
    scale = axis([number for numbers in series.values() for number in numbers])
    gaps = max(1, len(days) - 1)
    labels = _labels(days, at=lambda number: number / gaps)
    lines = [(kind, polyline(numbers, scale)) for kind, numbers in series.items()]
    return Chart(ticks=_ticks(scale), labels=labels, lines=lines)


def weeks_chart(weeks: Sequence[Period]) -> Chart:
    scale = axis([week.active for week in weeks])
    parts = [
        Part(
            bar(number, len(weeks), start=0, end=week.active, on=scale),
            "active" if week.complete else "open",
        )
        for number, week in enumerate(weeks)
    ]
    return Chart(ticks=_ticks(scale), labels=_bar_labels(weeks), parts=parts)


def months_chart(months: Sequence[Month]) -> Chart:
    """Draw new, resurrected and retained persons upwards, and churned ones downwards."""
    churned = [-m.growth_accounting.churned for m in months if m.growth_accounting]
    scale = axis([*(month.active for month in months), *churned])
    parts = [
        Part(bar(number, len(months), start=start, end=end, on=scale), kind)
        for number, month in enumerate(months)
        for kind, start, end in _stack(month)
    ]
    return Chart(ticks=_ticks(scale), labels=_bar_labels(months), parts=parts)


def _stack(month: Month) -> list[tuple[str, int, int]]:
    growth = month.growth_accounting
    if growth is None:
        return [("open", 0, month.active)]
    back = growth.retained + growth.resurrected
    return [
        ("retained", 0, growth.retained),
        ("resurrected", growth.retained, back),
        ("new", back, month.active),
        ("churned", 0, -growth.churned),
    ]


def _ticks(scale: Axis) -> list[Tick]:
    return [Tick(abs(round(value)), scale.y(value)) for value in scale.ticks]


def _labels(periods: Sequence[Period], *, at: Callable[[int], float]) -> list[tuple[str, float]]:
    """Return evenly spread labels and their x; `at` gives the x of a period, 0 to 1."""
    spread = range(0, len(periods), max(1, ceil(len(periods) / LABELS)))
    return [(_label(periods[number]), round(100 * at(number), 2)) for number in spread]


def _bar_labels(periods: Sequence[Period]) -> list[tuple[str, float]]:
    return _labels(periods, at=lambda number: (number + 0.5) / len(periods))


def _label(period: Period) -> str:
    start = period.start
    return f"{start:%b %Y}" if isinstance(period, Month) else f"{start.day} {start:%b}"


ACTIVE_USERS: dict[str, Callable[[Any], Chart]] = {
    "day": days_chart,
    "week": weeks_chart,
    "month": months_chart,
}
