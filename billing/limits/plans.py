"""Plans and meters: the defaults, those in force, and which plan a person has."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from analytics.models import Person
from analytics.people.person_sql import person_id_of, persons_as, with_person
from billing.calculations.billing_period import price_ids_of
from billing.calculations.plan import Catalogue, Exemption, PlanTerms
from billing.models import Plan
from billing.stripe import gateway
from common import locks
from common.locks import Lock
from common.postgres import is_storable

_DEFAULT_METERS = (
    ("workflows", "Workflows", "workflow_created", "lifetime"),
    ("workflow_runs", "Workflow runs", "workflow_run", "month"),
    ("events", "Events", "", "month"),
    ("suggestions", "Suggestions", "suggestion_applied", "month"),
)
# Limits in the order of the meters; events never block, and the last plan has no limits.
_DEFAULT_PLANS: tuple[tuple[str, str, tuple[int, ...], list[str]], ...] = (
    ("free", "Free", (10, 100, 10_000, 20), ["Community support"]),
    ("pro", "Pro", (100, 5_000, 250_000, 500), ["E-mail support"]),
    ("team", "Team", (1_000, 50_000, 2_000_000, 5_000), ["E-mail support", "Shared workflows"]),
    ("enterprise", "Enterprise", (), ["Priority support", "Shared workflows", "Single sign-on"]),
)

# Everything in one row, so that checking a limit takes one query.
_CATALOGUE = """
jsonb_build_object(
    'meters', (SELECT coalesce(jsonb_agg(meter ORDER BY slug), '[]') FROM billing_usagemeter meter),
    'plans', (
        SELECT coalesce(jsonb_agg(to_jsonb(plan) || jsonb_build_object(
            'price_ids', ARRAY(
                SELECT price_id FROM billing_planprice WHERE plan_id = plan.id ORDER BY id
            ),
            'limits', (
                SELECT coalesce(jsonb_object_agg(meter.slug, plan_limit), '{}')
                FROM billing_planlimit plan_limit
                JOIN billing_usagemeter meter ON meter.id = meter_id
                WHERE plan_id = plan.id
            )
        ) ORDER BY rank), '[]')
        FROM billing_plan plan
    )
)::text
"""
_EXEMPTIONS = f"""
(SELECT coalesce(jsonb_agg(jsonb_build_object(
    'plan', plan.slug, 'meter', meter.slug, 'amount', amount
)), '[]')
 FROM {with_person("billing_limitexception")}
 LEFT JOIN billing_plan plan ON plan.id = plan_id
 LEFT JOIN billing_usagemeter meter ON meter.id = meter_id
 WHERE person_id = person.id AND ends_on >= %(today)s)::text
"""

_catalogue = msgspec.json.Decoder(Catalogue).decode
_exemptions = msgspec.json.Decoder(list[Exemption]).decode


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides a person's limits, except what they pay for."""

    catalogue: Catalogue
    person: Person  # with its id and properties
    exemptions: list[Exemption]


def zone() -> ZoneInfo:
    """Return the zone of calendar months; a change of the setting applies at once."""
    return ZoneInfo(settings.PLUMBLINE_TIME_ZONE)


def today(now: datetime) -> date:
    """Return the calendar day on which limits and exceptions are judged."""
    return now.astimezone(zone()).date()


def catalogue() -> Catalogue:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_CATALOGUE}")
        return _catalogue(cursor.fetchone()[0])


def situation_of(distinct_id: str, *, now: datetime, locked: bool = False) -> Situation | None:
    """Return the situation of the person with a distinct id, in one query; None if unknown.

    `locked`: only the caller reserves for that person until its transaction ends.
    """
    if not is_storable(distinct_id):
        return None
    person_id = person_id_of("%(distinct_id)s")
    return _situation(person_id, {"distinct_id": distinct_id}, now=now, locked=locked)


def situation_of_person(person_id: int, *, now: datetime) -> Situation | None:
    """Return the situation of a person by id, in one query; None if there is no such person."""
    return _situation("%(person_id)s", {"person_id": person_id}, now=now)


def _situation(
    person_id: str, parameters: dict[str, Any], *, now: datetime, locked: bool = False
) -> Situation | None:
    lock = locks.row_lock_sql(Lock.PLAN_LIMITS, "person.id") if locked else "NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_CATALOGUE}, person.id, person.properties::text, {_EXEMPTIONS}, {lock}"
            f" FROM {persons_as('person')} WHERE person.id = {person_id}",
            parameters | {"today": today(now)},
        )
        row = cursor.fetchone()
    if row is None:
        return None
    stored_catalogue, own_id, properties, exemptions, _ = row
    person = Person.from_db("default", ["id", "properties"], [own_id, json.loads(properties)])
    return Situation(_catalogue(stored_catalogue), person, _exemptions(exemptions))


def plan_of(person_id: int, *, now: datetime | None = None) -> PlanTerms:
    """Return the plan a person has: the highest they pay for or were granted, or the default.

    Raise Person.DoesNotExist if there is no such person.
    """
    situation = situation_of_person(person_id, now=now or timezone.now())
    if situation is None:
        raise Person.DoesNotExist(f"There is no person {person_id}.")
    price_ids = price_ids_of(gateway.paid_items_of(person_id))
    return situation.catalogue.plan_for(price_ids, situation.exemptions)


def upgrade_url(person: Person, plan: PlanTerms | None) -> str:
    """Return a ready checkout link for a plan; "" if it has no price or Stripe is not set up."""
    if plan is None or not plan.price_ids:
        return ""
    return gateway.checkout_url(person, plan.price_ids[0])


@transaction.atomic
def make_default(plan_id: int) -> Plan:
    """Give this plan to everyone without a paid plan."""
    plan = Plan.objects.select_for_update().get(pk=plan_id)
    Plan.objects.filter(is_default=True).update(is_default=False)
    Plan.objects.filter(pk=plan_id).update(is_default=True)
    return plan


def create_defaults(*, apps: Apps = installed_apps, **_: Any) -> None:
    """Create the default plans and meters if there are none; what staff have set is kept."""
    try:
        plan_model = apps.get_model("billing", "Plan")
        meter_model = apps.get_model("billing", "UsageMeter")
        limit_model = apps.get_model("billing", "PlanLimit")
    except LookupError:  # migrated back to before plans existed
        return
    if plan_model.objects.exists() or meter_model.objects.exists():
        return
    meters = meter_model.objects.bulk_create(
        meter_model(slug=slug, name=name, event=event, period=period)
        for slug, name, event, period in _DEFAULT_METERS
    )
    for rank, (slug, name, amounts, features) in enumerate(_DEFAULT_PLANS):
        plan = plan_model.objects.create(
            slug=slug, name=name, rank=10 * rank, is_default=rank == 0, features=features
        )
        limit_model.objects.bulk_create(
            limit_model(plan=plan, meter=meter, amount=amount, hard=meter.slug != "events")
            for meter, amount in zip(meters, amounts, strict=False)
        )
