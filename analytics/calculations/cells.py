"""Which counters a person's history counts in: the single rule behind every roll-up.

Ingesting, late and out-of-order events, merging, excluding or erasing a person, and rebuilding
all use it: the counters change by the person's cells after minus those before.

Cells are local: they depend on a day, the active days next to it, and the person's first days. So
where those stay the same, both sides may leave out the same active days, as long as they keep
every day between the changed ones and the nearest active day on either side.
"""

from bisect import bisect_left
from collections.abc import Iterator, MutableMapping, Sequence, Set
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from common.calculations.calendar import month_start, next_month, previous_month, week_start

ACTIVATION_CLOCK_SKEW = timedelta(minutes=5)
ACTIVATION_WINDOW = timedelta(days=7)
QUICK_ACTIVATION_WINDOW = timedelta(hours=24)
# The longest delays from signup to activation of each bucket, by number from 1 on.
DELAY_BOUNDS = (
    *(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 4, 8, 16, 24)),
    *(timedelta(days=days) for days in (2, 3, 4, 5, 6, 7)),
)

FORMULA_VERSION = 1  # raise it when a cell's meaning changes: the roll-ups then need a rebuild


class CounterName(StrEnum):
    """The counters. A cell is keyed (name, day, number), where `number` is 0 unless noted."""

    ACTIVE_DAY = "active_day"  # persons active on the day
    ACTIVE_WEEK = "active_week"  # ... in the ISO week that starts on the day
    ACTIVE_MONTH = "active_month"  # ... in the calendar month that starts on the day
    TRAILING_7 = "trailing_7"  # change of the persons active in the 7 days ending on the day
    TRAILING_30 = "trailing_30"  # ... in the 30 days ending on the day; sums give the persons

    MONTH_NEW = "month_new"  # persons whose first active month it is
    MONTH_RETAINED = "month_retained"  # ... active in it and in the month before
    MONTH_RESURRECTED = "month_resurrected"  # ... active in it and earlier, not the month before
    MONTH_CHURNED = "month_churned"  # ... active in the month before, not in it

    SIGNUP = "signup"  # cohort size by day of signup
    SIGNUP_RETAINED = "signup_retained"  # ... active `number` days after it
    SIGNUP_WEEK = "signup_week"  # cohort size by ISO week of signup
    SIGNUP_WEEK_RETAINED = "signup_week_retained"  # ... active in the `number`-th week after it
    ACTIVATED = "activated"  # by day of signup: activated within 7 x 24 hours
    ACTIVATED_QUICKLY = "activated_quickly"  # by day of signup: activated within 24 hours
    ACTIVATION_DELAY = "activation_delay"  # ... activated after a delay of the `number`-th bucket

    FIRST_EVENT = "first_event"  # the same cohorts by day of the first qualifying event
    FIRST_EVENT_RETAINED = "first_event_retained"
    FIRST_EVENT_WEEK = "first_event_week"
    FIRST_EVENT_WEEK_RETAINED = "first_event_week_retained"


Cell = tuple[CounterName, int, int]  # name, day ordinal, number


class Firsts(NamedTuple):
    """The days of a person's first events, as ordinals of local calendar days.

    `activation_delay` is the bucket of the delay from signup to activation, if that came in time;
    `active_day` is the first active day.
    """

    signup_day: int | None = None
    activation_delay: int | None = None
    active_day: int | None = None
    excluded: bool = False


def delay_bucket(delay: timedelta | None) -> int | None:
    """Return the number of a delay from signup to activation; None if it was not in time."""
    if delay is None or not -ACTIVATION_CLOCK_SKEW <= delay <= ACTIVATION_WINDOW:
        return None
    return 1 + bisect_left(DELAY_BOUNDS, delay)


def add_cells(
    counted: MutableMapping[Cell, int], person: Firsts, active_days: Sequence[int], amount: int = 1
) -> None:
    """Add `amount` times the person's cells to `counted`.

    `active_days` are ascending ordinals without repetition.
    """
    if person.excluded:
        return
    for cell in _cells(person, active_days):
        counted[cell] = counted.get(cell, 0) + amount
    for cell, step in _trailing_edges(active_days):
        counted[cell] = counted.get(cell, 0) + step * amount


def _cells(person: Firsts, active_days: Sequence[int]) -> Iterator[Cell]:
    weeks = {week_start(day) for day in active_days}
    months = {month_start(day) for day in active_days}
    for day in active_days:
        yield CounterName.ACTIVE_DAY, day, 0
    for week in weeks:
        yield CounterName.ACTIVE_WEEK, week, 0
    for month in months:
        yield CounterName.ACTIVE_MONTH, month, 0
    if person.active_day is not None:
        yield from _growth_accounting(month_start(person.active_day), months)
        yield from _cohort(_FIRST_EVENT_COHORT, person.active_day, active_days, weeks)
    if person.signup_day is not None:
        if person.activation_delay is not None:
            yield CounterName.ACTIVATED, person.signup_day, 0
            yield CounterName.ACTIVATION_DELAY, person.signup_day, person.activation_delay
            if DELAY_BOUNDS[person.activation_delay - 1] <= QUICK_ACTIVATION_WINDOW:
                yield CounterName.ACTIVATED_QUICKLY, person.signup_day, 0
        yield from _cohort(_SIGNUP_COHORT, person.signup_day, active_days, weeks)


def _trailing_edges(active_days: Sequence[int]) -> Iterator[tuple[Cell, int]]:
    """Mark where the person enters and leaves the trailing 7 and 30 days."""
    for name, window in ((CounterName.TRAILING_7, 7), (CounterName.TRAILING_30, 30)):
        left: int | None = None  # the first day on which the window has passed
        for day in active_days:
            if left is None or day > left:
                if left is not None:
                    yield (name, left, 0), -1
                yield (name, day, 0), 1
            left = day + window
        if left is not None:
            yield (name, left, 0), -1


def _growth_accounting(first: int, months: Set[int]) -> Iterator[Cell]:
    for month in months:
        if month == first:
            yield CounterName.MONTH_NEW, month, 0
        elif previous_month(month) in months:
            yield CounterName.MONTH_RETAINED, month, 0
        else:
            yield CounterName.MONTH_RESURRECTED, month, 0
        if next_month(month) not in months:
            yield CounterName.MONTH_CHURNED, next_month(month), 0


class _Cohort(NamedTuple):
    size: CounterName
    retained: CounterName
    week_size: CounterName
    week_retained: CounterName


_SIGNUP_COHORT = _Cohort(
    CounterName.SIGNUP,
    CounterName.SIGNUP_RETAINED,
    CounterName.SIGNUP_WEEK,
    CounterName.SIGNUP_WEEK_RETAINED,
)
_FIRST_EVENT_COHORT = _Cohort(
    CounterName.FIRST_EVENT,
    CounterName.FIRST_EVENT_RETAINED,
    CounterName.FIRST_EVENT_WEEK,
    CounterName.FIRST_EVENT_WEEK_RETAINED,
)


def _cohort(
    cohort: _Cohort, cohort_day: int, active_days: Sequence[int], weeks: Set[int]
) -> Iterator[Cell]:
    """Yield the cohort's sizes, and the day and week numbers on which the person was active."""
    cohort_week = week_start(cohort_day)
    yield cohort.size, cohort_day, 0
    yield cohort.week_size, cohort_week, 0
    for day in active_days:
        if day >= cohort_day:
            yield cohort.retained, cohort_day, day - cohort_day
    for week in weeks:
        if week >= cohort_week:
            yield cohort.week_retained, cohort_week, (week - cohort_week) // 7
