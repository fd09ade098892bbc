"""Retention on a day after signup."""

from collections.abc import Sequence
from datetime import date

from django.db.models import QuerySet

from analytics.insights import cohorts
from analytics.insights.retention import CohortKind, day_retention, day_spans
from analytics.models import Person
from analytics.rollups.counters import Span
from common.formatting import Unit
from operational.calculations.catalogue import KpiGroup
from operational.calculations.kpi import Figure, Goal, Measurement, measured_rate
from operational.kpis.sources.base import no_signups_reason, signup_window


class RetentionSource:
    """People active on day signup + `day`; `related_days` are shown with it."""

    def __init__(self, day: int, *, related_days: tuple[int, ...] = ()) -> None:
        self.day = day
        self.related_days = related_days

    def measure(self, *, as_of: date, goal: Goal) -> Measurement:
        return _measure(self.day, as_of)

    def spans(self, *, as_of: date) -> Sequence[Span]:
        return [
            span
            for day in (self.day, *self.related_days)
            for span in day_spans(
                CohortKind.SIGNUP, day, *signup_window(as_of, age=day), as_of=as_of
            )
        ]

    def related_figures(self, *, as_of: date) -> tuple[Figure, ...]:
        return tuple(
            Figure(f"D{day} retention", Unit.RATE, _measure(day, as_of))
            for day in self.related_days
        )

    def people(self, *, as_of: date, goal: Goal, group: KpiGroup) -> QuerySet[Person]:
        signup_days = signup_window(as_of, age=self.day)
        if group is KpiGroup.DENOMINATOR:
            return cohorts.signed_up(*signup_days)
        return cohorts.signed_up_and_retained(
            *signup_days, day=self.day, retained=group is KpiGroup.NUMERATOR
        )


def _measure(day: int, as_of: date) -> Measurement:
    first, last = signup_window(as_of, age=day)
    (retention,) = day_retention(
        cohort=CohortKind.SIGNUP, days=[day], cohorts_from=first, cohorts_to=last, as_of=as_of
    )
    return measured_rate(
        retention.retained,
        retention.eligible,
        window_from=first,
        window_to=last,
        empty_reason=no_signups_reason(first, last),
    )
