"""Find the persons behind distinct ids, and store what events say about their identity."""

import numpy as np
import psycopg
from django.db import transaction
from numpy.typing import NDArray

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.identity import Identities, linking_records
from analytics.rollups.person_cache import CachedPersons, PersonCache
from common.locks import Lock, lock, lock_shared
from common.postgres import array_literal


def lock_and_resolve(
    cursor: psycopg.Cursor,
    events: EventBatch,
    cache: PersonCache,
    *,
    is_demo: bool = False,
) -> tuple[Identities, NDArray[np.int64]]:
    """Return the identities after `events`, and the person of each event at its time.

    New persons and ids are written; merges are left to `analytics.people.merging`. Batches run
    side by side under a shared lock until the end of their transaction. A batch that merges
    persons, or in which another transaction created the same person, starts again and runs alone.
    """
    if not events:
        return Identities({}, set(), iter(())), np.array([], np.int64)
    cursor.execute("SAVEPOINT identities")
    lock_shared(cursor, Lock.IDENTITY)
    cached = cache.current(cursor)
    identities, persons = _planned(cursor, events, cached)
    if not identities.merges and _write(cursor, identities, is_demo=is_demo):
        cursor.execute("RELEASE SAVEPOINT identities")
        transaction.on_commit(lambda: cached.person_of.update(identities.person_of))
        return identities, persons
    cursor.execute("ROLLBACK TO SAVEPOINT identities")  # which releases the shared lock
    lock(cursor, Lock.IDENTITY)
    identities, persons = _planned(cursor, events, cache.current(cursor))
    if not _write(cursor, identities, is_demo=is_demo):
        raise RuntimeError("distinct ids changed under the identity lock")
    return identities, persons


def _planned(
    cursor: psycopg.Cursor, events: EventBatch, cached: CachedPersons
) -> tuple[Identities, NDArray[np.int64]]:
    """Apply the identity rules to the current state of the database."""
    linking = linking_records(events).values()
    linked = {record.distinct_id for record in linking}
    linked |= {record.other_id for record in linking if record.other_id is not None}
    distinct_ids = linked.union(events.numbered_ids[0])
    person_of = _persons(cursor, distinct_ids, cached)
    identified = _identified(cursor, [person_of[id_] for id_ in linked if id_ in person_of])
    new_ids = _new_person_ids(cursor, len(distinct_ids) - len(person_of))
    identities = Identities(person_of, identified, iter(new_ids))
    return identities, identities.apply(events)


def _persons(
    cursor: psycopg.Cursor, distinct_ids: set[str], cached: CachedPersons
) -> dict[str, int]:
    """Return the person of each distinct id that has one."""
    person_of = {id_: cached.person_of[id_] for id_ in distinct_ids if id_ in cached.person_of}
    if len(person_of) < len(distinct_ids):
        cursor.execute(
            "SELECT distinct_id, person_id FROM analytics_distinctid WHERE distinct_id = ANY(%s)",
            [list(distinct_ids - person_of.keys())],
        )
        person_of.update(cursor.fetchall())
    return person_of


def _identified(cursor: psycopg.Cursor, person_ids: list[int]) -> set[int]:
    """Return those of these persons who are identified."""
    if not person_ids:
        return set()
    cursor.execute(
        "SELECT id FROM analytics_person WHERE id = ANY(%s) AND is_identified",
        [list(set(person_ids))],
    )
    return {person for (person,) in cursor.fetchall()}


def _new_person_ids(cursor: psycopg.Cursor, number: int) -> list[int]:
    if not number:
        return []
    cursor.execute(
        "SELECT nextval('analytics_person_id_seq') FROM generate_series(1, %s)", [number]
    )
    return [person for (person,) in cursor.fetchall()]


def _write(cursor: psycopg.Cursor, identities: Identities, *, is_demo: bool) -> bool:
    """Write new persons and ids; False where another transaction has created one of the ids."""
    if not identities.attached:
        return True
    ids = sorted(identities.attached)  # in one order everywhere, to prevent deadlocks
    cursor.execute(
        "INSERT INTO analytics_distinctid (distinct_id, person_id)"
        " SELECT * FROM unnest(%s::text[], %s::bigint[]) ON CONFLICT DO NOTHING",
        [
            ids,
            array_literal(identities.current(identities.attached[id_]) for id_ in ids),
        ],
    )
    if cursor.rowcount < len(ids):
        return False
    merged = identities.merges
    created = [person for person in identities.created if person not in merged]
    cursor.execute(
        "INSERT INTO analytics_person (id, is_demo, excluded, is_identified, has_profile,"
        " properties) SELECT id, %s, false, false, false, '{}' FROM unnest(%s::bigint[]) AS id",
        [is_demo, array_literal(created)],
    )
    return True


def mark_identified(cursor: psycopg.Cursor, identities: Identities) -> None:
    """Store which persons have become identified."""
    if identities.newly_identified:
        cursor.execute(
            "UPDATE analytics_person SET is_identified = true"
            " WHERE id = ANY(%s) AND NOT is_identified",
            [[identities.current(person) for person in identities.newly_identified]],
        )
