"""What a limit would have done to the people on a plan, before it is saved."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from analytics.models import Person
from analytics.people.persons import counted_persons
from billing.calculations.billing_period import price_ids_of
from billing.calculations.plan import Limit, Meter, MeterPeriod, PlanTerms, Window, limit_in_force
from billing.calculations.usage import BEGINNING, WARNING, previous_month
from billing.limits import plans, usage
from billing.stripe import gateway

MOST_EXAMINED = 2_000  # heaviest users; each costs two queries


@dataclass(frozen=True, slots=True)
class PersonUsage:
    person: Person
    used: Decimal


@dataclass(frozen=True, slots=True)
class LimitEffect:
    """People by what a limit does to them: the blocked are also in `reached` and `warned`."""

    blocked: list[PersonUsage]
    reached: list[PersonUsage]
    warned: list[PersonUsage]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a limit would do, and what the limit in force does, in the same window.

    `window` has no end if usage is counted over a lifetime. Excluded persons do not count.
    """

    window: Window
    effect: LimitEffect
    now: LimitEffect | None  # None: the plan has no limit on the meter yet
    examined_all: bool


def simulate(plan: str, meter: str, limit: Limit, *, now: datetime) -> Simulation:
    """Apply a limit to last month's usage of the people who have the plan now.

    A billing period counts as a calendar month here; a lifetime ends now.
    """
    catalogue = plans.catalogue()
    terms, counted = catalogue.plan(plan), catalogue.meter(meter)
    if terms is None or counted is None:
        raise LookupError(f"There is no plan {plan!r} with a meter {meter!r}.")
    current = terms.limits.get(meter)
    window = _window(counted, now)
    lowest = min(limit.amount, (current or limit).amount)
    heavy = usage.usage_by_person(
        counted, window, at_least=max(Decimal(lowest) * WARNING / 100, Decimal("1e-10"))
    )
    users = _with_plan(dict(list(heavy.items())[:MOST_EXAMINED]), terms, now=now)
    return Simulation(
        window=window,
        effect=_effect(users, terms, meter, limit),
        now=_effect(users, terms, meter, current) if current else None,
        examined_all=len(heavy) <= MOST_EXAMINED,
    )


def _window(meter: Meter, now: datetime) -> Window:
    if meter.period is MeterPeriod.LIFETIME:
        return Window(BEGINNING, None)
    return previous_month(now, plans.zone())


_Users = list[tuple[PersonUsage, plans.Situation]]


def _with_plan(used: dict[int, Decimal], terms: PlanTerms, *, now: datetime) -> _Users:
    """Return the people who have the plan now, the heaviest user first."""
    persons = counted_persons(used.keys())
    users = []
    for person_id, amount in used.items():
        situation = plans.situation_of_person(person_id, now=now) if person_id in persons else None
        if situation is None:
            continue
        price_ids = price_ids_of(gateway.paid_items_of(person_id))
        plan = situation.catalogue.plan_for(price_ids, situation.exemptions)
        if plan.slug == terms.slug:
            users.append((PersonUsage(persons[person_id], amount), situation))
    return users


def _effect(users: _Users, terms: PlanTerms, meter: str, limit: Limit) -> LimitEffect:
    """Sort people by what the limit, including their exceptions, does to them."""
    plan = replace(terms, limits={**terms.limits, meter: limit})
    effect = LimitEffect([], [], [])
    for user, situation in users:
        own_limit = limit_in_force(plan, meter, situation.exemptions)
        if own_limit is None:
            continue
        if not own_limit.allows(user.used):
            effect.blocked.append(user)
        if user.used >= own_limit.amount:
            effect.reached.append(user)
        if user.used * 100 >= own_limit.amount * WARNING:
            effect.warned.append(user)
    return effect
