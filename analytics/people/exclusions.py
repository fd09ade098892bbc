"""Persons excluded from all metrics: tests, internal people and bots, by hand or by rules.

A decision of staff about a person wins; otherwise a person is excluded where a rule matches.
Every exclusion is recorded, whichever way a person became excluded.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import psycopg
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from analytics.models import Exclusion, ExclusionRule, Person
from analytics.models.person import is_protected
from analytics.people import exclusion_records
from analytics.people.exclusion_conditions import (
    first_match,
    matched_by_any,
    matches,
    should_be_excluded,
)
from analytics.people.exclusion_records import Change, Origin
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
    return Person.objects.filter(matches(rule))


def rules_about(person: Person) -> list[ExclusionRule]:
    return [
        rule
        for rule in ExclusionRule.objects.order_by("name")
        if matching(rule).filter(pk=person.pk).exists()
    ]


def preview(rule: ExclusionRule) -> Preview:
    """Return the effect of saving `rule`, new or changed."""
    rules = [*ExclusionRule.objects.exclude(pk=rule.pk), rule]
    out_of_date = Person.objects.exclude(excluded=should_be_excluded(rules))
    effect = out_of_date.aggregate(
        newly_excluded=Count("pk", filter=Q(excluded=False)),
        newly_counted=Count("pk", filter=Q(excluded=True)),
    )
    matched = matching(rule)
    return Preview(
        matching=matched.count(),
        effect=ExclusionEffect(effect["newly_excluded"], effect["newly_counted"]),
        counted=Person.objects.counted().count(),
        examples=list(matched.order_by("-pk").prefetch_related("distinct_ids")[:EXAMPLES]),
    )


@transaction.atomic
def save_rule(rule: ExclusionRule, *, by: str = "") -> ExclusionEffect:
    """Save a new or changed rule, and apply it to all persons at once; `by` is the staff user."""
    cursor = locked_cursor(Lock.IDENTITY)
    rule.save()
    return _update(cursor, Person.objects.all(), _rules(), Origin(Exclusion.Cause.RULES, by))


@transaction.atomic
def delete_rules(rules: QuerySet[ExclusionRule], *, by: str = "") -> ExclusionEffect:
    """Delete rules; persons without another matching rule count again at once."""
    cursor = locked_cursor(Lock.IDENTITY)
    rules.delete()
    return _update(cursor, Person.objects.all(), _rules(), Origin(Exclusion.Cause.RULES, by))


@transaction.atomic
def decide(person_ids: Iterable[int], *, excluded: bool, by: str = "") -> ExclusionEffect:
    """Exclude these persons by hand, or count them again, whatever the rules say.

    The decision is stored only where the rules say otherwise. `by` is the staff user.
    """
    cursor = locked_cursor(Lock.IDENTITY)
    rules = _rules()
    effect = ExclusionEffect()
    ids = list(person_ids)
    for start in range(0, len(ids), PERSONS_PER_STEP):
        chunk = ids[start : start + PERSONS_PER_STEP]
        persons = Person.objects.filter(pk__in=chunk)
        by_rule = set(persons.filter(matched_by_any(rules)).values_list("pk", flat=True))
        agreed = by_rule if excluded else set(chunk) - by_rule
        persons.filter(pk__in=agreed).update(excluded_by_hand=None)
        persons.exclude(pk__in=agreed).update(excluded_by_hand=excluded)
        effect = _sum(effect, _update(cursor, persons, rules, Origin(Exclusion.Cause.HAND, by)))
    return effect


def apply_rules(cursor: psycopg.Cursor, person_ids: Collection[int]) -> None:
    """Apply the rules to persons changed by a batch of events, and record what merges did.

    Free where no rules exist and no person is excluded.
    """
    if person_ids and ((rules := _rules()) or _any_excluded(cursor)):
        persons = Person.objects.filter(pk__in=person_ids)
        _update(cursor, persons, rules, Origin(Exclusion.Cause.ARRIVAL))


def update(cursor: psycopg.Cursor, person_ids: Collection[int], *, by: str = "") -> None:
    """Exclude or include persons that staff merged or separated, as rules and decisions say."""
    persons = Person.objects.filter(pk__in=person_ids)
    _update(cursor, persons, _rules(), Origin(Exclusion.Cause.MERGE, by))


def _any_excluded(cursor: psycopg.Cursor) -> bool:
    """Whether any person is excluded, or recorded as such, which partial indexes say."""
    cursor.execute(
        "SELECT EXISTS (SELECT FROM analytics_person WHERE excluded)"
        " OR EXISTS (SELECT FROM analytics_exclusion WHERE ended_at IS NULL)"
    )
    return cursor.fetchone() == (True,)


def _rules() -> list[ExclusionRule]:
    return list(ExclusionRule.objects.order_by("name"))


def _update(
    cursor: psycopg.Cursor,
    persons: QuerySet[Person],
    rules: Sequence[ExclusionRule],
    origin: Origin,
) -> ExclusionEffect:
    """Exclude or include `persons` as rules and decisions say, and record it.

    Inside the caller's transaction, which holds the identity lock: so all changes become visible
    at once. All ids are read first, and the rest in steps of `PERSONS_PER_STEP`.
    """
    out_of_date = list(_out_of_date(persons, rules).values_list("pk", flat=True))
    effect = ExclusionEffect()
    for start in range(0, len(out_of_date), PERSONS_PER_STEP):
        step = _changes(out_of_date[start : start + PERSONS_PER_STEP], rules)
        effect = _sum(effect, _apply(cursor, step))
        exclusion_records.record(step, origin)
    return effect


def _out_of_date(persons: QuerySet[Person], rules: Sequence[ExclusionRule]) -> QuerySet[Person]:
    """Return the persons whose `excluded` or record is wrong.

    A merge by events changes `excluded` on its own, so that only the record may be missing.
    """
    is_right = {"target": F("excluded"), "recorded": F("excluded")}
    return persons.alias(target=should_be_excluded(rules), recorded=_recorded()).exclude(**is_right)


def _changes(person_ids: Sequence[int], rules: Sequence[ExclusionRule]) -> list[Change]:
    rows = Person.objects.filter(pk__in=person_ids).values_list(
        "pk",
        "excluded",
        should_be_excluded(rules),
        "excluded_by_hand",
        first_match(rules),
        is_protected("pk"),
    )
    return [Change(*row) for row in rows.order_by("pk")]


def _recorded() -> Exists:
    return Exists(exclusion_records.in_force().filter(person=OuterRef("pk")))


def _apply(cursor: psycopg.Cursor, changes: Sequence[Change]) -> ExclusionEffect:
    flipped = [change.person_id for change in changes if change.is_flip]
    if flipped:
        with rollups.locked_recount(cursor, flipped):
            cursor.execute(
                "UPDATE analytics_person SET excluded = NOT excluded WHERE id = ANY(%s)", [flipped]
            )
    newly_excluded = sum(change.is_flip and change.target for change in changes)
    return ExclusionEffect(newly_excluded, len(flipped) - newly_excluded)


def _sum(first: ExclusionEffect, second: ExclusionEffect) -> ExclusionEffect:
    return ExclusionEffect(first.excluded + second.excluded, first.counted + second.counted)
