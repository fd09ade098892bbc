"""Retention: the persons of a cohort who are active again some days or weeks later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from analytics.calculations.cells import CounterName
from analytics.rollups import counters
from analytics.rollups.counters import Span
from common.calculations.calendar import week_start
from common.calculations.statistics import Rate


class CohortKind(StrEnum):
    """The event that puts a person into the cohort of a day."""

    SIGNUP = "signup"
    FIRST_EVENT = "first_event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Of the `eligible` persons of cohorts, those who were `retained`."""

    eligible: int
    retained: int

    @property
    def rate(self) -> Rate:
        return Rate(self.retained, self.eligible)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRetention(Retention):
    """The persons active on exactly the `day`-th day after the cohort day."""

    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekRetention(Retention):
    """The persons active in the `week`-th ISO week after the cohort week."""

    week: int


@dataclass(frozen=True, slots=True)
class WeekCohort:
    """The cohort of the ISO week that starts on `week`; `weeks` holds its complete weeks."""

    week: date
    size: int
    weeks: tuple[WeekRetention, ...]


def definition(*, cohort: CohortKind, time_zone: str) -> str:
    """Return the definition of classic retention, to be shown with the numbers."""
    joined = {
        CohortKind.SIGNUP: "signing up",
        CohortKind.FIRST_EVENT: "the first event that counts as activity",
    }[cohort]
    return (
        f"Persons active on exactly the N-th calendar day after the day of {joined}, of all "
        f"persons for whom that day is over. Days run from midnight to midnight in {time_zone}: a "
        "person who joins at 23:45 and is active at 00:05 is retained on day 1."
    )


def weekly_definition(*, cohort: CohortKind, time_zone: str) -> str:
    """Return the definition of the weekly matrix, to be shown with it."""
    joined = {CohortKind.SIGNUP: "signup", CohortKind.FIRST_EVENT: "first activity"}[cohort]
    return (
        f"Persons active at least once in the N-th ISO week (Monday to Sunday, {time_zone}) after "
        f"the week of their {joined}, of all persons of that week. Week 0 is that week; "
        "weeks that are not over are excluded."
    )


def day_retention(
    *,
    cohort: CohortKind,
    days: Sequence[int],
    cohorts_from: date | None,
    cohorts_to: date | None,
    as_of: date,
) -> list[DayRetention]:
    """Return the retention on each of `days` (>= 0) of the cohorts in a range of days.

    A cohort counts for day N only where cohort day + N <= `as_of`; None leaves an end open.
    """
    sums = counters.totals(
        [
            span
            for day in days
            for span in day_spans(
                cohort, day, cohorts_from or date.min, cohorts_to or date.max, as_of=as_of
            )
        ]
    )
    return [
        DayRetention(day=day, eligible=eligible, retained=active)
        for day, eligible, active in zip(days, sums[::2], sums[1::2], strict=True)
    ]


def day_spans(cohort: CohortKind, day: int, first: date, last: date, *, as_of: date) -> list[Span]:
    """Return the counters of the cohorts of a range of days: their size, and those active."""
    last = min(last, _earlier(as_of, day))
    size, retained = CounterName(cohort), CounterName(f"{cohort}_retained")
    return [Span(size, first, last), Span(retained, first, last, number=day)]


def weekly_retention(
    *,
    cohort: CohortKind,
    weeks: int,
    cohorts_from: date | None,
    cohorts_to: date | None,
    as_of: date,
) -> list[WeekCohort]:
    """Return the cohorts of the ISO weeks that a range of days touches, with weeks 0 to `weeks`.

    Only weeks that are over on `as_of` are in a cohort's row; None leaves an end open.
    """
    sizes, *retained = counters.read(
        week_spans(cohort, weeks, cohorts_from or date.min, cohorts_to or date.max, as_of=as_of)
    )
    return [
        WeekCohort(
            week=week,
            size=persons,
            weeks=tuple(
                WeekRetention(week=number, eligible=persons, retained=cells.get(week, 0))
                for number, cells in enumerate(retained[: ((as_of - week).days + 1) // 7])
            ),
        )
        for week, persons in sorted(sizes.items())
        if persons
    ]


def week_spans(
    cohort: CohortKind, weeks: int, first: date, last: date, *, as_of: date
) -> list[Span]:
    """Return the counters of weekly cohorts: size, and those active in weeks 0 to `weeks`."""
    first, last = date.fromordinal(week_start(first.toordinal())), min(last, as_of)
    size, retained = CounterName(f"{cohort}_week"), CounterName(f"{cohort}_week_retained")
    return [
        Span(size, first, last, by_day=True),
        *(Span(retained, first, last, number, by_day=True) for number in range(weeks + 1)),
    ]


def _earlier(day: date, count: int) -> date:
    return date.fromordinal(max(1, day.toordinal() - count))
