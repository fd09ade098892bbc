"""Activation: how many persons reach the product's core use, and how soon after signup."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from analytics.calculations.cells import (
    ACTIVATION_CLOCK_SKEW,
    ACTIVATION_WINDOW,
    DELAY_BOUNDS,
    QUICK_ACTIVATION_WINDOW,
    CounterName,
)
from analytics.models.activation_delay import ACTIVATION_DELAY
from analytics.rollups import counters, definitions
from analytics.rollups.counters import Span
from common.calculations.calendar import month_end
from common.calculations.statistics import Rate, middle
from common.postgres import Prepared

_DELAYS = Prepared(
    "plumbline_activation_delays",
    f"""
    SELECT activated_at - signup_at FROM analytics_person
    WHERE NOT excluded AND has_profile AND {ACTIVATION_DELAY} BETWEEN $1::int AND $2::int
        AND signup_at >= $3::timestamptz AND signup_at < $4::timestamptz
    ORDER BY 1 OFFSET $5::bigint LIMIT $6::bigint
    """,
)


@dataclass(frozen=True, slots=True)
class ActivationCounts:
    """Persons who signed up, and those of them who activated within 7 x 24 and within 24 hours."""

    signups: int
    activated: int
    activated_quickly: int


@dataclass(frozen=True, slots=True)
class ActivationRate:
    """The activated among the `eligible` persons, whose window after signup is over."""

    eligible: int
    activated: int

    @property
    def rate(self) -> Rate:
        return Rate(self.activated, self.eligible)


@dataclass(frozen=True, slots=True)
class ActivationInPeriod(ActivationRate):
    """Activation within 7 x 24 hours of the persons who signed up from `first` to `last`.

    The median time covers the persons counted as activated.
    """

    first: date
    last: date
    signups: int
    within_24_hours: ActivationRate
    median_time: timedelta | None


@dataclass(frozen=True, slots=True)
class ActivationReport:
    overall: ActivationInPeriod
    months: list[ActivationInPeriod]  # by month of signup


def definition(*, signup_event: str, activation_event: str, time_zone: str) -> str:
    """Return the definition of activation, to be shown with the numbers."""
    return (
        f"Persons whose first {activation_event} came within 7 x 24 hours (quickly: 24 hours) of "
        f"their signup ({signup_event}), of all persons who signed up at least 7 days (quickly: "
        f"1 day) before the last day counted. Days and months in {time_zone}."
    )


def activation_counts(*, signups_from: date, signups_to: date) -> ActivationCounts:
    """Return the sums over signup days; the caller must ensure that the days have matured."""
    return ActivationCounts(*counters.totals(activation_spans(signups_from, signups_to)))


def activation_spans(signups_from: date, signups_to: date) -> list[Span]:
    """Return the counters of the persons who signed up, activated, and activated quickly."""
    names = CounterName.SIGNUP, CounterName.ACTIVATED, CounterName.ACTIVATED_QUICKLY
    return [Span(name, signups_from, signups_to) for name in names]


def delay_spans(signups_from: date, signups_to: date) -> list[Span]:
    """Return the counters of the persons who activated in time, by the bucket of their delay."""
    return [
        Span(CounterName.ACTIVATION_DELAY, signups_from, signups_to, number)
        for number in range(1, 1 + len(DELAY_BOUNDS))
    ]


def median_time_to_activation(*, signups_from: date, signups_to: date) -> timedelta | None:
    """Return the median delay of the persons who activated within 7 x 24 hours of signup.

    The counters say in which bucket it lies, so only the persons of that bucket are read.
    """
    where = middle(counters.totals(delay_spans(signups_from, signups_to)))
    if where is None:
        return None
    start, end = definitions.calendar().span(signups_from, signups_to)
    values = 1 + where.first, 1 + where.last, start, end, where.skipped, where.values
    with connection.wrap_database_errors, connection.cursor() as cursor:
        delays = [delay for (delay,) in _DELAYS.rows(cursor.connection, [*map(str, values)])]
    # The persons changed since the counters were read, if there is none.
    return max(sum(delays, timedelta()) / len(delays), timedelta()) if delays else None


def activation_report(
    *, signups_from: date | None, signups_to: date | None, as_of: date
) -> ActivationReport:
    """Return activation by month of signup, from the first signup on, and overall.

    None leaves an end of the range open.
    """
    last = min(signups_to or as_of, as_of)
    first = max(signups_from or date.min, counters.first_day(CounterName.SIGNUP) or last)
    ranges = [(first, last), *_months(first, last)]
    sums = counters.totals([span for start, end in ranges for span in _spans(start, end, as_of)])
    medians = _median_times(first, min(last, as_of - ACTIVATION_WINDOW))
    labels = [None, *(start.replace(day=1) for start, _ in ranges[1:])]
    overall, *months = (
        _activation(start, end, sums[5 * position : 5 * position + 5], medians.get(label))
        for position, ((start, end), label) in enumerate(zip(ranges, labels, strict=True))
    )
    return ActivationReport(overall=overall, months=months)


def _spans(first: date, last: date, as_of: date) -> list[Span]:
    """Return the counters that `_activation` needs."""
    matured = min(last, as_of - ACTIVATION_WINDOW)
    quickly_matured = min(last, as_of - QUICK_ACTIVATION_WINDOW)
    return [
        Span(CounterName.SIGNUP, first, last),
        Span(CounterName.SIGNUP, first, matured),
        Span(CounterName.ACTIVATED, first, matured),
        Span(CounterName.SIGNUP, first, quickly_matured),
        Span(CounterName.ACTIVATED_QUICKLY, first, quickly_matured),
    ]


def _activation(
    first: date, last: date, sums: Sequence[int], median_time: timedelta | None
) -> ActivationInPeriod:
    signups, eligible, activated, quickly_eligible, quickly_activated = sums
    return ActivationInPeriod(
        first=first,
        last=last,
        signups=signups,
        eligible=eligible,
        activated=activated,
        within_24_hours=ActivationRate(quickly_eligible, quickly_activated),
        median_time=median_time,
    )


def _median_times(first: date, last: date) -> dict[date | None, timedelta]:
    """Return the median delays by the first day of the signup month, and under None overall."""
    calendar = definitions.calendar()
    start, end = calendar.span(first, last)
    parameters: dict[str, Any] = {
        "zone": calendar.zone.key,
        "start": start,
        "end": end,
        "skew": ACTIVATION_CLOCK_SKEW // timedelta(minutes=1),
        "window": ACTIVATION_WINDOW // timedelta(hours=1),
    }
    month = "date_trunc('month', signup_at AT TIME ZONE %(zone)s)::date"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {month},
                   percentile_cont(0.5) WITHIN GROUP (  -- numbers sort faster than intervals
                       ORDER BY date_part('epoch', activated_at - signup_at))
            FROM analytics_person
            WHERE NOT excluded AND has_profile
              AND signup_at >= %(start)s AND signup_at < %(end)s
              AND activated_at BETWEEN signup_at - make_interval(mins => %(skew)s)
                  AND signup_at + make_interval(hours => %(window)s)
            GROUP BY ROLLUP (1)
            """,
            parameters,
        )
        # A clock that runs ahead cannot make a person activate before signup.
        return {
            month: timedelta(seconds=max(seconds, 0))
            for month, seconds in cursor
            if seconds is not None
        }


def _months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the first and last day of each month's part of a range of days."""
    while first <= last:
        end = min(last, month_end(first))
        yield first, end
        first = end + timedelta(days=1)
