"""Customers and MRR lost, read from the ledger.

Amounts are minor units of the reporting currency in force; windows include both their ends.
Customers of excluded (test, internal) persons do not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from django.db import connection

from billing.models import COUNTED
from billing.revenue import mrr
from billing.revenue import settings as revenue_settings
from common.calculations.statistics import Rate
from common.read_once import read_each_once, read_once

CHURN_DAYS = 30

# The customers with movements in a window: what they paid before it, at its end, and at least.
# Pairs of a day and an amount give the amount of the first or last day without a sort.
_DAY = "day - date '2000-01-01'"
_MOVED = f"""
SELECT customer_id, (min(ARRAY[{_DAY}, opening]))[2] AS paid,
       (max(ARRAY[{_DAY}, closing]))[2] AS pays, min(closing) AS lowest,
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


class Losses(NamedTuple):
    """What was lost within a window of days."""

    customers: int  # who paid at its start, and pay nothing at its end
    joined_and_left: int  # customers who did both within it
    mrr: int  # how far customers fell below what they paid at its start
    decrease: int  # contraction and churn as a whole


@read_once
def last_30_days(*, as_of: date) -> Churn:
    """Return churn over the 30 days that end on `as_of`."""
    start = as_of - timedelta(days=CHURN_DAYS)
    before = mrr.level(start)
    (lost,) = losses([(start, as_of)])
    return Churn(
        as_of=as_of,
        currency=revenue_settings.currency_in_force(),
        window_from=start + timedelta(days=1),
        rate=Rate(lost.customers, before.customers),
        joined_and_left=lost.joined_and_left,
        mrr_before=before.mrr,
        mrr_lost=lost.mrr,
        mrr_gained_and_lost=lost.decrease - lost.mrr,
    )


def churned_customers(*, as_of: date) -> list[str]:
    """Return the customers of 30 days earlier who pay nothing at the end of `as_of`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id FROM ({_MOVED}) AS moved WHERE paid > 0 AND pays = 0",
            [as_of - timedelta(days=CHURN_DAYS), as_of],
        )
        return [row[0] for row in cursor.fetchall()]


@read_each_once
def losses(windows: Sequence[tuple[date, date]]) -> list[Losses]:
    """Return what was lost between the ends of two days, for each window, with one query."""
    starts, ends = zip(*windows, strict=True)
    moved = _MOVED.replace("> %s", "> first").replace("<= %s", "<= last")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE paid > 0 AND pays = 0),"
            " count(*) FILTER (WHERE paid = 0 AND pays = 0 AND came),"
            " coalesce(sum(paid - least(paid, lowest)), 0), coalesce(sum(decrease), 0)"
            " FROM unnest(%s::date[], %s::date[])"
            " WITH ORDINALITY AS windows (first, last, position)"
            f" LEFT JOIN LATERAL ({moved}) AS moved ON true GROUP BY position ORDER BY position",
            [list(starts), list(ends)],
        )
        return [Losses(*map(int, row)) for row in cursor.fetchall()]
