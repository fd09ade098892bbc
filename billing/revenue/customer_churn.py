"""Customers and MRR lost, read from the ledger.

Amounts are minor units of the reporting currency in force; windows include both their ends.
Customers of excluded (test, internal) persons do not count.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from django.db import connection

from billing.models import COUNTED, MrrDay
from billing.revenue import mrr
from billing.revenue import settings as revenue_settings
from common.calculations.statistics import Rate
from common.read_once import read_once

CHURN_DAYS = 30

# Customers with movements in the 30 days that end on a day, and what they paid before and at their
# end, and at least. Pairs of a day and an amount give the amount of the first or last day without a
# sort.
_DAY = "day - date '2000-01-01'"
_MOVED = f"""
SELECT customer_id, (min(ARRAY[{_DAY}, opening]))[2] AS paid,
       (max(ARRAY[{_DAY}, closing]))[2] AS pays, min(closing) AS lowest,
       bool_or(kind IN ('new', 'reactivation')) AS came
FROM billing_mrrmovement
WHERE {COUNTED} AND kind <> 'held'
  AND day > {{end}} - {CHURN_DAYS} AND day <= {{end}} AND {{condition}}
GROUP BY customer_id
"""
_IS_LOST = "paid > 0 AND pays = 0"

# A customer's part of a day's churn changes where a movement enters the 30 days or leaves them.
# {sign} is 1 or -1, {condition} selects some customers.
COUNT_LOST = f"""
WITH edge AS (
    SELECT DISTINCT customer_id, movement.day + shift AS day
    FROM billing_mrrmovement AS movement, unnest(ARRAY[0, {CHURN_DAYS}]) AS shift
    WHERE {COUNTED} AND kind <> 'held' AND {{condition}}
), lost AS (
    SELECT edge.customer_id, edge.day,
           coalesce(({_IS_LOST})::integer, 0) AS customers,
           coalesce((paid = 0 AND pays = 0 AND came)::integer, 0) AS joined_and_left,
           coalesce(paid - least(paid, lowest), 0) AS mrr
    FROM edge LEFT JOIN LATERAL (
        {_MOVED.format(end="edge.day", condition="customer_id = edge.customer_id")}
    ) AS moved ON true
), change AS (
    SELECT day, customers - lag(customers, 1, 0) OVER days AS customers,
           joined_and_left - lag(joined_and_left, 1, 0) OVER days AS joined_and_left,
           mrr - lag(mrr, 1, 0::bigint) OVER days AS mrr
    FROM lost WINDOW days AS (PARTITION BY customer_id ORDER BY day)
)
INSERT INTO billing_mrrday (day, {", ".join(MrrDay.MOVEMENTS)}, {", ".join(MrrDay.CHURN)})
SELECT day, {", ".join("0" for _ in MrrDay.MOVEMENTS)},
       {{sign}} * sum(customers), {{sign}} * sum(joined_and_left), {{sign}} * sum(mrr)
FROM change GROUP BY day
ON CONFLICT (day) DO UPDATE SET
    {", ".join(f"{name} = billing_mrrday.{name} + EXCLUDED.{name}" for name in MrrDay.CHURN)}
"""


@dataclass(frozen=True, slots=True)
class Churn:
    """Customers and MRR lost in the 30 days that end on `as_of`."""

    as_of: date
    currency: str
    window_from: date
    rate: Rate
    joined_and_left: int  # within the window, so in neither number of the rate
    mrr_before: int
    mrr_lost: int  # of `mrr_before`: how far each customer fell below what it paid then
    mrr_gained_and_lost: int  # the other contraction and churn: MRR gained within the window

    @property
    def gross_mrr_churn(self) -> Fraction | None:
        return Fraction(self.mrr_lost, self.mrr_before) if self.mrr_before else None


@read_once
def last_30_days(*, as_of: date) -> Churn:
    """Return churn over the 30 days that end on `as_of`."""
    start = as_of - timedelta(days=CHURN_DAYS)
    before, now = mrr.sums([start, as_of])
    decrease = now.decrease - before.decrease
    return Churn(
        as_of=as_of,
        currency=revenue_settings.currency_in_force(),
        window_from=start + timedelta(days=1),
        rate=Rate(now.lost_customers, before.customers),
        joined_and_left=now.joined_and_left,
        mrr_before=before.mrr,
        mrr_lost=now.lost_mrr,
        mrr_gained_and_lost=decrease - now.lost_mrr,
    )


def churned_customers(*, as_of: date) -> list[str]:
    """Return the customers of 30 days earlier who pay nothing at the end of `as_of`."""
    moved = _MOVED.format(end="%(as_of)s::date", condition="true")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id FROM ({moved}) AS moved WHERE {_IS_LOST}", {"as_of": as_of}
        )
        return [row[0] for row in cursor.fetchall()]
