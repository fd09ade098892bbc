"""Store events: identity, events, person days and counters, in one transaction, each once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import psycopg
from django.db import connection, transaction

from analytics import exclusions, identity, merging, profiles, rollups
from analytics.calculations.wire import EventRecord, Reason, Rejection
from analytics.models import Outcome, RejectedEvent
from analytics.partitions import ensure_partitions, month_of
from analytics.postgres import array_literal

# What a single event can do to a statement that is otherwise fine.
_POISON = (psycopg.DataError, psycopg.errors.StatementTooComplex)


# What became of an event: stored, a duplicate, or why not.
Fate = Literal[Outcome.STORED, Outcome.DUPLICATE] | Rejection


def store(records: Sequence[EventRecord], *, is_demo: bool = False) -> list[Fate]:
    """Store what is new of `records`, and return what became of each.

    Runs inside the caller's transaction or one of its own. An event that the database refuses is
    isolated by halving the batch, and rejected.
    """
    if not records:
        return []
    try:
        with transaction.atomic():
            return _store(records, is_demo=is_demo)
    except _POISON as error:
        if len(records) == 1:
            return [_rejection(records[0], Reason.UNSTORABLE, str(error))]
    middle = len(records) // 2
    return store(records[:middle], is_demo=is_demo) + store(records[middle:], is_demo=is_demo)


def record_rejections(
    rejections: Iterable[Rejection],
    *,
    project_key_id: int | None = None,
    import_run_id: int | None = None,
) -> None:
    """Keep rejected events for people to see; a line of a file is kept once."""
    RejectedEvent.objects.bulk_create(
        [
            RejectedEvent(
                reason=rejection.reason,
                detail=rejection.detail.replace("\0", "\ufffd"),
                payload=rejection.payload,
                line=rejection.line,
                project_key_id=project_key_id,
                import_run_id=import_run_id,
            )
            for rejection in rejections
        ],
        ignore_conflicts=True,
    )


def _store(records: Sequence[EventRecord], *, is_demo: bool) -> list[Fate]:
    """Take locks in one order everywhere: partitions, uuids, identity, roll-ups."""
    cursor = psycopg.Cursor(connection.connection)
    ensure_partitions(cursor, {month_of(record.timestamp) for record in records})
    fresh, fates = _register_uuids(cursor, records)
    identities, persons = identity.resolve(cursor, fresh, is_demo=is_demo)
    events = sorted(
        zip(map(identities.current, persons), fresh, strict=True),
        key=lambda event: (event[0], event[1].timestamp),
    )
    _copy_events(cursor, events)
    rollups.add_events(cursor, events)
    changed = profiles.update(cursor, fresh, persons, identities)
    profiles.update_groups(cursor, fresh)
    identity.mark_identified(cursor, identities)
    merging.merge(cursor, identities.merges)
    exclusions.apply_rules(cursor, changed | identities.changed)
    return fates


def _rejection(record: EventRecord, reason: Reason, detail: str = "") -> Rejection:
    payload = b'{"uuid":"%b","event":%b,"distinct_id":%b,"timestamp":"%b","properties":%b}' % (
        record.uuid.hex().encode(),
        rollups.json_text(record.event),
        rollups.json_text(record.distinct_id),
        record.timestamp.isoformat().encode(),
        record.properties,
    )
    first_line = (detail or "uuid: another event has it already").splitlines()[0]
    return Rejection(reason, first_line, payload, record.line)


def _register_uuids(
    cursor: psycopg.Cursor, records: Sequence[EventRecord]
) -> tuple[list[EventRecord], list[Fate]]:
    """Return the records whose uuid is new, and what becomes of each record.

    This one statement decides that an event counts once, whoever else is storing it.
    """
    first: dict[bytes, EventRecord] = {}
    for record in records:
        first.setdefault(record.uuid, record)
    uuids = sorted(first)  # in one order everywhere, so that nobody deadlocks
    content_hash = {uuid: first[uuid].content_hash for uuid in uuids}
    cursor.execute(
        """
        INSERT INTO analytics_eventuuid (uuid, timestamp, content_hash)
        SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::bigint[])
        ON CONFLICT DO NOTHING RETURNING uuid_send(uuid)
        """,
        [
            array_literal(uuid.hex() for uuid in uuids),
            array_literal(first[uuid].timestamp.isoformat() for uuid in uuids),
            array_literal(content_hash.values()),
        ],
    )
    if cursor.rowcount == len(records):
        return list(records), [Outcome.STORED] * len(records)
    new = {uuid for (uuid,) in cursor.fetchall()}
    cursor.execute(
        "SELECT uuid_send(uuid), content_hash FROM analytics_eventuuid"
        " WHERE uuid = ANY(%s::uuid[])",
        [array_literal(uuid.hex() for uuid in uuids if uuid not in new)],
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


def _copy_events(cursor: psycopg.Cursor, events: Sequence[tuple[int, EventRecord]]) -> None:
    with cursor.copy(
        "COPY analytics_event (person_id, timestamp, uuid, event, distinct_id, properties)"
        " FROM STDIN"
    ) as copy:
        copy.write(
            b"".join(
                b"%d\t%b\t%b\t%b\t%b\t%b\n"
                % (
                    person_id,
                    _copy_time(record.timestamp),
                    record.uuid.hex().encode(),
                    _copy_text(record.event.encode()),
                    _copy_text(record.distinct_id.encode()),
                    _copy_text(record.properties),
                )
                for person_id, record in events
            )
        )


def _copy_time(moment: datetime) -> bytes:
    return moment.isoformat().encode()


def _copy_text(text: bytes) -> bytes:
    """Escape what COPY's text format gives a meaning to."""
    return (
        text.replace(b"\\", b"\\\\")
        .replace(b"\n", b"\\n")
        .replace(b"\r", b"\\r")
        .replace(b"\t", b"\\t")
    )
