"""Customer lifetime value (metrics.md, Revenue). Amounts are minor units of one currency."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

LOWEST_CHURN = Fraction(
    167, 10_000
)  # per month: no customer is assumed to stay more than 60 months


@dataclass(frozen=True, slots=True)
class MonthlyChurn:
    """Customers lost and customers at the start, pooled over windows of 30 days."""

    left: int
    customers: int

    @property
    def rate(self) -> Fraction | None:
        return Fraction(self.left, self.customers) if self.customers else None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """LTV and its factors; `capped`: the floor of churn was applied."""

    arpa: Fraction
    gross_margin: Fraction
    churn: Fraction
    capped: bool

    @property
    def ltv(self) -> Fraction:
        return self.arpa * self.gross_margin / self.churn


def pooled(windows: Sequence[MonthlyChurn]) -> MonthlyChurn:
    """Pool windows as sums over sums: 3 of 100, 2 of 100 and 1 of 100 are 6 of 300."""
    return MonthlyChurn(
        sum(window.left for window in windows), sum(window.customers for window in windows)
    )


def arpa(mrr: int, customers: int) -> Fraction | None:
    """Return the MRR per customer; None without customers."""
    return Fraction(mrr, customers) if customers else None


def lifetime(
    *, mrr: int, customers: int, churn: MonthlyChurn, gross_margin: Fraction
) -> Lifetime | None:
    """Return ARPA x gross margin / churn; None without customers now or then."""
    average, rate = arpa(mrr, customers), churn.rate
    if average is None or rate is None:
        return None
    return Lifetime(average, gross_margin, max(rate, LOWEST_CHURN), rate < LOWEST_CHURN)


def quick_ratio(
    *, new: int, expansion: int, reactivation: int, contraction: int, churn: int
) -> Fraction | None:
    """Return gains divided by losses; None without losses."""
    lost = contraction + churn
    return Fraction(new + expansion + reactivation, lost) if lost else None
