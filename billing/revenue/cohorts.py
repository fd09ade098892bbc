"""Revenue by signup month. Amounts are minor units of the reporting currency in force."""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from django.db import connection

from billing.models import COUNTED
from common.calculations.calendar import month_after

_COHORTS = f"""
SELECT signup_month, date_trunc('month', day)::date AS month, sum(amount) AS mrr,
       count(DISTINCT customer_id) FILTER (WHERE kind = 'new') AS won,
       count(DISTINCT (customer_id, day)) FILTER (WHERE kind IN ('new', 'reactivation'))
       - count(DISTINCT (customer_id, day)) FILTER (WHERE kind = 'churn') AS customers
FROM billing_mrrmovement JOIN billing_revenuecustomer USING (customer_id)
WHERE {COUNTED} AND kind <> 'held' AND day <= %s
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class RevenueCohortMonth:
    month: date
    mrr: int
    customers: int


@dataclass(slots=True)
class RevenueCohort:
    """The customers whose persons signed up in a month; None: signup month unknown."""

    signup_month: Annotated[date | None, "null: unknown."]
    won: Annotated[int, "Customers ever."] = 0
    months: list[RevenueCohortMonth] = field(default_factory=list)


def by_signup_month(*, as_of: date) -> list[RevenueCohort]:
    """Return what the customers of each signup month pay at the end of each month since."""
    cohorts: dict[date | None, RevenueCohort] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COHORTS, [as_of])
        rows = cursor.fetchall()
    for signup_month, month, amount, won, customers in rows:
        cohort = cohorts.setdefault(signup_month, RevenueCohort(signup_month))
        cohort.won += won
        _fill(cohort, month)
        before = cohort.months[-1] if cohort.months else RevenueCohortMonth(month, 0, 0)
        cohort.months.append(
            RevenueCohortMonth(month, before.mrr + int(amount), before.customers + customers)
        )
    for cohort in cohorts.values():
        _fill(cohort, month_after(as_of))
    return list(cohorts.values())


def _fill(cohort: RevenueCohort, until: date) -> None:
    """Repeat the last month for months without changes, up to before `until`."""
    while cohort.months and (month := month_after(cohort.months[-1].month)) < until:
        last = cohort.months[-1]
        cohort.months.append(RevenueCohortMonth(month, last.mrr, last.customers))
