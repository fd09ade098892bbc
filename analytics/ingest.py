"""Store events: identity, events, person days and counters, in one transaction, each once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

import psycopg
from django.db import connection, transaction

from analytics import rollups
from analytics.calculations.wire import EventRecord, Reason, Rejection
from analytics.models import RejectedEvent
from analytics.partitions import ensure_partitions, month_of
from analytics.postgres import array_literal

# What a single event can do to a statement that is otherwise fine.
_POISON = (psycopg.DataError, psycopg.errors.StatementTooComplex)


@dataclass(slots=True)
class Stored:
    """What became of a batch: `stored` + `duplicates` + `rejections` is what came in."""

    stored: int = 0
    duplicates: int = 0
    rejections: list[Rejection] = field(default_factory=list)

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(
            self.stored + other.stored,
            self.duplicates + other.duplicates,
            self.rejections + other.rejections,
        )


def store(records: Sequence[EventRecord], *, is_demo: bool = False) -> Stored:
    """Store what is new of `records`, inside the caller's transaction or one of its own.

    An event that the database refuses is isolated by halving the batch, and rejected.
    """
    if not records:
        return Stored()
    try:
        with transaction.atomic():
            return _store(records, is_demo=is_demo)
    except _POISON as error:
        if len(records) == 1:
            return Stored(rejections=[_rejection(records[0], Reason.UNSTORABLE, str(error))])
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


def _store(records: Sequence[EventRecord], *, is_demo: bool) -> Stored:
    """Take locks in one order everywhere: partitions, distinct ids, uuids, roll-ups."""
    cursor = psycopg.Cursor(connection.connection)
    unique, rejections = _one_per_uuid(records)
    ensure_partitions(cursor, {month_of(record.timestamp) for record in unique})
    person_ids = _resolve_persons(cursor, unique, is_demo=is_demo)
    fresh, clashes = _register_uuids(cursor, unique)
    rejections += clashes
    events = sorted(
        ((person_ids[record.distinct_id], record) for record in fresh),
        key=lambda event: (event[0], event[1].timestamp),
    )
    _copy_events(cursor, events)
    rollups.add_events(cursor, events)
    return Stored(len(fresh), len(records) - len(fresh) - len(rejections), rejections)


def _one_per_uuid(records: Sequence[EventRecord]) -> tuple[list[EventRecord], list[Rejection]]:
    """Return the first record of each uuid, in the order of uuids, and those that clash with it."""
    first: dict[bytes, EventRecord] = {}
    clashes: list[Rejection] = []
    for record in records:
        kept = first.setdefault(record.uuid, record)
        if kept is not record and kept.content_hash != record.content_hash:
            clashes.append(_rejection(record, Reason.UUID_REUSED))
    return sorted(first.values(), key=attrgetter("uuid")), clashes


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


def _resolve_persons(
    cursor: psycopg.Cursor, records: Sequence[EventRecord], *, is_demo: bool
) -> dict[str, int]:
    """Return the person of each distinct id, making the persons that are not known yet."""
    distinct_ids = sorted({record.distinct_id for record in records})
    known = _persons_of(cursor, distinct_ids)
    unknown = [distinct_id for distinct_id in distinct_ids if distinct_id not in known]
    if unknown:
        cursor.execute(
            """
            WITH added AS (
                INSERT INTO analytics_distinctid (distinct_id, person_id)
                SELECT distinct_id, nextval('analytics_person_id_seq')
                FROM unnest(%s::text[]) AS wanted (distinct_id)
                ON CONFLICT DO NOTHING
                RETURNING person_id
            )
            INSERT INTO analytics_person (id, is_demo, excluded, properties)
            SELECT person_id, %s, false, '{}' FROM added
            """,
            [unknown, is_demo],
        )
        # Another process may have made some of them: its commit is visible to this statement.
        known |= _persons_of(cursor, unknown)
    return known


def _persons_of(cursor: psycopg.Cursor, distinct_ids: Sequence[str]) -> dict[str, int]:
    cursor.execute(
        "SELECT distinct_id, person_id FROM analytics_distinctid WHERE distinct_id = ANY(%s)",
        [distinct_ids],
    )
    return dict(cursor.fetchall())


def _register_uuids(
    cursor: psycopg.Cursor, records: Sequence[EventRecord]
) -> tuple[list[EventRecord], list[Rejection]]:
    """Return the records whose uuid is new, and those that reuse the uuid of another event.

    This one statement decides that an event counts once, whoever else is storing it.
    """
    content_hash = {record.uuid: record.content_hash for record in records}
    cursor.execute(
        """
        INSERT INTO analytics_eventuuid (uuid, timestamp, content_hash)
        SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::bigint[])
        ON CONFLICT DO NOTHING RETURNING uuid_send(uuid)
        """,
        [
            array_literal(uuid.hex() for uuid in content_hash),
            array_literal(record.timestamp.isoformat() for record in records),
            array_literal(content_hash.values()),
        ],
    )
    new = {uuid for (uuid,) in cursor.fetchall()}
    known = [uuid for uuid in content_hash if uuid not in new]
    if not known:
        return list(records), []
    cursor.execute(
        "SELECT uuid_send(uuid), content_hash FROM analytics_eventuuid"
        " WHERE uuid = ANY(%s::uuid[])",
        [array_literal(uuid.hex() for uuid in known)],
    )
    stored_hash: dict[bytes, int] = dict(cursor.fetchall())
    return [record for record in records if record.uuid in new], [
        _rejection(record, Reason.UUID_REUSED)
        for record in records
        if stored_hash.get(record.uuid, content_hash[record.uuid]) != content_hash[record.uuid]
    ]


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
