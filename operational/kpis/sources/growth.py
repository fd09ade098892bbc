"""Growth from one complete calendar month to the next."""

from collections.abc import Sequence
from datetime import date

from django.db.models import QuerySet

from analytics.insights import cohorts
from analytics.insights.active_users import month_span, monthly_active, signups_in
from analytics.insights.cohorts import DayRange
from analytics.models import Person
from analytics.rollups.counters import Span
from billing.revenue import mrr
from common.calculations.calendar import month_start, previous_month
from common.formatting import month_year
from operational.calculations.catalogue import Basis, KpiGroup
from operational.calculations.kpi import Figure, Goal, Measurement, measured_growth, no_data
from operational.kpis.sources.revenue import NOT_CONNECTED, held_if_unreliable, persons_of


class GrowthSource:
    """Growth of the goal's basis."""

    def measure(self, *, as_of: date, goal: Goal) -> Measurement:
        before, now = last_two_months(as_of)
        match goal.basis:
            case Basis.ACTIVE_USERS:
                counts = [monthly_active(first) for first, _ in (before, now)]
                did = "was active"
            case Basis.SIGNUPS:
                counts = [signups_in(first=first, last=last) for first, last in (before, now)]
                did = "signed up"
            case _:
                return self._of_customers(before, now, goal)
        return measured_growth(
            *counts,
            window_from=before[0],
            window_to=now[1],
            basis=goal.basis,
            empty_reason=_nothing_before(f"No one {did} in", before),
        )

    def _of_customers(self, before: DayRange, now: DayRange, goal: Goal) -> Measurement:
        """Compare the ends of the months; the sample is the customers, not the cents."""
        if mrr.first_day() is None:
            return no_data(
                f"Growth is set to be measured on {goal.basis}. {NOT_CONNECTED}"
                " Set its goal to active_users or signups instead."
            )
        levels = mrr.levels([before[1], now[1]])
        on_mrr = goal.basis == Basis.MRR
        measurement = measured_growth(
            *(level.mrr if on_mrr else level.customers for level in levels),
            window_from=before[0],
            window_to=now[1],
            basis=goal.basis,
            empty_reason=_nothing_before("No one was paying at the end of", before),
            sample=levels[0].customers,
        )
        return held_if_unreliable(measurement, now[1])

    def spans(self, *, as_of: date) -> Sequence[Span]:
        return [month_span(first) for first, _ in last_two_months(as_of)]

    def related_figures(self, *, as_of: date) -> tuple[Figure, ...]:
        return ()

    def people(self, *, as_of: date, goal: Goal, group: KpiGroup) -> QuerySet[Person]:
        before, now = last_two_months(as_of)
        match goal.basis, group:
            case Basis.ACTIVE_USERS, _:
                return _active(before, now, group)
            case ((Basis.CUSTOMERS | Basis.MRR), _):
                return persons_of(_customers(before, now, group))
            case Basis.SIGNUPS, KpiGroup.NUMERATOR:
                return cohorts.signed_up(*now)
            case Basis.SIGNUPS, KpiGroup.DENOMINATOR:
                return cohorts.signed_up(*before)
        return cohorts.no_persons()


def last_two_months(as_of: date) -> tuple[DayRange, DayRange]:
    """Return the last two calendar months complete at the end of a day, the earlier first."""
    running = month_start(as_of.toordinal() + 1)
    last = previous_month(running)
    before = previous_month(last)
    return _month(before, last), _month(last, running)


def _nothing_before(statement: str, month: DayRange) -> str:
    return f"{statement} {month_year(month[0])}, so there is nothing to compare with."


def _active(before: DayRange, now: DayRange, group: KpiGroup) -> QuerySet[Person]:
    if group is KpiGroup.MISSED:
        return cohorts.active_before_only(before, now)
    return cohorts.active(now if group is KpiGroup.NUMERATOR else before)


def _customers(before: DayRange, now: DayRange, group: KpiGroup) -> set[str]:
    then, today = (set(mrr.customers_at(month[1])) for month in (before, now))
    if group is KpiGroup.MISSED:
        return then - today
    return today if group is KpiGroup.NUMERATOR else then


def _month(first: int, following: int) -> DayRange:
    return date.fromordinal(first), date.fromordinal(following - 1)
