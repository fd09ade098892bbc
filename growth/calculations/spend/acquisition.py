"""CAC, payback and LTV:CAC (metrics.md, Revenue). Amounts are minor units of one currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import sqrt
from statistics import NormalDist

from common.calculations.statistics import SMALLEST_SAMPLE, Interval, Status
from common.formatting import counted, full_day

CAC_DAYS = 90
FEWEST_NEW_CUSTOMERS = 10
_Z = NormalDist().inv_cdf(0.975)
_RANGES_IN_MESSAGE = 5


@dataclass(frozen=True, slots=True)
class Spending:
    """The spend of some days, the days that no entry covers, and the currencies without a rate."""

    amount: int
    uncovered: Sequence[date] = ()
    held: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """CAC, or why there is none: `cac` is None with the status `no_data`."""

    status: Status
    reason: str
    cac: Fraction | None


@dataclass(frozen=True, slots=True)
class Payers:
    """What customers pay a month: their number, the sum, and the sum of squares."""

    customers: int
    mrr: int
    squares: int

    @property
    def arpa(self) -> Fraction | None:
        return Fraction(self.mrr, self.customers) if self.customers else None


def cac(spending: Spending, new_customers: int) -> Cost:
    """Return spend / new customers; unavailable where a day has no entry (0 is one)."""
    if spending.uncovered:
        days = counted(len(spending.uncovered), "day")
        ranges = day_ranges(spending.uncovered)
        reason = f"no spend is entered for {days}: {ranges}. Enter 0 for days without spend."
        return Cost(Status.NO_DATA, f"CAC is unknown: {reason}", None)
    if not new_customers:
        return Cost(Status.NO_DATA, "CAC is unknown: there were no new customers.", None)
    cost = Fraction(spending.amount, new_customers)
    if spending.held:
        currencies = ", ".join(currency.upper() for currency in spending.held)
        reason = f"Exchange rates are missing ({currencies}): some spend is not in any total."
        return Cost(Status.HELD, reason, cost)
    if new_customers < FEWEST_NEW_CUSTOMERS:
        only = counted(new_customers, "new customer")
        reason = f"Only {only}; at least {FEWEST_NEW_CUSTOMERS} are needed."
        return Cost(Status.LOW_SAMPLE, reason, cost)
    return Cost(Status.OK, "", cost)


def ltv_to_cac(ltv: Fraction | None, cost: Cost) -> Fraction | None:
    """Return LTV / CAC; None where one is unknown, or nothing was spent."""
    return ltv / cost.cac if ltv is not None and cost.cac else None


def payback(cost: Fraction | None, arpa: Fraction | None, margin: Fraction) -> Fraction | None:
    """Return the months until a customer's gross profit has paid for winning it."""
    return cost / (arpa * margin) if cost is not None and arpa and margin else None


def payback_interval(cost: Fraction | None, payers: Payers, margin: Fraction) -> Interval | None:
    """Return the 95 % interval of payback that follows from how much customers' MRR differs.

    Spend and new customers are counted, so they add nothing. None below 30 customers, and where
    the interval of their mean MRR holds 0: then it has no upper end.
    """
    arpa = payers.arpa
    if cost is None or arpa is None or not margin or payers.customers < SMALLEST_SAMPLE:
        return None
    number = payers.customers
    variance = (payers.squares - arpa * payers.mrr) / (number - 1)
    spread = _Z * sqrt(variance / number)
    if arpa - spread <= 0:
        return None
    price = float(cost / margin)
    return Interval(price / (float(arpa) + spread), price / (float(arpa) - spread))


def day_ranges(days: Sequence[date]) -> str:
    """Return sorted days as ranges, the first few of them."""
    ranges: list[list[date]] = []
    for day in days:
        if ranges and day - ranges[-1][1] == timedelta(days=1):
            ranges[-1][1] = day
        else:
            ranges.append([day, day])
    texts = [
        full_day(first) if first == last else f"{full_day(first)} to {full_day(last)}"
        for first, last in ranges[:_RANGES_IN_MESSAGE]
    ]
    more = len(ranges) - _RANGES_IN_MESSAGE
    return ", ".join(texts) + (f" and {counted(more, 'other range')}" if more > 0 else "")
