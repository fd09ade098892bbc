"""Customers and MRR lost, read from the ledger.

Amounts are minor units of the reporting currency in force; windows include both their ends.
Customers of excluded (test, internal) persons do not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from django.db import connection

from billing.models import COUNTED
from billing.revenue import mrr
from billing.revenue import settings as revenue_settings
from common.calculations.statistics import Rate
from common.read_once import read_each_once, read_once

CHURN_DAYS = 30

# The customers with movements in a window: what they paid before it, at its end, and at least.
_MOVED = f"""
SELECT customer_id, (array_agg(opening ORDER BY day))[1] AS paid,
       (array_agg(closing ORDER BY day DESC))[1] AS pays, min(closing) AS lowest,
       bool_or(kind IN ('new', 'reactivation')) AS came,
       -coalesce(sum(amount) FILTER (WHERE kind IN ('contraction', 'churn')), 0) AS decrease
FROM billing_mrrmovement
WHERE {COUNTED} AND kind <> 'held' AND day > %s AND day <= %s
GROUP BY customer_id
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
    before = mrr.level(start)
    ((left, both),) = customers_lost([(start, as_of)])
    lost, decrease = _mrr_lost(start, as_of)
    return Churn(
        as_of=as_of,
        currency=revenue_settings.currency_in_force(),
        window_from=start + timedelta(days=1),
        rate=Rate(left, before.customers),
        joined_and_left=both,
        mrr_before=before.mrr,
        mrr_lost=lost,
        mrr_gained_and_lost=decrease - lost,
    )


def _mrr_lost(start: date, end: date) -> tuple[int, int]:
    """Return how much of the MRR of `start` was lost, and contraction and churn as a whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(paid - least(paid, lowest)), 0), coalesce(sum(decrease), 0)"
            f" FROM ({_MOVED}) AS moved",
            [start, end],
        )
        lost, decrease = cursor.fetchone()
        return int(lost), int(decrease)


def churned_customers(*, as_of: date) -> list[str]:
    """Return the customers of 30 days earlier who pay nothing at the end of `as_of`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id FROM ({_MOVED}) AS moved WHERE paid > 0 AND pays = 0",
            [as_of - timedelta(days=CHURN_DAYS), as_of],
        )
        return [row[0] for row in cursor.fetchall()]


@read_each_once
def customers_lost(windows: Sequence[tuple[date, date]]) -> list[tuple[int, int]]:
    """Return two numbers per window, with one query.

    How many customers of its start pay nothing at its end, and how many joined and left within it.
    """
    starts, ends = zip(*windows, strict=True)
    moved = _MOVED.replace("> %s", "> first").replace("<= %s", "<= last")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE paid > 0 AND pays = 0),"
            " count(*) FILTER (WHERE paid = 0 AND pays = 0 AND came)"
            " FROM unnest(%s::date[], %s::date[])"
            " WITH ORDINALITY AS windows (first, last, position)"
            f" LEFT JOIN LATERAL ({moved}) AS moved ON true GROUP BY position ORDER BY position",
            [list(starts), list(ends)],
        )
        return [(left, both) for left, both in cursor.fetchall()]
