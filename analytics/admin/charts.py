"""Charts and heat maps for the templates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.insights.active_users import ActiveUserDay, ActiveUserMonth, ActiveUserPeriod
from analytics.insights.retention import WeekCohort, WeekRetention
from common.calculations.charts import (
    Chart,
    Part,
    axis_from_zero,
    bar,
    bar_labels,
    heat_level,
    line_labels,
    polyline,
)
from common.formatting import day_month, short_month


@dataclass(frozen=True, slots=True)
class HeatRow:
    cohort: WeekCohort
    cells: list[tuple[WeekRetention, int]]  # with the strength of the color
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


def days_chart(days: Sequence[ActiveUserDay]) -> Chart:
    """Draw lines of the persons active on the day, and in the 7 and 30 days that end on it."""
    series = {
        "trailing-30": [day.trailing_30 for day in days],
        "trailing-7": [day.trailing_7 for day in days],
        "active": [day.active for day in days],
    }
    axis = axis_from_zero([number for numbers in series.values() for number in numbers])
    labels = line_labels(list(map(_label, days)))
    lines = [(kind, polyline(numbers, axis)) for kind, numbers in series.items()]
    return Chart(ticks=axis.counts, labels=labels, lines=lines)


def weeks_chart(weeks: Sequence[ActiveUserPeriod]) -> Chart:
    axis = axis_from_zero([week.active for week in weeks])
    parts = [
        Part(
            bar(number, len(weeks), start=0, end=week.active, axis=axis),
            "active" if week.complete else "open",
        )
        for number, week in enumerate(weeks)
    ]
    return Chart(ticks=axis.counts, labels=bar_labels(list(map(_label, weeks))), parts=parts)


def months_chart(months: Sequence[ActiveUserMonth]) -> Chart:
    """Draw new, resurrected and retained persons upwards, and churned ones downwards."""
    churned = [-m.growth_accounting.churned for m in months if m.growth_accounting]
    axis = axis_from_zero([*(month.active for month in months), *churned])
    parts = [
        Part(bar(number, len(months), start=start, end=end, axis=axis), kind)
        for number, month in enumerate(months)
        for kind, start, end in _stack(month)
    ]
    return Chart(ticks=axis.counts, labels=bar_labels(list(map(_label, months))), parts=parts)


def _stack(month: ActiveUserMonth) -> list[tuple[str, int, int]]:
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


def _label(period: ActiveUserPeriod) -> str:
    start = period.start
    return short_month(start) if isinstance(period, ActiveUserMonth) else day_month(start)


ACTIVE_USERS: dict[str, Callable[[Any], Chart]] = {
    "day": days_chart,
    "week": weeks_chart,
    "month": months_chart,
}
