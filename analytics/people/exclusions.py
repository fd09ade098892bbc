"""Persons who count nowhere: tests, internal people and bots, by hand or by rules.

What somebody decided about a person wins; otherwise a person is excluded where a rule matches.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import psycopg
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce

from analytics.models import DistinctId, ExclusionRule, Person
from analytics.rollups import rollups
from common.locks import Lock, locked_cursor

PERSONS_PER_STEP = 500
EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class ExclusionEffect:
    """Persons taken out of every number, and back in."""

    excluded: int = 0
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would do if it were saved now."""

    matching: int
    effect: ExclusionEffect
    counted: int  # persons who count now, before it
    examples: list[Person]


def matching(rule: ExclusionRule) -> QuerySet[Person]:
    """Return the persons a rule matches, whatever somebody decided about them."""
    return Person.objects.filter(_matches(rule))


def rules_about(person: Person) -> list[ExclusionRule]:
    return [
        rule
        for rule in ExclusionRule.objects.order_by("name")
        if matching(rule).filter(pk=person.pk).exists()
    ]


def preview(rule: ExclusionRule) -> Preview:
    """Return what saving `rule`, new or changed, would do."""
    rules = [*ExclusionRule.objects.exclude(pk=rule.pk), rule]
    wrong = _wrongly_counted_or_not(rules)
    matched = matching(rule)
    return Preview(
        matching=matched.count(),
        effect=ExclusionEffect(
            excluded=wrong.filter(excluded=False).count(),
            counted=wrong.filter(excluded=True).count(),
        ),
        counted=Person.objects.counted().count(),
        examples=list(matched.order_by("-pk").prefetch_related("distinct_ids")[:EXAMPLES]),
    )


@transaction.atomic
def save_rule(rule: ExclusionRule) -> ExclusionEffect:
    """Put a new or changed rule in force, for everybody at once."""
    cursor = locked_cursor(Lock.IDENTITY)
    rule.save()
    return settle(cursor)


@transaction.atomic
def delete_rules(rules: QuerySet[ExclusionRule]) -> ExclusionEffect:
    """Remove rules; whom no other rule matches counts again, at once."""
    cursor = locked_cursor(Lock.IDENTITY)
    rules.delete()
    return settle(cursor)


@transaction.atomic
def decide(person_ids: Iterable[int], *, excluded: bool) -> ExclusionEffect:
    """Exclude these persons by hand, or count them again, whatever the rules say.

    The decision is kept where the rules say otherwise; else nothing needs to be remembered.
    """
    cursor = locked_cursor(Lock.IDENTITY)
    rules = list(ExclusionRule.objects.all())
    effect = ExclusionEffect()
    ids = list(person_ids)
    for start in range(0, len(ids), PERSONS_PER_STEP):
        chunk = ids[start : start + PERSONS_PER_STEP]
        persons = Person.objects.filter(pk__in=chunk)
        by_rule = set(persons.filter(_any(rules)).values_list("pk", flat=True))
        agreed = by_rule if excluded else set(chunk) - by_rule
        persons.filter(pk__in=agreed).update(excluded_by_hand=None)
        persons.exclude(pk__in=agreed).update(excluded_by_hand=excluded)
        effect = _sum(effect, settle(cursor, chunk))
    return effect


def apply_rules(cursor: psycopg.Cursor, person_ids: Collection[int]) -> None:
    """Settle persons after what a batch of events said of them; free where no rules exist."""
    if person_ids and (rules := list(ExclusionRule.objects.all())):
        _settle(cursor, _wrongly_counted_or_not(rules).filter(pk__in=person_ids))


def settle(cursor: psycopg.Cursor, person_ids: Collection[int] | None = None) -> ExclusionEffect:
    """Take out of the numbers, or back in, whom rules and decisions say; by default of everybody.

    Inside the caller's transaction, which holds the identity lock: so everybody sees all of it
    at once, while no more than `PERSONS_PER_STEP` persons are in memory.
    """
    wrong = _wrongly_counted_or_not(list(ExclusionRule.objects.all()))
    return _settle(cursor, wrong if person_ids is None else wrong.filter(pk__in=person_ids))


def _settle(cursor: psycopg.Cursor, wrong: QuerySet[Person]) -> ExclusionEffect:
    effect = ExclusionEffect()
    last = 0
    while True:
        persons = wrong.filter(pk__gt=last).order_by("pk").values_list("pk", "excluded")
        step = dict(persons[:PERSONS_PER_STEP])
        if step:
            with rollups.locked_recount(cursor, step):
                cursor.execute(
                    "UPDATE analytics_person SET excluded = NOT excluded WHERE id = ANY(%s)",
                    [list(step)],
                )
            back_in = sum(step.values())
            effect = _sum(effect, ExclusionEffect(len(step) - back_in, back_in))
        if len(step) < PERSONS_PER_STEP:
            return effect
        last = max(step)


def _wrongly_counted_or_not(rules: Sequence[ExclusionRule]) -> QuerySet[Person]:
    """Return the persons whose `excluded` is not what `rules` and decisions say."""
    by_rule = Case(When(_any(rules), then=Value(True)), default=Value(False))
    return Person.objects.exclude(excluded=Coalesce(F("excluded_by_hand"), by_rule))


def _any(rules: Iterable[ExclusionRule]) -> Q:
    condition = Q(pk__in=[])
    for rule in rules:
        condition |= _matches(rule)
    return condition


def _matches(rule: ExclusionRule) -> Q:
    if rule.property_name:
        return Q(properties__contains={rule.property_name: rule.property_value})
    address = f"@{rule.email_domain}"
    ids = DistinctId.objects.filter(person=OuterRef("pk"), distinct_id__iendswith=address)
    return Q(properties__email__iendswith=address) | Q(Exists(ids))


def _sum(one: ExclusionEffect, other: ExclusionEffect) -> ExclusionEffect:
    return ExclusionEffect(one.excluded + other.excluded, one.counted + other.counted)
