"""Move distinct ids, with their events, from a person to another one that is new or comes back."""

from collections.abc import Collection

import psycopg

from analytics.calculations.people.identity import Identities
from analytics.calculations.people.placeholders import is_illegal
from analytics.calculations.people.profile_changes import makes_profile
from analytics.models import Event, Person, PersonMerge
from analytics.models.event import property_of_event
from analytics.rollups import definitions, rebuild, rollups


def split(cursor: psycopg.Cursor, identities: Identities) -> None:
    """Move the ids that were proved to be other persons, after the batch's merges.

    The new persons are stored already. Of the properties nothing moves: who set them under the
    split id is only claimed, as is that it identified anyone. Needs the identity lock.
    """
    moves = [
        (row.distinct_id, identities.current(row.old), identities.current(row.new))
        for row in identities.splits
    ]
    moves = [(distinct_id, old, new) for distinct_id, old, new in moves if old != new]
    if not moves:
        return
    persons = sorted({person for _, *both in moves for person in both})
    with rollups.locked_recount(cursor, persons):
        for distinct_id, old, new in moves:
            move_ids(cursor, [distinct_id], old=old, new=new)
        for person_id in persons:
            Person.objects.filter(pk=person_id).update(has_profile=has_profile(person_id))
        rebuild.recompute_persons(cursor, definitions.in_force(), persons)


def move_ids(cursor: psycopg.Cursor, distinct_ids: Collection[str], *, old: int, new: int) -> None:
    """Give a person's ids, and the events that name them, to another person."""
    moved = {"old": old, "new": new, "ids": list(distinct_ids)}
    cursor.execute(
        "UPDATE analytics_distinctid SET person_id = %(new)s"
        " WHERE person_id = %(old)s AND distinct_id = ANY(%(ids)s)",
        moved,
    )
    # A distribution column cannot be updated on a cluster, so rows are deleted and inserted again.
    cursor.execute(
        """
        WITH moved AS (
            DELETE FROM analytics_event WHERE person_id = %(old)s AND distinct_id = ANY(%(ids)s)
            RETURNING timestamp, uuid, event, distinct_id, properties, proved, short_properties
        )
        INSERT INTO analytics_event
            (person_id, timestamp, uuid, event, distinct_id, properties, proved, short_properties)
        SELECT %(new)s, moved.* FROM moved
        """,
        moved,
    )


def was_identified(person_id: int) -> bool:
    """Whether an event identified the person, or a valid merge created it from two.

    What was only claimed of an id that was split off identified another person, if anyone.
    """
    identifying = Event.objects.filter(person=person_id, event="$identify")
    ids = identifying.values_list("distinct_id", "proved").distinct()
    claimed = {distinct_id for distinct_id, proved in ids if not proved}
    split = PersonMerge.objects.filter(result=PersonMerge.Result.SPLIT, distinct_id__in=claimed)
    disproved = set(split.values_list("distinct_id", flat=True))
    return _has_merges(person_id) or any(
        not is_illegal(distinct_id) and (proved or distinct_id not in disproved)
        for distinct_id, proved in ids
    )


def has_profile(person_id: int) -> bool:
    """Whether an event gave the person a profile, or a valid merge created it from two."""
    kinds = Event.objects.filter(person=person_id).values_list(
        "event", property_of_event("$process_person_profile")
    )
    return _has_merges(person_id) or any(
        makes_profile(event, process_person_profile)
        for event, process_person_profile in kinds.distinct()
    )


def _has_merges(person_id: int) -> bool:
    merges = PersonMerge.objects.filter(person_id=person_id, result=PersonMerge.Result.MERGED)
    return merges.exists()
