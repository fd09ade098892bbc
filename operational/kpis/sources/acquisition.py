"""LTV:CAC, from what customers pay and what was spent to win them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction

from django.db.models import QuerySet

from analytics.insights import cohorts
from analytics.models import Person
from analytics.rollups.counters import Span
from common.calculations.statistics import Status
from common.formatting import Unit, money
from growth.spend import acquisition, customers, spending
from growth.spend.acquisition import Overall
from operational.calculations.catalogue import KpiGroup
from operational.calculations.kpi import Figure, Goal, Measurement, no_data
from operational.kpis.sources.revenue import NOT_CONNECTED, held_if_unreliable, persons_of


class LtvCacSource:
    """LTV / CAC of the 90 days that end on a day."""

    def measure(self, *, as_of: date, goal: Goal) -> Measurement:
        overall = acquisition.overall(as_of=as_of)
        if overall.ltv is None or overall.ltv.lifetime is None:
            return no_data(NOT_CONNECTED)
        return held_if_unreliable(_measured(overall, overall.ltv.lifetime.ltv), as_of)

    def spans(self, *, as_of: date) -> Sequence[Span]:
        return ()

    def related_figures(self, *, as_of: date) -> tuple[Figure, ...]:
        overall = acquisition.overall(as_of=as_of)
        ltv = overall.ltv
        if ltv is None or ltv.lifetime is None:
            return ()
        churn = Measurement(
            Status.OK,
            "Below 1.67 %, so counted as 1.67 %." if ltv.lifetime.capped else "",
            value=float(ltv.churn.rate or Fraction(0)),
            window_from=ltv.window_from,
            window_to=as_of,
        )
        unset = "" if ltv.margin_is_set else "Not set, so counted as 100 %."
        margin = Measurement(Status.OK, unset, value=float(ltv.gross_margin))
        new = Measurement(
            Status.OK,
            value=overall.new_customers,
            window_from=overall.window_from,
            window_to=as_of,
        )
        return (
            Figure("Monthly churn behind LTV", Unit.RATE, churn),
            Figure("Gross margin", Unit.RATE, margin),
            Figure("New customers in 90 days", Unit.COUNT, new),
        )

    def people(self, *, as_of: date, goal: Goal, group: KpiGroup) -> QuerySet[Person]:
        if group is not KpiGroup.DENOMINATOR:
            return cohorts.no_persons()
        first = acquisition.window_from(as_of)
        return persons_of(customers.new_customers(first=first, last=as_of).keys())


def _measured(overall: Overall, ltv: Fraction) -> Measurement:
    """Return the ratio, or why there is none; not being a share, it has no interval."""
    value, cost = money(ltv, overall.ltv.currency if overall.ltv else ""), overall.cost
    if cost.cac is None and not spending.is_recorded():
        return no_data(
            f"LTV is {value}, but CAC is unknown: no marketing and sales spend is recorded."
        )
    if cost.cac is None:
        return no_data(f"LTV is {value}. {cost.reason}")
    measurement = Measurement(
        cost.status,
        cost.reason,
        numerator=float(ltv),
        denominator=float(cost.cac),
        window_from=overall.window_from,
        window_to=overall.as_of,
    )
    if overall.ratio is None:
        nothing = f"LTV is {value}, but nothing was spent: LTV:CAC has no value."
        return replace(measurement, status=Status.NO_DATA, reason=cost.reason or nothing)
    return replace(measurement, value=float(overall.ratio))
