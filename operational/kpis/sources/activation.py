"""Activation within a given time after signup."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.db.models import F, QuerySet

from analytics.calculations.cells import (
    ACTIVATION_CLOCK_SKEW,
    ACTIVATION_WINDOW,
    QUICK_ACTIVATION_WINDOW,
)
from analytics.insights import cohorts
from analytics.insights.activation import (
    activation_counts,
    activation_spans,
    delay_spans,
    median_time_to_activation,
)
from analytics.models import Person
from analytics.rollups.counters import Span
from common.calculations.statistics import Status
from common.formatting import Unit
from operational.calculations.catalogue import KpiGroup
from operational.calculations.kpi import Figure, Goal, Measurement, measured_rate, no_data
from operational.kpis.sources.base import no_signups_reason, signup_window


class ActivationSource:
    """People who activated within 7 x 24 hours of signup."""

    within = ACTIVATION_WINDOW
    age = 7  # days until every signup had the full time to activate

    def measure(self, *, as_of: date, goal: Goal) -> Measurement:
        first, last = signup_window(as_of, age=self.age)
        counts = activation_counts(signups_from=first, signups_to=last)
        quick = self.within == QUICK_ACTIVATION_WINDOW
        return measured_rate(
            counts.activated_quickly if quick else counts.activated,
            counts.signups,
            window_from=first,
            window_to=last,
            empty_reason=no_signups_reason(first, last),
        )

    def spans(self, *, as_of: date) -> Sequence[Span]:
        days = signup_window(as_of, age=self.age)
        return [*activation_spans(*days), *delay_spans(*days)]

    def related_figures(self, *, as_of: date) -> tuple[Figure, ...]:
        first, last = signup_window(as_of, age=self.age)
        median = median_time_to_activation(signups_from=first, signups_to=last)
        measurement = no_data(f"No one who signed up from {first} to {last} activated.")
        if median is not None:
            hours = median / timedelta(hours=1)
            measurement = Measurement(Status.OK, value=hours, window_from=first, window_to=last)
        return (Figure("Median time to activation", Unit.HOURS, measurement),)

    def people(self, *, as_of: date, goal: Goal, group: KpiGroup) -> QuerySet[Person]:
        persons = cohorts.signed_up(*signup_window(as_of, age=self.age))
        activated = persons.filter(
            activated_at__gte=F("signup_at") - ACTIVATION_CLOCK_SKEW,
            activated_at__lte=F("signup_at") + self.within,
        )
        if group is KpiGroup.NUMERATOR:
            return activated
        return persons if group is KpiGroup.DENOMINATOR else persons.exclude(pk__in=activated)


class QuickActivationSource(ActivationSource):
    """People who activated within 24 hours of signup."""

    within = QUICK_ACTIVATION_WINDOW
    age = 1

    def spans(self, *, as_of: date) -> Sequence[Span]:
        return activation_spans(*signup_window(as_of, age=self.age))

    def related_figures(self, *, as_of: date) -> tuple[Figure, ...]:
        return ()
