"""May this person use more? The limits in force, and where the person stands against them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from analytics.models import Person
from billing.calculations.billing_period import PaidItem, price_ids_of
from billing.calculations.plan import Meter, PlanTerms, limit_in_force
from billing.calculations.usage import MeterUsage, window
from billing.limits import plans, usage
from billing.limits.plans import Situation
from billing.models import UsageReservation
from billing.stripe import gateway


class UnknownName(LookupError):
    """There is no person or meter with that name; `field` says which was requested."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True)
class UsageDecision:
    """Whether `amount` more is allowed, and the usage before it."""

    person: Person
    meter_usage: MeterUsage
    amount: int
    allowed: bool
    suggested: PlanTerms | None  # the lowest higher plan that allows it
    reservation: UsageReservation | None = None

    @property
    def upgrade_url(self) -> str:
        """A checkout link. It may call Stripe, so it is created when it is displayed."""
        return plans.upgrade_url(self.person, self.suggested)


@dataclass(frozen=True, slots=True)
class UsageAccount:
    """Everything about a person's limits."""

    situation: Situation
    price_ids: list[str]  # that the person pays
    plan: PlanTerms
    meter_usages: list[MeterUsage]

    @property
    def unmapped_prices(self) -> list[str]:
        """The prices that are not mapped to any plan."""
        return self.situation.catalogue.unmapped(self.price_ids)


def account_of(distinct_id: str, *, now: datetime) -> UsageAccount:
    """Return a person's usage of every meter, in 4 queries; raise `UnknownName`."""
    return _account(situation_of(distinct_id, now=now), now=now)


def account_of_person(person_id: int, *, now: datetime) -> UsageAccount | None:
    """Return the same by a person's id; None if there is no such person."""
    situation = plans.situation_of_person(person_id, now=now)
    return _account(situation, now=now) if situation else None


def decision_on_next(account: UsageAccount, meter_usage: MeterUsage) -> UsageDecision:
    """Say whether one more unit of a meter is allowed, and which plan gives more."""
    return decision(account.situation, meter_usage, 1)


def check(distinct_id: str, meter: str, amount: int = 1, *, now: datetime) -> UsageDecision:
    """Say whether a person may use `amount` more, in at most 4 queries; raise `UnknownName`."""
    situation = situation_of(distinct_id, now=now)
    return decision(situation, meter_usage_of(situation, meter, now=now), amount)


def situation_of(distinct_id: str, *, now: datetime, locked: bool = False) -> Situation:
    """Return a person's situation (`plans.situation_of`); raise `UnknownName`."""
    situation = plans.situation_of(distinct_id, now=now, locked=locked)
    if situation is None:
        raise unknown_person(distinct_id)
    return situation


def unknown_person(distinct_id: str) -> UnknownName:
    return UnknownName("distinct_id", f"No person has the distinct id {distinct_id!r}.")


def meter_usage_of(situation: Situation, slug: str, *, now: datetime) -> MeterUsage:
    """Return a person's usage of one meter; raise `UnknownName` if there is no such meter."""
    meter = situation.catalogue.meter(slug)
    if meter is None:
        existing = ", ".join(meter.slug for meter in situation.catalogue.meters)
        raise UnknownName(
            "meter", f"There is no meter {slug!r}. Existing meters: {existing or 'none'}."
        )
    paid = gateway.paid_items_of(situation.person.pk)
    [meter_usage] = _meter_usages(situation, [meter], paid, now=now)
    return meter_usage


def decision(situation: Situation, meter_usage: MeterUsage, amount: int) -> UsageDecision:
    """Say whether `amount` more is allowed, and which plan would allow it."""
    allowed = meter_usage.allows(amount)
    suggested, limit = None, meter_usage.limit
    if limit is not None:
        needed = max(meter_usage.usage.taken + amount, Decimal(limit.amount + 1))
        suggested = situation.catalogue.upgrade(meter_usage.plan, meter_usage.meter.slug, needed)
    return UsageDecision(situation.person, meter_usage, amount, allowed, suggested)


def _account(situation: Situation, *, now: datetime) -> UsageAccount:
    paid = gateway.paid_items_of(situation.person.pk)
    price_ids, catalogue = price_ids_of(paid), situation.catalogue
    return UsageAccount(
        situation=situation,
        price_ids=price_ids,
        plan=catalogue.plan_for(price_ids, situation.exemptions),
        meter_usages=_meter_usages(situation, catalogue.meters, paid, now=now),
    )


def _meter_usages(
    situation: Situation, meters: Collection[Meter], paid: Sequence[PaidItem], *, now: datetime
) -> list[MeterUsage]:
    person_id, exemptions = situation.person.pk, situation.exemptions
    plan = situation.catalogue.plan_for(price_ids_of(paid), exemptions)
    billing, zone = situation.catalogue.paid_period(paid), plans.zone()
    windows = {meter: window(meter.period, now=now, zone=zone, billing=billing) for meter in meters}
    used = usage.usage_of(person_id, windows, plan=plan.slug, now=now)
    return [
        MeterUsage(
            meter=meter,
            plan=plan,
            limit=limit_in_force(plan, meter.slug, exemptions),
            window=windows[meter],
            usage=used[meter.slug],
        )
        for meter in meters
    ]
