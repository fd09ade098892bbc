"""Plans and meters as stored in the database, and the decisions they imply."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from analytics.calculations.event_totals import Aggregation
from billing.calculations.billing_period import BillingPeriod, PaidItem, price_ids_of


class MeterPeriod(StrEnum):
    MONTH = "month"
    BILLING = "billing"
    LIFETIME = "lifetime"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """What is counted of a person's events. Without `event`: every event."""

    id: int
    slug: str
    name: str
    event: str
    aggregation: Aggregation
    property: str
    period: MeterPeriod
    claims_count: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How much of a meter a plan allows in a period. A soft limit warns and never blocks."""

    amount: int
    hard: bool = True
    grace: int = 0  # beyond the limit
    grace_percent: int = 0  # of the limit, beyond it

    @property
    def ceiling(self) -> int | None:
        """The most that may be used: the limit and the larger grace; None for a soft limit."""
        if not self.hard:
            return None
        return self.amount + max(self.grace, self.amount * self.grace_percent // 100)

    def allows(self, used: Decimal | int) -> bool:
        return self.ceiling is None or used <= self.ceiling


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """A plan: what its customers get. A meter missing in `limits` is not limited."""

    slug: str
    name: str
    rank: int
    is_default: bool
    offered: bool
    features: list[str]
    price_ids: list[str]
    limits: dict[str, Limit]  # by the meter's slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """An exception in force: another plan, or another limit on one meter (None: no limit)."""

    plan: str | None
    meter: str | None
    amount: int | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Every plan, by rank, and every meter."""

    plans: list[PlanTerms]
    meters: list[Meter]

    def meter(self, slug: str) -> Meter | None:
        return next((meter for meter in self.meters if meter.slug == slug), None)

    def plan(self, slug: str) -> PlanTerms | None:
        return next((plan for plan in self.plans if plan.slug == slug), None)

    @property
    def default(self) -> PlanTerms:
        return next(plan for plan in self.plans if plan.is_default)

    def plan_for(
        self, price_ids: Collection[str], exemptions: Collection[Exemption] = ()
    ) -> PlanTerms:
        """Return the highest plan that a price pays for or an exception gives, or the default."""
        granted = {exemption.plan for exemption in exemptions}
        candidates = [
            plan
            for plan in self.plans
            if plan.slug in granted or not set(price_ids).isdisjoint(plan.price_ids)
        ]
        return candidates[-1] if candidates else self.default

    def paid_period(self, items: Sequence[PaidItem]) -> BillingPeriod | None:
        """Return the period of what buys the highest plan, of several the first; None: nothing.

        What buys no plan, such as an add-on, has no say in when usage begins again.
        """
        plan = self.plan_for(price_ids_of(items))
        return next((item.period for item in items if item.price_id in plan.price_ids), None)

    def unmapped(self, price_ids: Collection[str]) -> list[str]:
        """Return the prices that are not mapped to any plan."""
        mapped = {price for plan in self.plans for price in plan.price_ids}
        return [price for price in price_ids if price not in mapped]

    def upgrade(self, plan: PlanTerms, meter: str, needed: Decimal | int) -> PlanTerms | None:
        """Return the lowest offered plan above `plan` that gives `needed` of a meter, or more."""
        for higher in self.plans:
            limit = higher.limits.get(meter)
            is_enough = limit is None or limit.amount >= needed
            if higher.offered and higher.rank > plan.rank and is_enough:
                return higher
        return None


def limit_in_force(
    plan: PlanTerms, meter: str, exemptions: Collection[Exemption] = ()
) -> Limit | None:
    """Return the limit of the plan or of an exception, whichever gives more; None: no limit."""
    limit = plan.limits.get(meter)
    if limit is None:
        return None
    most = limit.amount
    for exemption in exemptions:
        if exemption.meter == meter:
            if exemption.amount is None:
                return None
            most = max(most, exemption.amount)
    return replace(limit, amount=most)


@dataclass(frozen=True, slots=True)
class Window:
    """A period of a meter: from `start`, before `end`; None: it never ends."""

    start: datetime
    end: datetime | None
