"""Merging persons by hand, with the same rules and journal as merges by events."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.identity import Identities
from analytics.calculations.people.merge import merged_decision
from analytics.calculations.people.placeholders import is_illegal
from analytics.calculations.records import EventRecord, Proof
from analytics.models import Event, Person, PersonDay, PersonMerge
from analytics.people import exclusions, identity, merging, persons, profiles
from common.locks import Lock, locked_cursor
from common.postgres import raw_cursor


@dataclass(frozen=True, slots=True)
class MergePreview:
    """The effect of merging `other` into `person`."""

    person: Person
    other: Person
    distinct_ids: list[str]  # that move
    events: int
    days: int
    shared_days: int  # ... of them on which both were active
    taken_over: dict[str, Any]  # properties that only the other person has
    lost: list[tuple[str, Any, Any]]  # name, remaining value, the other person's value
    excluded_by_hand: bool
    both_pay: bool
    both_protected: bool


def preview(person: Person, distinct_id: str) -> MergePreview:
    """Return the effect of merging the person with `distinct_id` into `person`.

    Raise a ValidationError that says why it cannot be done.
    """
    _identifying_id(person)
    other = _other(person, distinct_id)
    days = PersonDay.objects.filter(person=other)
    shared = PersonDay.objects.filter(person=person, day__in=days.values("day"))
    decision = merged_decision(person.excluded_by_hand, other.excluded_by_hand)
    return MergePreview(
        person=person,
        other=other,
        distinct_ids=sorted(row.distinct_id for row in other.distinct_ids.all()),
        events=Event.objects.filter(person=other).count(),
        days=days.count(),
        shared_days=shared.count(),
        taken_over={
            name: value for name, value in other.properties.items() if name not in person.properties
        },
        lost=[
            (name, person.properties[name], value)
            for name, value in other.properties.items()
            if name in person.properties and person.properties[name] != value
        ],
        excluded_by_hand=bool(decision) and not person.excluded,
        both_pay=len(identity.paying({person.pk, other.pk})) == 2,
        both_protected=len(identity.proved_ids(raw_cursor(), {person.pk, other.pk})) == 2,
    )


@transaction.atomic
def merge(person_id: int, distinct_id: str, *, other_id: int, by: str) -> PersonMerge:
    """Merge the person with `distinct_id`, previewed as `other_id`, and return the journal line.

    Raise a ValidationError that says why it cannot be done; then nothing has changed.
    """
    cursor = locked_cursor(Lock.IDENTITY, Lock.ROLLUPS)
    person = Person.objects.filter(pk=person_id).first()
    if person is None:
        raise ValidationError(
            "This person no longer exists: it was merged into another one or erased."
        )
    other = _other(person, distinct_id)
    if other.pk != other_id:
        raise ValidationError(
            f"“{distinct_id}” now belongs to another person. Check the preview again."
        )
    # Stands for an event that would request the merge; it is not stored.
    record = EventRecord(
        uuid=uuid4().bytes,
        event="$merge_dangerously",
        distinct_id=_identifying_id(person),
        timestamp=timezone.now(),
        properties=b"{}",
        other_id=distinct_id,
        proof=Proof.STAFF,
    )
    event = EventBatch.from_records([record])
    identified = {side.pk for side in (person, other) if side.is_identified}
    person_of = {record.distinct_id: person.pk, distinct_id: other.pk}
    proved_ids = identity.proved_ids(cursor, {person.pk, other.pk})
    identities = Identities(person_of, identified, iter(()), proved_ids)
    identities.apply(event)
    profiles.update(cursor, event, [person.pk], identities, cause=f"admin: {by}")
    identity.mark_identified(cursor, identities)
    merging.merge(cursor, identities.merges)
    identity.store_proofs(cursor, identities)
    exclusions.update(cursor, [person.pk], by=by)
    return PersonMerge.objects.filter(other_person_id=other.pk).latest("pk")


def _other(person: Person, distinct_id: str) -> Person:
    """Return the person to merge into `person`, or raise why it cannot be merged."""
    if is_illegal(distinct_id):
        raise ValidationError(
            f"“{distinct_id}” is a placeholder that products send for unknown users: it does not"
            " identify a person."
            if distinct_id.strip()
            else "Enter a distinct id of the person to merge into this one."
        )
    other = persons.find_person(distinct_id)
    if other is None:
        raise ValidationError(f"No person has the distinct id “{distinct_id}”.")
    if other.pk == person.pk:
        raise ValidationError(f"“{distinct_id}” already belongs to this person.")
    return other


def _identifying_id(person: Person) -> str:
    """Return a distinct id that identifies the person, or raise a ValidationError."""
    ids = sorted(row.distinct_id for row in person.distinct_ids.all())
    for distinct_id in ids:
        if not is_illegal(distinct_id):
            return distinct_id
    raise ValidationError(
        "This person has only placeholder ids, so no other person can be merged into it."
    )
