"""Undo a merge: restore the merged person with its data, and with its events since then."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from django.core.exceptions import ValidationError
from django.db import transaction

from analytics.calculations.people.merge import Before, Side, without_merged
from analytics.calculations.people.profile import Profile
from analytics.models import Event, Person, PersonMerge
from analytics.people import exclusions, proving, splitting
from analytics.rollups import definitions, rebuild, rollups
from common.locks import Lock, locked_cursor


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """The effect of an undo; `lost_properties` are those that the remaining person loses."""

    person: Person
    distinct_ids: list[str]
    events: int
    properties: dict[str, Any]
    lost_properties: dict[str, Any]


class CannotUndo(ValidationError):
    """Why a merge cannot be undone, and which merge to undo first where that would help."""

    def __init__(self, reason: str, *, undo_first: PersonMerge | None = None) -> None:
        super().__init__(reason)
        self.undo_first = undo_first


def find_merge_of(person_id: int | None) -> PersonMerge | None:
    """Return the merge of a person into another one, if it has not been undone."""
    merges = PersonMerge.objects.filter(other_person_id=person_id, result=PersonMerge.Result.MERGED)
    return merges.order_by("-pk").first()


def preview(merge: PersonMerge) -> UndoPreview:
    """Return the effect of undoing a merge, or raise `CannotUndo`."""
    before, person, _ = _needed(merge)
    kept_properties = without_merged(_side(person), before).properties
    return UndoPreview(
        person=person,
        distinct_ids=before.distinct_ids,
        events=Event.objects.filter(person=person, distinct_id__in=before.distinct_ids).count(),
        properties=before.other.properties,
        lost_properties={
            name: value for name, value in person.properties.items() if name not in kept_properties
        },
    )


@transaction.atomic
def undo(merge_id: int, *, by: str, now: datetime) -> PersonMerge:
    """Undo a merge, or change nothing and raise `CannotUndo`."""
    cursor = locked_cursor(Lock.IDENTITY)
    merge = PersonMerge.objects.get(pk=merge_id)
    before, person, other = _needed(merge)
    both = [person.pk, other]
    with rollups.locked_recount(cursor, both):
        _bring_back(cursor, person, other, before)
        rebuild.recompute_persons(cursor, definitions.in_force(), both)
        merge.result, merge.undone_at, merge.undone_by = PersonMerge.Result.UNDONE, now, by
        merge.save(update_fields=["result", "undone_at", "undone_by"])
        _write(person.pk, without_merged(_side(person), before))
        _write(other, before.other)
        proving.forget(cursor, before.newly_proved)
    exclusions.update(cursor, both, by=by)
    return merge


def _bring_back(cursor: psycopg.Cursor, person: Person, other: int, before: Before) -> None:
    """Create the other person again, with its ids and the events that name them."""
    Person.objects.create(pk=other, created_at=person.created_at)
    splitting.move_ids(cursor, before.distinct_ids, old=person.pk, new=other)


def _write(person_id: int, side: Side) -> None:
    """Update a person after the undo, from the journal and from their events."""
    Person.objects.filter(pk=person_id).update(
        **{name: getattr(side, name) for name in Profile.__struct_fields__},
        is_identified=side.is_identified or splitting.was_identified(person_id),
        excluded_by_hand=side.excluded_by_hand,
        is_demo=side.is_demo,
        has_profile=splitting.has_profile(person_id),
    )


def _side(person: Person) -> Side:
    return Side(
        **{name: getattr(person, name) for name in Profile.__struct_fields__},
        is_identified=person.is_identified,
        excluded_by_hand=person.excluded_by_hand,
        is_demo=person.is_demo,
    )


def _needed(merge: PersonMerge) -> tuple[Before, Person, int]:
    """Return what was stored at a merge, the remaining person, and the id of the merged one.

    Raise `CannotUndo` where it cannot be undone.
    """
    if merge.result == PersonMerge.Result.UNDONE:
        raise CannotUndo(f"This merge was already undone by {merge.undone_by}.")
    if merge.result != PersonMerge.Result.MERGED:
        raise CannotUndo("This merge was refused: there is nothing to undo.")
    before, other = _before(merge), merge.other_person_id
    if before is None or other is None:
        raise CannotUndo("The data needed for an undo was not stored with this merge.")
    person = Person.objects.filter(pk=merge.person_id or 0).first()
    if person is not None:
        return before, person, other
    if later := find_merge_of(merge.person_id):
        raise CannotUndo(
            f"The remaining person has since been merged into “{later.distinct_id}”."
            " Undo that merge first.",
            undo_first=later,
        )
    raise CannotUndo("The remaining person has since been erased.")


def _before(merge: PersonMerge) -> Before | None:
    try:
        return msgspec.convert(merge.before, Before)
    except msgspec.ValidationError:
        return None
