"""Resolve the persons behind distinct ids, and write down what events said about who is who."""

import numpy as np
import psycopg
from django.db import transaction
from numpy.typing import NDArray

from analytics.calculations.batch import EventBatch
from analytics.calculations.identity import Identities, linking_records
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
    """Return who is who after `events`, and the person of each at its moment.

    New persons and ids are written; merges are left to `analytics.people.merging`. Batches run
    side by side under a shared lock until the end of their transaction. One that merges persons,
    or that found another making the same person, starts again and runs alone.
    """
    if not events:
        return Identities({}, set(), iter(())), np.array([], np.int64)
    cursor.execute("SAVEPOINT identities")
    lock_shared(cursor, Lock.IDENTITY)
    known = cache.known(cursor)
    identities, persons = _planned(cursor, events, known)
    if not identities.merges and _write(cursor, identities, is_demo=is_demo):
        cursor.execute("RELEASE SAVEPOINT identities")
        transaction.on_commit(lambda: known.person_of.update(identities.person_of))
        return identities, persons
    cursor.execute("ROLLBACK TO SAVEPOINT identities")  # and so the shared lock is let go
    lock(cursor, Lock.IDENTITY)
    identities, persons = _planned(cursor, events, cache.known(cursor))
    if not _write(cursor, identities, is_demo=is_demo):
        raise RuntimeError("distinct ids changed under the identity lock")
    return identities, persons


def _planned(
    cursor: psycopg.Cursor, events: EventBatch, known: CachedPersons
) -> tuple[Identities, NDArray[np.int64]]:
    """Apply the identity rules to what the database knows now."""
    linking = linking_records(events).values()
    linked = {record.distinct_id for record in linking}
    linked |= {record.other_id for record in linking if record.other_id is not None}
    wanted = linked.union(events.numbered_ids[0])
    person_of = {one: known.person_of[one] for one in wanted if one in known.person_of}
    if len(person_of) < len(wanted):
        cursor.execute(
            "SELECT distinct_id, person_id FROM analytics_distinctid WHERE distinct_id = ANY(%s)",
            [list(wanted - person_of.keys())],
        )
        person_of.update(cursor.fetchall())
    suspects = {person_of[distinct_id] for distinct_id in linked if distinct_id in person_of}
    identified: set[int] = set()
    if suspects:
        cursor.execute(
            "SELECT id FROM analytics_person WHERE id = ANY(%s) AND is_identified",
            [list(suspects)],
        )
        identified = {person for (person,) in cursor.fetchall()}
    new_ids: list[int] = []
    if unknown := len(wanted) - len(person_of):
        cursor.execute(
            "SELECT nextval('analytics_person_id_seq') FROM generate_series(1, %s)", [unknown]
        )
        new_ids = [person for (person,) in cursor.fetchall()]
    identities = Identities(person_of, identified, iter(new_ids))
    return identities, identities.apply(events)


def _write(cursor: psycopg.Cursor, identities: Identities, *, is_demo: bool) -> bool:
    """Write new persons and ids; False where another transaction made one of the ids meanwhile."""
    if not identities.attached:
        return True
    ids = sorted(identities.attached)  # in one order everywhere, so that nobody deadlocks
    cursor.execute(
        "INSERT INTO analytics_distinctid (distinct_id, person_id)"
        " SELECT * FROM unnest(%s::text[], %s::bigint[]) ON CONFLICT DO NOTHING",
        [
            ids,
            array_literal(identities.current(identities.attached[one]) for one in ids),
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
    """Note who is identified from now on."""
    if identities.newly_identified:
        cursor.execute(
            "UPDATE analytics_person SET is_identified = true"
            " WHERE id = ANY(%s) AND NOT is_identified",
            [[identities.current(person) for person in identities.newly_identified]],
        )
