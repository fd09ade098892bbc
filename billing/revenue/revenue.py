"""Read revenue as of the end of a day: MRR, movements, churn, lifetime value and cohorts.

Everything comes from the ledger and its sums by day, so no subscription is read. Amounts are minor
units of the reporting currency in force; days are calendar days of the time zone in force, and
windows include both their ends. Customers of excluded (test, internal) persons are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, Min, Q, Sum

from analytics.rollups import definitions
from billing.calculations.lifetime import (
    Lifetime,
    MonthlyChurn,
    arpa,
    lifetime,
    pooled,
    quick_ratio,
)
from billing.calculations.movements import Kind
from billing.models import HeldObject, MrrDay, MrrMovement, RevenueCustomer
from billing.revenue import settings as revenue_settings
from common.calculations.calendar import month_start, next_month
from common.calculations.statistics import Rate
from common.read_once import read_each_once, read_once

CHURN_DAYS = 30
LTV_WINDOWS = 3  # of 30 days

_CHANGE = F("new") + F("reactivation") + F("expansion") - F("contraction") - F("churn")
_CUSTOMERS = F("new_customers") + F("reactivated_customers") - F("churned_customers")

# The customers who moved in a window, with what they paid before and at the end of it.
_MOVED = """
SELECT customer_id, (array_agg(opening ORDER BY day))[1] AS paid,
       (array_agg(closing ORDER BY day DESC))[1] AS pays,
       bool_or(kind IN ('new', 'reactivation')) AS came
FROM billing_mrrmovement JOIN billing_revenuecustomer USING (customer_id)
WHERE NOT excluded AND kind <> 'held' AND day > %s AND day <= %s
GROUP BY customer_id
"""
_COHORTS = """
SELECT signup_month, date_trunc('month', day)::date AS month, sum(amount) AS mrr,
       count(DISTINCT customer_id) FILTER (WHERE kind = 'new') AS won,
       count(DISTINCT (customer_id, day)) FILTER (WHERE kind IN ('new', 'reactivation'))
       - count(DISTINCT (customer_id, day)) FILTER (WHERE kind = 'churn') AS customers
FROM billing_mrrmovement JOIN billing_revenuecustomer USING (customer_id)
WHERE NOT excluded AND kind <> 'held' AND day <= %s
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class Level:
    """What customers pay a month at the end of a day."""

    mrr: int = 0
    customers: int = 0


@dataclass(frozen=True, slots=True)
class DayLevel(Level):
    day: date = date.min


@dataclass(frozen=True, slots=True)
class HeldAmount:
    """Original amounts of movements without an exchange rate, which are in no other number."""

    currency: str
    amount: int
    movements: int
    first_day: date


@dataclass(frozen=True, slots=True)
class Mrr:
    """MRR at the end of a day. What is at risk and ending is known for the present only."""

    as_of: date
    currency: str
    mrr: int
    customers: int
    arpa: Fraction | None
    at_risk: int | None
    scheduled_churn: int | None
    scheduled_customers: int | None
    held: list[HeldAmount]
    held_objects: int
    days: list[DayLevel]


@dataclass(frozen=True, slots=True)
class Period:
    """The movements from `start` to `end`: opening + what was won - what was lost = closing."""

    start: date
    end: date
    opening: int
    closing: int
    new: int = 0
    reactivation: int = 0
    expansion: int = 0
    contraction: int = 0
    churn: int = 0
    new_customers: int = 0
    reactivated_customers: int = 0
    churned_customers: int = 0
    complete: bool = True

    @property
    def quick_ratio(self) -> Fraction | None:
        return quick_ratio(
            new=self.new,
            expansion=self.expansion,
            reactivation=self.reactivation,
            contraction=self.contraction,
            churn=self.churn,
        )


@dataclass(frozen=True, slots=True)
class Churn:
    """Customers and MRR lost in the 30 days that end on `as_of`."""

    as_of: date
    currency: str
    window_from: date
    rate: Rate
    joined_and_left: int  # within the window, so in neither number of the rate
    mrr_before: int
    mrr_lost: int

    @property
    def gross_mrr_churn(self) -> Fraction | None:
        return Fraction(self.mrr_lost, self.mrr_before) if self.mrr_before else None


@dataclass(frozen=True, slots=True)
class Ltv:
    """What a customer brings over the whole time; `lifetime` is None without customers."""

    as_of: date
    currency: str
    level: Level
    window_from: date
    churn: MonthlyChurn
    gross_margin: Fraction
    margin_is_set: bool
    lifetime: Lifetime | None


@dataclass(frozen=True, slots=True)
class CohortMonth:
    month: date
    mrr: int
    customers: int


