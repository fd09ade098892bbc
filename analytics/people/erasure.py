"""Erase persons and every trace of them; the counters stay correct."""

from collections.abc import Callable, Sequence

from django.db import transaction

from analytics.extension_points import erasers
from analytics.models import Person
from analytics.rollups import rollups
from common.locks import Lock, locked_cursor

PERSONS_PER_TRANSACTION = 500

# The journal lines of persons that were merged into these are deleted, too.
_DELETE_MERGES = """
WITH RECURSIVE part AS (
    SELECT unnest(%s::bigint[]) AS id
    UNION
    SELECT other_person_id FROM analytics_personmerge JOIN part ON person_id = part.id
    WHERE result = 'merged'
)
DELETE FROM analytics_personmerge
WHERE person_id IN (SELECT id FROM part) OR other_person_id IN (SELECT id FROM part)
"""


def erase(person_ids: Sequence[int], *, progress: Callable[[int], None] = lambda _: None) -> int:
    """Erase these persons with their events, and return the number of erased events.

    Works in bounded steps, each complete in itself; `progress` is called with the persons done.
    """
    events = 0
    for start in range(0, len(person_ids), PERSONS_PER_TRANSACTION):
        chunk = person_ids[start : start + PERSONS_PER_TRANSACTION]
        events += _erase_chunk(chunk)
        progress(start + len(chunk))
    return events


def erase_demo(*, progress: Callable[[int], None] = lambda _: None) -> int:
    """Erase all demo data, and return the number of erased persons."""
    person_ids = list(Person.objects.filter(is_demo=True).values_list("pk", flat=True))
    erase(person_ids, progress=progress)
    return len(person_ids)


@transaction.atomic
def _erase_chunk(person_ids: Sequence[int]) -> int:
    cursor = locked_cursor(Lock.IDENTITY)
    for erase_elsewhere in erasers:
        erase_elsewhere(person_ids)
    parameters = [list(person_ids)]
    with rollups.locked_recount(cursor, person_ids):
        cursor.execute(
            "DELETE FROM analytics_eventuuid WHERE uuid = ANY(ARRAY("
            "SELECT uuid FROM analytics_event WHERE person_id = ANY(%s)))",
            parameters,
        )
        cursor.execute("DELETE FROM analytics_event WHERE person_id = ANY(%s)", parameters)
        events = cursor.rowcount
        for table in ("personday", "distinctid"):
            cursor.execute(f"DELETE FROM analytics_{table} WHERE person_id = ANY(%s)", parameters)
        cursor.execute(_DELETE_MERGES, parameters)
        cursor.execute("DELETE FROM analytics_person WHERE id = ANY(%s)", parameters)
    return events
