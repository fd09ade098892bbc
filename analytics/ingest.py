"""Store events: identity, events, person days and counters, in one transaction, each once."""

from collections.abc import Sequence
from typing import Literal

import psycopg
from django.db import connection, transaction

from analytics import copying, exclusions, identity, merging, outbox, profiles, rollups
from analytics.calculations.identity import Identities
from analytics.calculations.wire import EventRecord, Holds, Reason, Rejection
from analytics.copying import Row
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
    fresh, fates = _register_uuids(cursor, records)
    identities, persons = identity.resolve(cursor, fresh, memory, is_demo=is_demo)
    rows = _in_key_order(identities, persons, fresh)
    copying.copy_events(cursor, rows)
    rollups.add_events(cursor, rows, memory)
    changed = profiles.update(cursor, fresh, persons, identities)
    profiles.update_groups(cursor, fresh)
    identity.mark_identified(cursor, identities)
    merging.merge(cursor, identities.merges)
    exclusions.apply_rules(cursor, changed | identities.changed)
    if forward:
        outbox.add(fresh)
    return fates


def _in_key_order(
    identities: Identities, persons: Sequence[int], records: Sequence[EventRecord]
) -> list[Row]:
    """Return the rows by person: indexes and roll-ups are filled fastest like that."""
    if identities.merges:
        persons = [identities.current(person) for person in persons]
    return [
        (persons[place], records[place].timestamp.timestamp(), records[place])
        for place in sorted(range(len(records)), key=persons.__getitem__)
    ]


def _rejection(record: EventRecord, reason: Reason, detail: str = "") -> Rejection:
    first_line = (detail or "uuid: another event has it already").splitlines()[0]
    return Rejection(reason, first_line, record.json, record.line, holds=Holds.READ_EVENT)


def _register_uuids(
    cursor: psycopg.Cursor, records: Sequence[EventRecord]
) -> tuple[list[EventRecord], list[Fate]]:
    """Return the records whose uuid is new, and what becomes of each record.

    The register's key decides that an event counts once, whoever else is storing it.
    """
    first = {record.uuid: record for record in reversed(records)}
    unique = [first[uuid] for uuid in sorted(first)]  # in one order, so that nobody deadlocks
    if len(first) == len(records) and copying.copy_uuids(cursor, unique):
        return list(records), [Outcome.STORED] * len(records)
    content_hash = {record.uuid: record.content_hash for record in unique}
    new = _register_one_by_one(cursor, unique)
    cursor.execute(
        "SELECT uuid_send(uuid), content_hash FROM analytics_eventuuid"
        " WHERE uuid = ANY(%s::uuid[])",
        [array_literal(uuid.hex() for uuid in content_hash if uuid not in new)],
    )
    content_hash |= dict(cursor.fetchall())
    fates: list[Fate] = []
    for record in records:
        if record.uuid in new and first[record.uuid] is record:
            fates.append(Outcome.STORED)
        elif record.content_hash == content_hash.get(record.uuid):
            fates.append(Outcome.DUPLICATE)
        else:
            fates.append(_rejection(record, Reason.UUID_REUSED))
    return [
        record for record, fate in zip(records, fates, strict=True) if fate is Outcome.STORED
    ], fates


def _register_one_by_one(cursor: psycopg.Cursor, records: Sequence[EventRecord]) -> set[bytes]:
    """Register those uuids that are not known yet, and return them."""
    cursor.execute(
        """
        INSERT INTO analytics_eventuuid (uuid, timestamp, content_hash)
        SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::bigint[])
        ON CONFLICT DO NOTHING RETURNING uuid_send(uuid)
        """,
        [
            array_literal(record.uuid.hex() for record in records),
            array_literal(record.timestamp.isoformat() for record in records),
            array_literal(record.content_hash for record in records),
        ],
    )
    return {uuid for (uuid,) in cursor.fetchall()}
