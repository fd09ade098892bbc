"""Persons excluded from all metrics: tests, internal people and bots, by hand or by rules.

A decision of staff about a person wins; otherwise a person is excluded where a rule matches.
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
    """Numbers of persons newly excluded from all metrics, and newly counted."""

    excluded: int = 0
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """The effect of a rule if it were saved now."""

    matching: int
    effect: ExclusionEffect
    counted: int  # persons who count now, before the rule
    examples: list[Person]


def matching(rule: ExclusionRule) -> QuerySet[Person]:
    """Return the persons a rule matches, including those with a decision by hand."""
    return Person.objects.filter(_matches(rule))


def rules_about(person: Person) -> list[ExclusionRule]:
    return [
        rule
        for rule in ExclusionRule.objects.order_by("name")
        if matching(rule).filter(pk=person.pk).exists()
    ]


def preview(rule: ExclusionRule) -> Preview:
    """Return the effect of saving `rule`, new or changed."""
    rules = [*ExclusionRule.objects.exclude(pk=rule.pk), rule]
    out_of_date = _out_of_date(rules)
    matched = matching(rule)
    return Preview(
        matching=matched.count(),
        effect=ExclusionEffect(
            excluded=out_of_date.filter(excluded=False).count(),
            counted=out_of_date.filter(excluded=True).count(),
        ),
        counted=Person.objects.counted().count(),
        examples=list(matched.order_by("-pk").prefetch_related("distinct_ids")[:EXAMPLES]),
    )


@transaction.atomic
def save_rule(rule: ExclusionRule) -> ExclusionEffect:
    """Save a new or changed rule, and apply it to all persons at once."""
    cursor = locked_cursor(Lock.IDENTITY)
    rule.save()
    return update(cursor)


@transaction.atomic
def delete_rules(rules: QuerySet[ExclusionRule]) -> ExclusionEffect:
    """Delete rules; persons without another matching rule count again at once."""
    cursor = locked_cursor(Lock.IDENTITY)
    rules.delete()
    return update(cursor)


@transaction.atomic
def decide(person_ids: Iterable[int], *, excluded: bool) -> ExclusionEffect:
    """Exclude these persons by hand, or count them again, whatever the rules say.

    The decision is stored only where the rules say otherwise.
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
        effect = _sum(effect, update(cursor, chunk))
    return effect


def apply_rules(cursor: psycopg.Cursor, person_ids: Collection[int]) -> None:
    """Apply the rules to persons changed by a batch of events; free where no rules exist."""
    if person_ids and (rules := list(ExclusionRule.objects.all())):
        _update(cursor, _out_of_date(rules).filter(pk__in=person_ids))


def update(cursor: psycopg.Cursor, person_ids: Collection[int] | None = None) -> ExclusionEffect:
    """Exclude or include persons as rules and decisions say; by default all persons.

    Inside the caller's transaction, which holds the identity lock: so all changes become visible
    at once, with at most `PERSONS_PER_STEP` persons in memory.
    """
    out_of_date = _out_of_date(list(ExclusionRule.objects.all()))
    return _update(
        cursor, out_of_date if person_ids is None else out_of_date.filter(pk__in=person_ids)
    )


def _update(cursor: psycopg.Cursor, out_of_date: QuerySet[Person]) -> ExclusionEffect:
    effect = ExclusionEffect()
    last = 0
    while True:
        persons = out_of_date.filter(pk__gt=last).order_by("pk").values_list("pk", "excluded")
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


def _out_of_date(rules: Sequence[ExclusionRule]) -> QuerySet[Person]:
    """Return the persons whose `excluded` differs from `rules` and decisions."""
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


def _sum(first: ExclusionEffect, second: ExclusionEffect) -> ExclusionEffect:
    return ExclusionEffect(first.excluded + second.excluded, first.counted + second.counted)
