"""Store events: identity, events, person days and counters, in one transaction, each once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import numpy as np
import psycopg
from django.db import connection, transaction

from analytics import copying, exclusions, identity, merging, outbox, profiles, rollups
from analytics.batch import Batch, batch_of
from analytics.calculations.identity import Identities
from analytics.calculations.wire import EventRecord, Holds, Reason, Rejection
from analytics.memory import Memory
from analytics.models import Outcome
from analytics.partitions import ensure_partitions, month_of
from analytics.postgres import array_literal

# What a single event can do to a statement that is otherwise fine.
_POISON = (
    psycopg.DataError,
    psycopg.errors.StatementTooComplex,
    psycopg.errors.ProgramLimitExceeded,
    ValueError,
    RecursionError,
)


# What became of an event: stored, a duplicate, or why not.
Fate = Literal[Outcome.STORED, Outcome.DUPLICATE] | Rejection


def store(
    records: Sequence[EventRecord],
    *,
    is_demo: bool = False,
    forward: bool = False,
    memory: Memory | None = None,
) -> list[Fate]:
    """Store what is new of `records`, and return what became of each.

    Runs inside the caller's transaction or one of its own. An event that the database refuses is
    isolated by halving the batch, and rejected. `forward` is for what was captured: it goes on to
    PostHog where forwarding is on. `memory` spares a process asking again.
    """
    if not records:
        return []
    try:
        with transaction.atomic():
            return _store(records, is_demo=is_demo, forward=forward, memory=memory or Memory())
    except _POISON as error:
        if len(records) == 1:
            return [_rejection(records[0], Reason.UNSTORABLE, str(error))]
    middle = len(records) // 2
    halves = records[:middle], records[middle:]
    return [fate for half in halves for fate in store(half, is_demo=is_demo, forward=forward)]


def _store(
    records: Sequence[EventRecord], *, is_demo: bool, forward: bool, memory: Memory
) -> list[Fate]:
    """Take locks in one order everywhere: partitions, uuids, identity, roll-ups."""
    cursor = psycopg.Cursor(connection.connection)
    ensure_partitions(cursor, {month_of(record.timestamp) for record in records})
    batch, fates = _register_uuids(cursor, batch_of(records))
    fresh = batch.records
    identities, persons = identity.resolve(cursor, fresh, memory, is_demo=is_demo)
    # By person: indexes and roll-ups are filled fastest like that.
    person_ids = np.array(_current(identities, persons), np.int64)
    order = np.argsort(person_ids, kind="stable")
    rows, person_ids = batch.taken(order), person_ids[order]
    copying.copy_events(cursor, rows, person_ids)
    rollups.add_events(cursor, rows, person_ids, memory)
    changed = profiles.update(cursor, fresh, persons, identities)
    profiles.update_groups(cursor, fresh)
    identity.mark_identified(cursor, identities)
    merging.merge(cursor, identities.merges)
    exclusions.apply_rules(cursor, changed | identities.changed)
    if forward:
        outbox.add(fresh)
    return fates


def _current(identities: Identities, persons: Sequence[int]) -> Sequence[int]:
    if not identities.merges:
        return persons
    return [identities.current(person) for person in persons]


def _rejection(record: EventRecord, reason: Reason, detail: str = "") -> Rejection:
    first_line = (detail or "uuid: another event has it already").splitlines()[0]
    return Rejection(reason, first_line, record.json, record.line, holds=Holds.READ_EVENT)


def _register_uuids(cursor: psycopg.Cursor, events: Batch) -> tuple[Batch, list[Fate]]:
    """Return the events whose uuid is new, and what becomes of each event.

    The register's key decides that an event counts once, whoever else is storing it.
    """
    halves = events.uuids.view(">u8").reshape(-1, 2)
    order = np.lexsort((halves[:, 1], halves[:, 0]))  # everywhere, so that nobody deadlocks
    is_repeated = (halves[order][1:] == halves[order][:-1]).all(axis=1)
    if not is_repeated.any() and copying.copy_uuids(cursor, events.taken(order)):
        return events, [Outcome.STORED] * len(events)
    hashes = events.content_hashes
    first = {record.uuid: place for place, record in reversed([*enumerate(events.records)])}
    content_hash = {uuid: hashes[place] for uuid, place in sorted(first.items())}
    times = {uuid: events.records[first[uuid]].timestamp for uuid in content_hash}
    new = _register_one_by_one(cursor, times, content_hash)
    cursor.execute(
        "SELECT uuid_send(uuid), content_hash FROM analytics_eventuuid"
        " WHERE uuid = ANY(%s::uuid[])",
        [array_literal(uuid.hex() for uuid in content_hash if uuid not in new)],
    )
    content_hash |= dict(cursor.fetchall())
    fates: list[Fate] = []
    for place, record in enumerate(events.records):
        if record.uuid in new and first[record.uuid] == place:
            fates.append(Outcome.STORED)
        elif hashes[place] == content_hash.get(record.uuid):
            fates.append(Outcome.DUPLICATE)
        else:
            fates.append(_rejection(record, Reason.UUID_REUSED))
    stored = [place for place, fate in enumerate(fates) if fate is Outcome.STORED]
    return events.taken(np.array(stored, np.int64)), fates


def _register_one_by_one(
    cursor: psycopg.Cursor, times: Mapping[bytes, datetime], content_hash: Mapping[bytes, int]
) -> set[bytes]:
    """Register those uuids that are not known yet, and return them; both have the same keys."""
    cursor.execute(
        """
        INSERT INTO analytics_eventuuid (uuid, timestamp, content_hash)
        SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::bigint[])
        ON CONFLICT DO NOTHING RETURNING uuid_send(uuid)
        """,
        [
            array_literal(uuid.hex() for uuid in times),
            array_literal(moment.isoformat() for moment in times.values()),
            array_literal(content_hash.values()),
        ],
    )
    return {uuid for (uuid,) in cursor.fetchall()}
