"""Store events: identity, events, person days and counters, in one transaction, each once."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import psycopg
from django.db import connection, transaction

from analytics import copying, exclusions, identity, merging, outbox, profiles, rollups
from analytics.calculations.batch import Batch
from analytics.calculations.identity import Identities
from analytics.calculations.wire import EventRecord, Holds, Reason, Rejection
from analytics.memory import Memory
from analytics.models import Outcome
from analytics.partitions import ensure_partitions, months_of
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
    events = Batch.of(records)
    try:
        with transaction.atomic():
            return _store(events, is_demo=is_demo, forward=forward, memory=memory or Memory())
    except _POISON as error:
        if len(events) == 1:
            return [_rejection(events[0], Reason.UNSTORABLE, str(error))]
    middle = len(events) // 2
    halves = events[:middle], events[middle:]
    return [fate for half in halves for fate in store(half, is_demo=is_demo, forward=forward)]


def _store(events: Batch, *, is_demo: bool, forward: bool, memory: Memory) -> list[Fate]:
    """Take locks in one order everywhere: partitions, uuids, identity, roll-ups."""
    cursor = psycopg.Cursor(connection.connection)
    ensure_partitions(cursor, months_of(events.times))
    fresh, fates = _register_uuids(cursor, events)
    identities, persons = identity.resolve(cursor, fresh, memory, is_demo=is_demo)
    # By person: indexes and roll-ups are filled fastest like that.
    person_ids = np.array(_current(identities, persons), np.int64)
    order = np.lexsort((fresh.times, person_ids))
    copying.copy_events(cursor, fresh, person_ids, order)
    rollups.add_events(cursor, fresh, person_ids, order, memory)
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
    if not is_repeated.any() and copying.copy_uuids(cursor, events, order):
        return events, [Outcome.STORED] * len(events)
    uuids: list[bytes] = events.uuids.tolist()
    hashes: list[int] = events.content_hashes.tolist()
    first = {uuid: place for place, uuid in reversed([*enumerate(uuids)])}
    content_hash = {uuid: hashes[place] for uuid, place in sorted(first.items())}
    new = _register_one_by_one(cursor, events, [first[uuid] for uuid in content_hash])
    cursor.execute(
        "SELECT uuid_send(uuid), content_hash FROM analytics_eventuuid"
        " WHERE uuid = ANY(%s::uuid[])",
        [array_literal(uuid.hex() for uuid in content_hash if uuid not in new)],
    )
    content_hash |= dict(cursor.fetchall())
    fates: list[Fate] = []
    for place, (uuid, hash_) in enumerate(zip(uuids, hashes, strict=True)):
        if uuid in new and first[uuid] == place:
            fates.append(Outcome.STORED)
        elif hash_ == content_hash.get(uuid):
            fates.append(Outcome.DUPLICATE)
        else:
            fates.append(_rejection(events[place], Reason.UUID_REUSED))
    stored = [place for place, fate in enumerate(fates) if fate is Outcome.STORED]
    return events.taken(np.array(stored, np.int64)), fates


def _register_one_by_one(
    cursor: psycopg.Cursor, events: Batch, places: Sequence[int]
) -> set[bytes]:
    """Register the uuids at these places that are not known yet, and return them."""
    records = [events[place] for place in places]
    cursor.execute(
        """
        INSERT INTO analytics_eventuuid (uuid, timestamp, content_hash)
        SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::bigint[])
        ON CONFLICT DO NOTHING RETURNING uuid_send(uuid)
        """,
        [
            array_literal(record.uuid.hex() for record in records),
            array_literal(record.timestamp.isoformat() for record in records),
            array_literal(events.content_hashes[places].tolist()),
        ],
    )
    return {uuid for (uuid,) in cursor.fetchall()}
