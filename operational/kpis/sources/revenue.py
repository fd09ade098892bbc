"""KPIs on what customers pay: churn."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, timedelta

from django.db.models import QuerySet

from analytics.insights import cohorts
from analytics.models import Person
from analytics.rollups.counters import Span
from billing.revenue import customer_churn, mrr
from billing.revenue import settings as revenue_settings
from billing.stripe import gateway
from common.calculations.statistics import Status
from common.formatting import Unit
from operational.calculations.catalogue import KpiGroup
from operational.calculations.kpi import Figure, Goal, Measurement, measured_rate, no_data

NOT_CONNECTED = (
    "No MRR yet: Stripe billing is not connected, or no one has paid for a subscription."
)


class ChurnSource:
    """Customers of 30 days ago who no longer pay."""

    def measure(self, *, as_of: date, goal: Goal) -> Measurement:
        if mrr.first_day() is None:
            return no_data(NOT_CONNECTED)
        churn = customer_churn.last_30_days(as_of=as_of)
        before = churn.window_from - timedelta(days=1)
        measurement = measured_rate(
            churn.rate.numerator,
            churn.rate.denominator,
            window_from=churn.window_from,
            window_to=as_of,
            empty_reason=f"There were no customers at the end of {before}.",
        )
        return held_if_unreliable(measurement, as_of)

    def spans(self, *, as_of: date) -> Sequence[Span]:
        return ()

    def related_figures(self, *, as_of: date) -> tuple[Figure, ...]:
        if mrr.first_day() is None:
            return ()
        churn, now = customer_churn.last_30_days(as_of=as_of), mrr.level(as_of)
        ahead = mrr.outlook(as_of=as_of)
        ending, at_risk = (ahead.scheduled_churn, ahead.at_risk) if ahead else (None, None)
        return (
            Figure("Gross MRR churn", Unit.RATE, _share(churn.mrr_lost, churn.mrr_before)),
            Figure("Scheduled churn, of MRR", Unit.RATE, _share(ending, now.mrr)),
            Figure("At risk (past due), of MRR", Unit.RATE, _share(at_risk, now.mrr)),
            Figure(
                "Joined and left in the window",
                Unit.COUNT,
                Measurement(Status.OK, value=churn.joined_and_left),
            ),
        )

    def people(self, *, as_of: date, goal: Goal, group: KpiGroup) -> QuerySet[Person]:
        start = as_of - timedelta(days=customer_churn.CHURN_DAYS)
        churned = set(customer_churn.churned_customers(as_of=as_of))
        if group is KpiGroup.NUMERATOR:
            return persons_of(churned)
        before = set(mrr.customers_at(start))
        return persons_of(before if group is KpiGroup.DENOMINATOR else before - churned)


def held_if_unreliable(measurement: Measurement, as_of: date) -> Measurement:
    """Hold a value if the ledger behind it is incomplete."""
    problem = revenue_settings.rebuild_needed()
    if not problem and (held := mrr.held_amounts(as_of=as_of)):
        currencies = ", ".join(amount.currency.upper() for amount in held)
        problem = f"Exchange rates are missing ({currencies}): some MRR is not in any total."
    if not problem or measurement.value is None:
        return measurement
    return replace(measurement, status=Status.HELD, reason=problem)


def persons_of(customer_ids: Collection[str]) -> QuerySet[Person]:
    persons = set(gateway.persons_of(customer_ids).values()) if customer_ids else set()
    return cohorts.with_ids(persons)


def _share(part: int | None, whole: int) -> Measurement:
    if part is None:
        return no_data("Only available for the last complete day.")
    if not whole:
        return no_data("There was no MRR.")
    return Measurement(Status.OK, value=part / whole, numerator=part, denominator=whole)
