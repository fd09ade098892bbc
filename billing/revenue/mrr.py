"""MRR and customers at the end of a day, read from the ledger's sums by day.

Amounts are minor units of the reporting currency in force; days are calendar days of the time zone
in force. Customers of excluded (test, internal) persons do not count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Annotated, NamedTuple

from django.db import connection
from django.db.models import F

from analytics.rollups import definitions
from billing.calculations.lifetime import arpa
from billing.calculations.movements import MovementKind
from billing.models import COUNTED, HeldObject, MrrDay, MrrMovement
from billing.revenue import settings as revenue_settings
from common.postgres import Compiled
from common.read_once import read_each_once, read_once

SHOWN_DAYS = 30

_CHANGE = F("new") + F("reactivation") + F("expansion") - F("contraction") - F("churn")
_CUSTOMERS = F("new_customers") + F("reactivated_customers") - F("churned_customers")

# Reads each day once: what changed between one wanted day and the next, added up.
_SUMS = {
    "mrr": "new + reactivation + expansion - contraction - churn",
    "customers": "new_customers + reactivated_customers - churned_customers",
    "ever_customers": "new_customers",
    "decrease": "contraction + churn",
    "lost_customers": "lost_customers",
    "joined_and_left": "joined_and_left",
    "lost_mrr": "lost_mrr",
}
_FIRST_DAY = Compiled(lambda: MrrDay.objects.order_by("day").values_list("day")[:1])
_LEVELS = f"""
SELECT {", ".join(f"coalesce(sum({name}) OVER days, 0)::bigint" for name in _SUMS)}
FROM (
    SELECT position, end_of, lag(end_of, 1, '-infinity') OVER (ORDER BY end_of) AS before
    FROM unnest(%s::date[]) WITH ORDINALITY AS wanted (end_of, position)
) AS wanted CROSS JOIN LATERAL (
    SELECT {", ".join(f"sum({changes}) AS {name}" for name, changes in _SUMS.items())}
    FROM billing_mrrday WHERE day > before AND day <= end_of
) AS changed
WINDOW days AS (ORDER BY end_of) ORDER BY position
"""
_OUTLOOK = f"""
SELECT coalesce(sum(at_risk), 0), coalesce(sum(with_tax), 0), coalesce(sum(scheduled_churn), 0),
       count(*) FILTER (WHERE scheduled_churn > 0)
FROM billing_revenuecustomer
WHERE (at_risk <> 0 OR with_tax <> 0 OR scheduled_churn <> 0) AND {COUNTED}
"""
_HELD = f"""
SELECT currency, sum(original_amount)::bigint, count(*), min(day) FROM billing_mrrmovement
WHERE kind = '{MovementKind.HELD}' AND day <= %s AND {COUNTED}
GROUP BY currency ORDER BY currency
"""


@dataclass(frozen=True, slots=True)
class MrrLevel:
    """What customers pay per month at the end of a day."""

    mrr: int = 0
    customers: int = 0


@dataclass(frozen=True, slots=True)
class DayLevel(MrrLevel):
    day: date = date.min


class DaySums(NamedTuple):
    """The sums of all days until the end of a day; the last three are of the 30 days before it."""

    mrr: int
    customers: int
    ever_customers: int  # who became customers, whether or not they stayed
    decrease: int  # contraction and churn
    lost_customers: int  # who paid 30 days earlier, and pay nothing
    joined_and_left: int  # who did both within the 30 days
    lost_mrr: int  # how far customers fell below what they paid 30 days earlier


@dataclass(frozen=True, slots=True)
class HeldAmount:
    """Original amounts of movements without an exchange rate, not included in any total."""

    currency: str
    amount: Annotated[int, "In minor units of that currency."]
    movements: int
    first_day: Annotated[date, "The first day that lacks a rate."]


class Outlook(NamedTuple):
    """MRR that is past due or has tax included, and MRR and customers scheduled to cancel."""

    at_risk: int
    with_tax: int
    scheduled_churn: int
    scheduled_customers: int


@dataclass(frozen=True, slots=True)
class Mrr:
    """MRR at the end of a day. Its parts and scheduled churn are known for the present only."""

    as_of: date
    currency: str
    mrr: int
    customers: int
    arpa: Fraction | None
    at_risk: int | None
    with_tax: int | None
    scheduled_churn: int | None
    scheduled_customers: int | None
    held: list[HeldAmount]
    held_objects: int
    days: list[DayLevel]


def level(day: date) -> MrrLevel:
    """Return MRR and customers at the end of a day."""
    return levels([day])[0]


def levels(days: Sequence[date]) -> list[MrrLevel]:
    """Return MRR and customers at the ends of some days, with one query."""
    return [MrrLevel(day.mrr, day.customers) for day in sums(days)]


def new_customers(*, first: date, last: date) -> int:
    """Return how many customers had their first MRR on these days."""
    before, then = sums([first - timedelta(days=1), last])
    return then.ever_customers - before.ever_customers


@read_each_once
def sums(days: Sequence[date]) -> list[DaySums]:
    """Return what the ledger adds up to at the ends of some days, with one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LEVELS, [list(days)])
        return [DaySums(*row) for row in cursor.fetchall()]


@read_once
def outlook(*, as_of: date) -> Outlook | None:
    """Return what is uncertain or about to be lost; None for past days: it is unknown then."""
    if as_of < definitions.last_complete_day():
        return None
    with connection.cursor() as cursor:
        cursor.execute(_OUTLOOK)
        return Outlook(*map(int, cursor.fetchone()))


@read_once
def report(*, as_of: date, first: date | None = None, last: date | None = None) -> Mrr:
    """Return MRR at the end of `as_of`, and of each day from `first` to `last` (30 days)."""
    last = min(last or as_of, as_of)
    first = first or last - timedelta(days=SHOWN_DAYS - 1)
    now, ahead = level(as_of), outlook(as_of=as_of)
    return Mrr(
        as_of=as_of,
        currency=revenue_settings.currency_in_force(),
        mrr=now.mrr,
        customers=now.customers,
        arpa=arpa(now.mrr, now.customers),
        at_risk=ahead.at_risk if ahead else None,
        with_tax=ahead.with_tax if ahead else None,
        scheduled_churn=ahead.scheduled_churn if ahead else None,
        scheduled_customers=ahead.scheduled_customers if ahead else None,
        held=held_amounts(as_of=as_of),
        held_objects=HeldObject.objects.counted().count(),
        days=_daily(first, last),
    )


@read_once
def held_amounts(*, as_of: date) -> list[HeldAmount]:
    """Return the amounts that wait for an exchange rate, by currency."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [as_of])
        return [HeldAmount(*row) for row in cursor.fetchall()]


def customers_at(day: date) -> list[str]:
    """Return the customers at the end of a day; this reads their movements up to it."""
    rows = MrrMovement.objects.counted().filter(day__lte=day)
    last = rows.order_by("customer_id", "-day").distinct("customer_id")
    return [customer for customer, pays in last.values_list("customer_id", "closing") if pays > 0]


@read_once
def first_day() -> date | None:
    """Return the first day of the ledger."""
    return next((day for (day,) in _FIRST_DAY.rows()), None)


def _daily(first: date, last: date) -> list[DayLevel]:
    running = level(first - timedelta(days=1))
    rows = MrrDay.objects.filter(day__range=(first, last))
    changed = {row["day"]: row for row in rows.values("day", change=_CHANGE, customers=_CUSTOMERS)}
    days = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if row := changed.get(day):
            running = MrrLevel(running.mrr + row["change"], running.customers + row["customers"])
        days.append(DayLevel(running.mrr, running.customers, day))
    return days