@dataclass(slots=True)
class Cohort:
    """The customers whose persons signed up in a month; None: when is not known."""

    signup_month: date | None
    won: int = 0  # customers, ever
    months: list[CohortMonth] = field(default_factory=list)


def level(day: date) -> Level:
    """Return MRR and customers at the end of a day."""
    return levels([day])[0]


_LEVELS = """
SELECT coalesce(sum(new + reactivation + expansion - contraction - churn), 0),
       coalesce(sum(new_customers + reactivated_customers - churned_customers), 0)
FROM unnest(%s::date[]) WITH ORDINALITY AS asked (end_of, place)
LEFT JOIN billing_mrrday ON day <= end_of
GROUP BY place ORDER BY place
"""


@read_each_once
def levels(days: Sequence[date]) -> list[Level]:
    """Return MRR and customers at the ends of some days, with one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LEVELS, [list(days)])
        return [Level(int(mrr), int(customers)) for mrr, customers in cursor.fetchall()]


class Outlook(NamedTuple):
    """MRR that is past due, and MRR and customers that are about to end."""

    at_risk: int
    scheduled_churn: int
    scheduled_customers: int


@read_once
def outlook(*, as_of: date) -> Outlook | None:
    """Return what is about to be lost; None for past days, of which it is not known."""
    if as_of < definitions.last_complete_day():
        return None
    found = RevenueCustomer.objects.filter(excluded=False).aggregate(
        at_risk=Sum("at_risk", default=0),
        ending=Sum("scheduled_churn", default=0),
        number=Sum(1, filter=Q(scheduled_churn__gt=0), default=0),
    )
    return Outlook(int(found["at_risk"]), int(found["ending"]), int(found["number"]))


@read_once
def mrr(*, as_of: date, first: date | None = None, last: date | None = None) -> Mrr:
    """Return MRR at the end of `as_of`, and of each day from `first` to `last` (30 days)."""
    last = min(last or as_of, as_of)
    first = first or last - timedelta(days=CHURN_DAYS - 1)
    now, ahead = level(as_of), outlook(as_of=as_of)
    return Mrr(
        as_of=as_of,
        currency=revenue_settings.currency_in_force(),
        mrr=now.mrr,
        customers=now.customers,
        arpa=arpa(now.mrr, now.customers),
        at_risk=ahead.at_risk if ahead else None,
        scheduled_churn=ahead.scheduled_churn if ahead else None,
        scheduled_customers=ahead.scheduled_customers if ahead else None,
        held=held(as_of=as_of),
        held_objects=HeldObject.objects.count(),
        days=_daily(first, last),
    )


@read_once
def held(*, as_of: date) -> list[HeldAmount]:
    """Return what waits for an exchange rate, by currency."""
    rows = MrrMovement.objects.filter(kind=Kind.HELD, day__lte=as_of).values("currency")
    found = rows.annotate(
        amount=Sum("original_amount"), movements=Sum(1), first_day=Min("day")
    ).order_by("currency")
    return [HeldAmount(**row) for row in found]


def movements(*, first: date, last: date, as_of: date, by_month: bool = True) -> list[Period]:
    """Return the movements of the months, or days, from `first` to `last`, the oldest first.

    A month begins with its first day; one that was not over at the end of `as_of` is not complete.
    """
    if by_month:
        first = first.replace(day=1)
    last = min(last, as_of)
    opening = level(first - timedelta(days=1)).mrr
    found: Any = MrrDay.objects.filter(day__range=(first, last)).order_by("day").values()
    rows: list[dict[str, Any]] = list(found)
    periods: list[Period] = []
    start = first
    while start <= last:
        end = _month_end(start) if by_month else start
        sums = {
            name: sum(row[name] for row in rows if start <= row["day"] <= min(end, last))
            for name in _SUMMED
        }
        lost = sums["contraction"] + sums["churn"]
        closing = opening + sums["new"] + sums["reactivation"] + sums["expansion"] - lost
        periods.append(
            Period(start, end, opening=opening, closing=closing, complete=end <= as_of, **sums)
        )
        opening, start = closing, end + timedelta(days=1)
    return periods


@read_once
def churn(*, as_of: date) -> Churn:
    """Return churn over the 30 days that end on `as_of`."""
    start = as_of - timedelta(days=CHURN_DAYS)
    before = level(start)
    ((left, both),) = _left([(start, as_of)])
    lost = MrrDay.objects.filter(day__gt=start, day__lte=as_of).aggregate(
        lost=Sum(F("contraction") + F("churn"), default=0)
    )
    return Churn(
        as_of=as_of,
        currency=revenue_settings.currency_in_force(),
        window_from=start + timedelta(days=1),
        rate=Rate(left, before.customers),
        joined_and_left=both,
        mrr_before=before.mrr,
        mrr_lost=int(lost["lost"]),
    )


@read_once
def ltv(*, as_of: date) -> Ltv:
    """Return lifetime value, with churn pooled over the 90 days that end on `as_of`."""
    ends = [as_of - timedelta(days=CHURN_DAYS * number) for number in range(LTV_WINDOWS + 1)]
    now, *starts = levels(ends)
    left = _left(list(zip(ends[1:], ends, strict=False)))
    churned = pooled(
        [MonthlyChurn(gone, then.customers) for (gone, _), then in zip(left, starts, strict=True)]
    )
    margin, is_set = revenue_settings.gross_margin()
    return Ltv(
        as_of=as_of,
        currency=revenue_settings.currency_in_force(),
        level=now,
        window_from=ends[-1] + timedelta(days=1),
        churn=churned,
        gross_margin=margin,
        margin_is_set=is_set,
        lifetime=lifetime(mrr=now.mrr, customers=now.customers, churn=churned, gross_margin=margin),
    )


def cohorts(*, as_of: date) -> list[Cohort]:
    """Return what the customers of each signup month pay at the end of each month since."""
    found: dict[date | None, Cohort] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COHORTS, [as_of])
        rows = cursor.fetchall()
    for signup_month, month, amount, won, customers in rows:
        cohort = found.setdefault(signup_month, Cohort(signup_month))
        cohort.won += won
        _fill(cohort, month)
        before = cohort.months[-1] if cohort.months else CohortMonth(month, 0, 0)
        cohort.months.append(
            CohortMonth(month, before.mrr + int(amount), before.customers + customers)
        )
    for cohort in found.values():
        _fill(cohort, _next(as_of))
    return list(found.values())


def customers_who_left(*, as_of: date) -> list[str]:
    """Return the customers of 30 days before who pay nothing at the end of `as_of`."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT customer_id FROM ({_MOVED}) AS moved WHERE paid > 0 AND pays = 0",
            [as_of - timedelta(days=CHURN_DAYS), as_of],
        )
        return [row[0] for row in cursor.fetchall()]


