"""CAC, payback and LTV:CAC: overall, by channel and by signup month.

Amounts are minor units of the reporting currency in force. The window of CAC is the 90 days that
end on `as_of`. By channel and by month, churn and margin are those of the company: single channels
have too few customers for a churn of their own.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from billing.revenue import cohorts, lifetime_value, mrr
from billing.revenue.lifetime_value import Ltv
from common.calculations.calendar import month_end
from common.calculations.statistics import Interval
from common.read_once import read_once
from growth.calculations.spend.acquisition import (
    CAC_DAYS,
    Cost,
    Payers,
    Spending,
    cac,
    ltv_to_cac,
    payback,
    payback_interval,
)
from growth.spend import customers, spending
from growth.spend.customers import UNATTRIBUTED

SHOWN_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Overall:
    """LTV:CAC as of a day; `ratio` is None where LTV or CAC is unknown or nothing was spent."""

    as_of: date
    window_from: date
    ltv: Ltv | None
    spending: Spending
    new_customers: int
    cost: Cost
    ratio: Fraction | None


@dataclass(frozen=True, slots=True)
class AcquisitionRow:
    """The same of a channel (`name`) or of a signup month."""

    spent: int
    new_customers: int
    cost: Cost
    arpa: Fraction | None
    ltv: Fraction | None
    ratio: Fraction | None
    payback: Fraction | None
    name: str = UNATTRIBUTED
    month: date | None = None


@dataclass(frozen=True, slots=True)
class Acquisition:
    """Everything on the page; months of payback are months of gross profit."""

    overall: Overall
    payback: Fraction | None
    payback_interval: Interval | None
    channels: list[AcquisitionRow]
    unattributed: int
    cohorts: list[AcquisitionRow]


@read_once
def overall(*, as_of: date) -> Overall:
    """Return LTV:CAC from sums by day."""
    first = window_from(as_of)
    ltv = None if mrr.first_day() is None else lifetime_value.estimate(as_of=as_of)
    spent = spending.spending(first=first, last=as_of)
    new = mrr.new_customers(first=first, last=as_of)
    cost = cac(spent, new)
    value = ltv.lifetime.ltv if ltv and ltv.lifetime else None
    return Overall(as_of, first, ltv, spent, new, cost, ltv_to_cac(value, cost))


def report(*, as_of: date) -> Acquisition:
    """Return everything, also by channel and by signup month; this reads each new customer."""
    total = overall(as_of=as_of)
    margin = total.ltv.gross_margin if total.ltv else Fraction(1)
    paying = customers.payers(customers.paid_by(None, as_of=as_of))
    channels, unattributed = _channels(total)
    return Acquisition(
        overall=total,
        payback=payback(total.cost.cac, paying.arpa, margin),
        payback_interval=payback_interval(total.cost.cac, paying, margin),
        channels=channels,
        unattributed=unattributed,
        cohorts=_cohorts(total),
    )


def window_from(as_of: date) -> date:
    return as_of - timedelta(days=CAC_DAYS - 1)


def _channels(total: Overall) -> tuple[list[AcquisitionRow], int]:
    """Return a part for each channel with spend or new customers, and how many have none."""
    first, last = total.window_from, total.as_of
    spent = spending.by_channel(first=first, last=last)
    members: dict[str, set[str]] = defaultdict(set)
    new = customers.new_customers(first=first, last=last)
    for customer, channel in customers.channels_of(new).items():
        members[channel].add(customer)
    unattributed = len(members.pop(UNATTRIBUTED, ()))
    paid = customers.paid_by(set(new), as_of=last)
    parts = []
    for name in spent.keys() | members.keys():
        own = {customer: paid[customer] for customer in members[name] & paid.keys()}
        amount = spent.get(name, Spending(0))
        spent_on = Spending(amount.amount, total.spending.uncovered, amount.held)
        parts.append(_part(total, spent_on, len(members[name]), customers.payers(own), name=name))
    return sorted(parts, key=lambda part: (-part.spent, part.name)), unattributed


def _cohorts(total: Overall) -> list[AcquisitionRow]:
    """Return a part for each of the latest signup months, newest first."""
    months = [row for row in cohorts.by_signup_month(as_of=total.as_of) if row.signup_month]
    months = sorted(months, key=lambda row: row.signup_month or date.min)[-SHOWN_MONTHS:]
    if not months:
        return []
    oldest = months[0].signup_month or total.as_of
    spent = spending.by_day(first=oldest, last=total.as_of)
    parts = []
    for row in reversed(months):
        month = row.signup_month or date.min
        last = min(month_end(month), total.as_of)
        latest = row.months[-1]
        paying = Payers(latest.customers, latest.mrr, 0)
        parts.append(
            _part(total, spending.summed(spent, month, last), row.won, paying, month=month)
        )
    return parts


def _part(
    total: Overall,
    spent: Spending,
    new: int,
    paying: Payers,
    *,
    name: str = UNATTRIBUTED,
    month: date | None = None,
) -> AcquisitionRow:
    lifetime = total.ltv.lifetime if total.ltv else None
    arpa, cost = paying.arpa, cac(spent, new)
    margin = lifetime.gross_margin if lifetime else Fraction(1)
    ltv = arpa * margin / lifetime.churn if arpa is not None and lifetime else None
    return AcquisitionRow(
        spent=spent.amount,
        new_customers=new,
        cost=cost,
        arpa=arpa,
        ltv=ltv,
        ratio=ltv_to_cac(ltv, cost),
        payback=payback(cost.cac, arpa, margin),
        name=name,
        month=month,
    )
