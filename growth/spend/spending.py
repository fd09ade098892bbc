"""Recorded spend of days, in the reporting currency in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, Sum

from billing.revenue import settings as revenue_settings
from common.read_once import read_once
from growth.calculations.spend.acquisition import Spending
from growth.calculations.spend.prorating import days_of
from growth.models import SpendDay


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What was spent on a day, and the currencies whose amounts are held."""

    amount: int
    held: tuple[str, ...]


@read_once
def by_day(*, first: date, last: date) -> Mapping[date, DaySpend]:
    """Return the spend of each day that an entry covers."""
    counts = Q(into=revenue_settings.currency_in_force(), reported__isnull=False)
    rows = (
        SpendDay.objects.filter(day__range=(first, last))
        .values("day")
        .annotate(
            total=Sum("reported", filter=counts, default=0),
            held=ArrayAgg("currency", filter=~counts, distinct=True, default=[]),
        )
    )
    return {row["day"]: DaySpend(int(row["total"]), tuple(row["held"])) for row in rows}


def spending(*, first: date, last: date) -> Spending:
    """Return the spend of a range of days, and the days without an entry."""
    return summed(by_day(first=first, last=last), first, last)


def summed(spent: Mapping[date, DaySpend], first: date, last: date) -> Spending:
    """Return the spend of a range within days that were read."""
    days = days_of(first, last)
    covered = [spent[day] for day in days if day in spent]
    return Spending(
        amount=sum(day.amount for day in covered),
        uncovered=[day for day in days if day not in spent],
        held=sorted({currency for day in covered for currency in day.held}),
    )


def by_channel(*, first: date, last: date) -> dict[str, Spending]:
    """Return the spend of each channel with entries on these days."""
    counts = Q(into=revenue_settings.currency_in_force(), reported__isnull=False)
    rows = (
        SpendDay.objects.filter(day__range=(first, last))
        .values("channel")
        .annotate(
            total=Sum("reported", filter=counts, default=0),
            held=ArrayAgg("currency", filter=~counts, distinct=True, default=[]),
        )
    )
    return {row["channel"]: Spending(int(row["total"]), held=row["held"]) for row in rows}


@read_once
def is_recorded() -> bool:
    return SpendDay.objects.exists()


def currency() -> str:
    """Return the currency of every amount: the reporting currency in force."""
    return revenue_settings.currency_in_force()