def customers_at(day: date) -> list[str]:
    """Return the customers at the end of a day; this reads their movements up to it."""
    rows = MrrMovement.objects.filter(
        day__lte=day,
        customer_id__in=RevenueCustomer.objects.filter(excluded=False).values("customer_id"),
    )
    last = rows.order_by("customer_id", "-day").distinct("customer_id")
    return [customer for customer, pays in last.values_list("customer_id", "closing") if pays > 0]


@read_once
def first_day() -> date | None:
    """Return the first day of the ledger."""
    return MrrDay.objects.order_by("day").values_list("day", flat=True).first()


_SUMMED = (
    "new reactivation expansion contraction churn"
    " new_customers reactivated_customers churned_customers"
).split()


@read_each_once
def _left(windows: Sequence[tuple[date, date]]) -> list[tuple[int, int]]:
    """Return per window how many customers of its start pay nothing at its end (one query).

    And beside them how many came and left within it.
    """
    starts, ends = zip(*windows, strict=True)
    moved = _MOVED.replace("> %s", "> first").replace("<= %s", "<= last")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE paid > 0 AND pays = 0),"
            " count(*) FILTER (WHERE paid = 0 AND pays = 0 AND came)"
            " FROM unnest(%s::date[], %s::date[]) WITH ORDINALITY AS windows (first, last, place)"
            f" LEFT JOIN LATERAL ({moved}) AS moved ON true GROUP BY place ORDER BY place",
            [list(starts), list(ends)],
        )
        return [(left, both) for left, both in cursor.fetchall()]


def _daily(first: date, last: date) -> list[DayLevel]:
    running = level(first - timedelta(days=1))
    rows = MrrDay.objects.filter(day__range=(first, last))
    changed = {row["day"]: row for row in rows.values("day", change=_CHANGE, customers=_CUSTOMERS)}
    found = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if row := changed.get(day):
            running = Level(running.mrr + row["change"], running.customers + row["customers"])
        found.append(DayLevel(running.mrr, running.customers, day))
    return found


def _fill(cohort: Cohort, until: date) -> None:
    """Repeat the last month for those in which nothing changed, up to before `until`."""
    while cohort.months and (month := _next(cohort.months[-1].month)) < until:
        last = cohort.months[-1]
        cohort.months.append(CohortMonth(month, last.mrr, last.customers))


def _next(day: date) -> date:
    """Return the first day of the month after a day's."""
    return date.fromordinal(next_month(month_start(day.toordinal())))


def _month_end(day: date) -> date:
    return _next(day) - timedelta(days=1)
