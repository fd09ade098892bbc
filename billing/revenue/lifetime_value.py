"""Customer lifetime value (LTV). Amounts are minor units of the reporting currency in force."""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from billing.calculations.lifetime import Lifetime, MonthlyChurn, lifetime, pooled
from billing.revenue import mrr
from billing.revenue import settings as revenue_settings
from billing.revenue.customer_churn import CHURN_DAYS
from billing.revenue.mrr import MrrLevel
from common.read_once import read_once

CHURN_WINDOWS = 3  # of 30 days


@dataclass(frozen=True, slots=True)
class Ltv:
    """What a customer brings in over its whole lifetime; `lifetime` is None without customers."""

    as_of: date
    currency: str
    level: MrrLevel
    window_from: date
    churn: MonthlyChurn
    gross_margin: Fraction
    margin_is_set: bool
    lifetime: Lifetime | None


@read_once
def estimate(*, as_of: date) -> Ltv:
    """Return lifetime value, with churn pooled over the 90 days that end on `as_of`."""
    ends = [as_of - timedelta(days=CHURN_DAYS * number) for number in range(CHURN_WINDOWS + 1)]
    sums, (now, *_) = mrr.sums(ends), mrr.levels(ends)
    churn = pooled(
        [MonthlyChurn(end.lost_customers, start.customers) for end, start in pairwise(sums)]
    )
    margin, is_set = revenue_settings.gross_margin()
    return Ltv(
        as_of=as_of,
        currency=revenue_settings.currency_in_force(),
        level=now,
        window_from=ends[-1] + timedelta(days=1),
        churn=churn,
        gross_margin=margin,
        margin_is_set=is_set,
        lifetime=lifetime(mrr=now.mrr, customers=now.customers, churn=churn, gross_margin=margin),
    )
