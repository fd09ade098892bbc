"""Active users by day, ISO week and calendar month, with growth accounting.

A period that is not over has the figure so far and is marked as incomplete.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from analytics.calculations.cells import CounterName
from analytics.rollups import counters
from analytics.rollups.counters import Span
from common.calculations.calendar import (
    month_after,
    month_before,
    month_end,
    week_start,
)


@dataclass(frozen=True, slots=True)
class ActiveUserPeriod:
    """Distinct persons active from the `start` to the `end` day, both included."""

    start: date
    end: date
    active: int
    complete: bool


@dataclass(frozen=True, slots=True)
class ActiveUserDay(ActiveUserPeriod):
    trailing_7: int  # distinct persons active in the 7 days ending on it
    trailing_30: int


@dataclass(frozen=True, slots=True)
class GrowthAccounting:
    """new + retained + resurrected = active; churned + retained = active the month before."""

    new: int
    retained: int
    resurrected: int
    churned: int


@dataclass(frozen=True, slots=True)
class ActiveUserMonth(ActiveUserPeriod):
    """A calendar month; figures that need a complete month are None before it is over."""

    growth_accounting: GrowthAccounting | None
    stickiness: float | None  # mean daily active persons over all its days / active
    growth: float | None  # relative change against the month before


def definition(*, time_zone: str) -> str:
    """Return the definition of active users, to be shown with the numbers."""
    return (
        "Distinct persons with at least one event that counts as activity in the period; days, ISO "
        f"weeks (Monday to Sunday) and calendar months in {time_zone}."
    )


def default_first_day(*, last: date, longest: timedelta) -> date:
    """Return the first day with activity, so that the range to `last` is at most `longest`."""
    first = counters.first_day(CounterName.ACTIVE_DAY) or last
    return min(max(first, last - longest + timedelta(days=1)), last)


def active_days(*, first: date, last: date, as_of: date) -> list[ActiveUserDay]:
    """Return every day from `first` to `last`, days without activity included."""
    active, *changes, before_7, before_30 = counters.read(day_spans(first, last))
    running = [sum(before.values()) for before in (before_7, before_30)]
    days = []
    for day in _days(first, last):
        running = [
            persons + change.get(day, 0) for persons, change in zip(running, changes, strict=True)
        ]
        days.append(ActiveUserDay(day, day, active.get(day, 0), day <= as_of, *running))
    return days


def day_spans(first: date, last: date) -> list[Span]:
    """Return the counters of the days: active, changes of both trailing sums, and these before."""
    trailing, before = (CounterName.TRAILING_7, CounterName.TRAILING_30), first - timedelta(days=1)
    return [
        *(Span(name, first, last, by_day=True) for name in (CounterName.ACTIVE_DAY, *trailing)),
        *(Span(name, last=before) for name in trailing),
    ]


def active_weeks(*, first: date, last: date, as_of: date) -> list[ActiveUserPeriod]:
    """Return every ISO week that touches the days from `first` to `last`."""
    start = date.fromordinal(week_start(first.toordinal()))
    (active,) = counters.read([Span(CounterName.ACTIVE_WEEK, start, last, by_day=True)])
    weeks = []
    for monday in _days(start, last, step=7):
        sunday = monday + timedelta(days=6)
        weeks.append(ActiveUserPeriod(monday, sunday, active.get(monday, 0), sunday <= as_of))
    return weeks


def active_months(*, first: date, last: date, as_of: date) -> list[ActiveUserMonth]:
    """Return every calendar month that touches the days from `first` to `last`."""
    start = first.replace(day=1)
    before = month_before(start)
    names = (
        CounterName.ACTIVE_MONTH,
        CounterName.MONTH_NEW,
        CounterName.MONTH_RETAINED,
        CounterName.MONTH_RESURRECTED,
        CounterName.MONTH_CHURNED,
    )
    persons, *accounting = counters.read([Span(name, before, last, by_day=True) for name in names])
    daily = _daily_sums(start, last)
    months = []
    active_before = persons.get(before, 0)
    for month in _months(start, last):
        end = month_end(month)
        active = persons.get(month, 0)
        complete = end <= as_of
        growth = GrowthAccounting(*(cells.get(month, 0) for cells in accounting))
        months.append(
            ActiveUserMonth(
                start=month,
                end=end,
                active=active,
                complete=complete,
                growth_accounting=growth if complete else None,
                stickiness=daily.get(month, 0) / end.day / active if complete and active else None,
                growth=(
                    (active - active_before) / active_before if complete and active_before else None
                ),
            )
        )
        active_before = active
    return months


def monthly_active(month: date) -> int:
    """Return the persons active in the calendar month that starts on `month`."""
    return counters.totals([month_span(month)])[0]


def month_span(month: date) -> Span:
    """Return the counter of the persons active in a calendar month."""
    return Span(CounterName.ACTIVE_MONTH, month, month)


def signups_in(*, first: date, last: date) -> int:
    """Return the persons who signed up from the `first` to the `last` day."""
    return counters.totals([Span(CounterName.SIGNUP, first, last)])[0]


def _daily_sums(first: date, last: date) -> dict[date, int]:
    """Return the sum of each month's daily active persons, by the month's first day."""
    months = list(_months(first, last))
    sums = counters.totals(
        [Span(CounterName.ACTIVE_DAY, month, month_end(month)) for month in months]
    )
    return dict(zip(months, sums, strict=True))


def _days(first: date, last: date, step: int = 1) -> Iterator[date]:
    return map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1, step))


def _months(first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = month_after(month)
