"""What a limit would have done to the persons of a plan, before it is saved."""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from analytics.models import Person
from analytics.people.persons import counted_persons
from billing.calculations.plan import Limit, Meter, Period, PlanTerms, Window, limit_in_force
from billing.calculations.usage import BEGINNING, WARNING, previous_month
from billing.limits import plans, usage
from billing.stripe import gateway

MOST_EXAMINED = 2_000  # of those who used most; each costs two queries


@dataclass(frozen=True, slots=True)
class Used:
    person: Person
    used: Decimal


@dataclass(frozen=True, slots=True)
class Effect:
    """Persons by what a limit does to them: those blocked are also reached, and these warned."""

    blocked: list[Used]
    reached: list[Used]
    warned: list[Used]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a limit would do, and what the one in force does, in the same window.

    `window` has no end where usage is counted over a lifetime. Excluded persons are left out.
    """

    window: Window
    effect: Effect
    now: Effect | None  # None where the plan has no limit of the meter so far
    examined_all: bool


def simulate(plan: str, meter: str, limit: Limit, *, now: datetime) -> Simulation:
    """Apply a limit to what the persons who have a plan now used in the last whole month.

    A billing period counts as a month here; over a lifetime it is what was used until now.
    """
    catalogue = plans.catalogue()
    terms, counted = catalogue.plan(plan), catalogue.meter(meter)
    if terms is None or counted is None:
        raise LookupError(f"There is no plan {plan!r} with a meter {meter!r}.")
    current = terms.limits.get(meter)
    window = _window(counted, now)
    lowest = min(one.amount for one in (limit, current or limit))
    heavy = usage.usage_by_person(
        counted, window, at_least=max(Decimal(lowest) * WARNING / 100, Decimal("1e-10"))
    )
    found = _with_plan(dict(list(heavy.items())[:MOST_EXAMINED]), terms, now=now)
    return Simulation(
        window=window,
        effect=_effect(found, terms, meter, limit),
        now=_effect(found, terms, meter, current) if current else None,
        examined_all=len(heavy) <= MOST_EXAMINED,
    )


def _window(meter: Meter, now: datetime) -> Window:
    if meter.period is Period.LIFETIME:
        return Window(BEGINNING, None)
    return previous_month(now, plans.zone())


_Found = list[tuple[Used, plans.Situation]]


def _with_plan(used: dict[int, Decimal], terms: PlanTerms, *, now: datetime) -> _Found:
    """Return those who have the plan now, the heaviest user first."""
    persons = counted_persons(used.keys())
    found = []
    for person_id, amount in used.items():
        situation = plans.situation_of_person(person_id, now=now) if person_id in persons else None
        if situation is None:
            continue
        price_ids = gateway.current_price_ids(person_id)
        plan = situation.catalogue.plan_for(price_ids, situation.exemptions)
        if plan.slug == terms.slug:
            found.append((Used(persons[person_id], amount), situation))
    return found


def _effect(found: _Found, terms: PlanTerms, meter: str, limit: Limit) -> Effect:
    """Sort the persons by what the limit, their exceptions included, does to them."""
    plan = replace(terms, limits={**terms.limits, meter: limit})
    effect = Effect([], [], [])
    for one, situation in found:
        theirs = limit_in_force(plan, meter, situation.exemptions)
        if theirs is None:
            continue
        if not theirs.holds(one.used):
            effect.blocked.append(one)
        if one.used >= theirs.amount:
            effect.reached.append(one)
        if one.used * 100 >= theirs.amount * WARNING:
            effect.warned.append(one)
    return effect
