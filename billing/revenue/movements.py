"""MRR movements by month or day, read from the ledger's sums by day.

Amounts are minor units of the reporting currency in force; days are calendar days of the time zone
in force, and periods include both their ends.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from billing.calculations.lifetime import quick_ratio
from billing.models import MrrDay
from billing.revenue import mrr
from common.calculations.calendar import month_after, month_end


@dataclass(frozen=True, slots=True)
class MovementPeriod:
    """The movements from `start` to `end`: opening + gains - losses = closing."""

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
    complete: bool = True  # a whole month or day that is over

    @property
    def quick_ratio(self) -> Fraction | None:
        return quick_ratio(
            new=self.new,
            expansion=self.expansion,
            reactivation=self.reactivation,
            contraction=self.contraction,
            churn=self.churn,
        )


def first_of_twelve_months(last: date) -> date:
    """Return the first day of the twelve months that end with the month of `last`."""
    end = month_after(last)
    return end.replace(year=end.year - 1)


def by_period(
    *, first: date, last: date, as_of: date, by_month: bool = True
) -> list[MovementPeriod]:
    """Return the movements of the months, or days, from `first` to `last`, the oldest first.

    A month that begins before `first`, or ends after `last` or `as_of`, is cut and incomplete.
    """
    last = min(last, as_of)
    opening = mrr.level(first - timedelta(days=1)).mrr
    values: Any = MrrDay.objects.filter(day__range=(first, last)).order_by("day").values()
    rows: list[dict[str, Any]] = list(values)
    periods: list[MovementPeriod] = []
    start = first
    while start <= last:
        whole_end = month_end(start) if by_month else start
        end = min(whole_end, last)
        sums = {
            name: sum(row[name] for row in rows if start <= row["day"] <= end)
            for name in MrrDay.MOVEMENTS
        }
        lost = sums["contraction"] + sums["churn"]
        closing = opening + sums["new"] + sums["reactivation"] + sums["expansion"] - lost
        complete = end == whole_end and not (by_month and start.day > 1)
        periods.append(
            MovementPeriod(start, end, opening=opening, closing=closing, complete=complete, **sums)
        )
        opening, start = closing, end + timedelta(days=1)
    return periods
