"""Find the persons behind distinct ids, and store what events say about their identity."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import psycopg
from django.db import transaction
from numpy.typing import NDArray

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.identity import Identities, linking_records
from analytics.extension_points import payers
from analytics.rollups.person_cache import CachedPersons, PersonCache
from common.locks import Lock, lock, lock_shared
from common.postgres import array_literal


def lock_and_resolve(
    cursor: psycopg.Cursor,
    events: EventBatch,
    cache: PersonCache,
    *,
    is_demo: bool = False,
    alone: bool = False,
) -> tuple[Identities, NDArray[np.int64]]:
    """Return the identities after `events`, and the person of each event at its time.

    New persons and ids are written; merges and splits are left to `analytics.people`, as is
    `store_proofs`. Batches run side by side under a shared lock until the end of their transaction.
    A batch that moves ids between persons, or in which another transaction created the same person,
    starts again and runs alone, as it does from the start where `alone` says so.
    """
    if not events:
        return Identities({}, set(), iter(())), np.array([], np.int64)
    if not alone:
        cursor.execute("SAVEPOINT identities")
        lock_shared(cursor, Lock.IDENTITY)
        cached = cache.current(cursor)
        identities, persons = _planned(cursor, events, cached)
        if not identities.moves_ids and write(cursor, identities, is_demo=is_demo):
            cursor.execute("RELEASE SAVEPOINT identities")
            transaction.on_commit(lambda: cached.add(identities.person_of, identities.proved_ids))
            return identities, persons
        cursor.execute("ROLLBACK TO SAVEPOINT identities")  # which releases the shared lock
    lock(cursor, Lock.IDENTITY)
    identities, persons = _planned(cursor, events, cache.current(cursor))
    if not write(cursor, identities, is_demo=is_demo):
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
    named = set(events.proved_ids) - cached.proved
    linked_persons = {person_of[id_] for id_ in linked if id_ in person_of}
    proved = proved_ids(
        cursor, linked_persons.union(person_of[id_] for id_ in named if id_ in person_of)
    )
    for distinct_id in cached.proved & distinct_ids:
        proved.setdefault(person_of[distinct_id], set()).add(distinct_id)
    identified, excluded_by_hand = _flags(cursor, linked_persons)
    identities = Identities(
        person_of,
        identified,
        NewPersons(cursor, len(distinct_ids) - len(person_of)),
        proved,
        paying(linked_persons) if len(linked_persons) > 1 else (),
        excluded_by_hand,
    )
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


def _flags(cursor: psycopg.Cursor, person_ids: set[int]) -> tuple[set[int], set[int]]:
    """Return those of these persons who are identified, and those who are excluded by hand."""
    if not person_ids:
        return set(), set()
    cursor.execute(
        "SELECT id, is_identified, excluded_by_hand FROM analytics_person"
        " WHERE id = ANY(%s) AND (is_identified OR excluded_by_hand)",
        [list(person_ids)],
    )
    rows = cursor.fetchall()
    identified = {person for person, is_identified, _ in rows if is_identified}
    return identified, {person for person, _, by_hand in rows if by_hand}


def proved_ids(cursor: psycopg.Cursor, person_ids: set[int]) -> dict[int, set[str]]:
    """Return the proved distinct ids of those of these persons who have any."""
    proved: dict[int, set[str]] = {}
    if person_ids:
        cursor.execute(
            "SELECT person_id, distinct_id FROM analytics_distinctid"
            " WHERE person_id = ANY(%s) AND proved",
            [list(person_ids)],
        )
        for person, distinct_id in cursor.fetchall():
            proved.setdefault(person, set()).add(distinct_id)
    return proved


def paying(person_ids: set[int]) -> set[int]:
    return set().union(*(paying(person_ids) for paying in payers))


class NewPersons:
    """Ids for new persons: as many as are expected at once, each of the few others when needed."""

    def __init__(self, cursor: psycopg.Cursor, expected: int) -> None:
        self._cursor, self._ids = cursor, iter(self._next(cursor, expected) if expected else ())

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return next(self._ids, None) or self._next(self._cursor, 1)[0]

    @staticmethod
    def _next(cursor: psycopg.Cursor, number: int) -> list[int]:
        cursor.execute(
            "SELECT nextval('analytics_person_id_seq') FROM generate_series(1, %s)", [number]
        )
        return [person for (person,) in cursor.fetchall()]


def write(cursor: psycopg.Cursor, identities: Identities, *, is_demo: bool) -> bool:
    """Write new persons and ids; False where another transaction has created one of the ids."""
    if not identities.created and not identities.attached:
        return True
    ids = sorted(identities.attached)  # in one order everywhere, to prevent deadlocks
    cursor.execute(
        "INSERT INTO analytics_distinctid (distinct_id, person_id, proved)"
        " SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bool[]) ON CONFLICT DO NOTHING",
        [
            ids,
            array_literal(identities.current(identities.attached[id_]) for id_ in ids),
            [id_ in identities.newly_proved for id_ in ids],
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


def store_proofs(cursor: psycopg.Cursor, identities: Identities) -> bool:
    """Store which ids are proved; False where another transaction has proved ids to the contrary.

    Needs the roll-up lock, under which all transactions do this one after the other.
    """
    if identities.newly_proved - identities.attached.keys():
        cursor.execute(
            "UPDATE analytics_distinctid SET proved = true"
            " WHERE distinct_id = ANY(%s) AND NOT proved",
            [list(identities.newly_proved)],
        )
    persons = set(map(identities.find, identities.newly_proved)) - set(identities.created)
    stored = proved_ids(cursor, cast("set[int]", persons))
    expected = identities.proved_ids
    return all(ids <= expected.get(person, set()) for person, ids in stored.items())


def mark_identified(cursor: psycopg.Cursor, identities: Identities) -> None:
    """Store which persons have become identified."""
    if identities.newly_identified:
        cursor.execute(
            "UPDATE analytics_person SET is_identified = true"
            " WHERE id = ANY(%s) AND NOT is_identified",
            [[identities.current(person) for person in identities.newly_identified]],
        )
