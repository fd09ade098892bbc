"""Recorded spend of days, in the reporting currency in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from billing.revenue import settings as revenue_settings
from common.read_once import read_once
from growth.calculations.spend.acquisition import Spending
from growth.calculations.spend.prorating import days_of
from growth.models import SpendDay

_SUMS_BY = """
SELECT {column}, coalesce(sum(reported) FILTER (WHERE counts), 0)::bigint,
       coalesce(array_agg(DISTINCT currency) FILTER (WHERE NOT counts), '{{}}')
FROM growth_spendday, LATERAL (SELECT "into" = %s AND reported IS NOT NULL) AS is_known (counts)
WHERE day BETWEEN %s AND %s
GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What was spent on a day, and the currencies whose amounts are held."""

    amount: int
    held: tuple[str, ...]


@read_once
def by_day(*, first: date, last: date) -> Mapping[date, DaySpend]:
    """Return the spend of each day that an entry covers."""
    return {
        day: DaySpend(amount, tuple(held)) for day, amount, held in _sums_by("day", first, last)
    }


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
    return {
        channel: Spending(amount, held=held)
        for channel, amount, held in _sums_by("channel", first, last)
    }


def _sums_by(column: str, first: date, last: date) -> list[tuple[Any, int, list[str]]]:
    """Return the values of a column with what was spent, and the currencies that are held."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SUMS_BY.format(column=column), [revenue_settings.currency_in_force(), first, last]
        )
        rows: list[tuple[Any, int, list[str]]] = cursor.fetchall()
    return rows


@read_once
def is_recorded() -> bool:
    return SpendDay.objects.exists()


def currency() -> str:
    """Return the currency of every amount: the reporting currency in force."""
    return revenue_settings.currency_in_force()
