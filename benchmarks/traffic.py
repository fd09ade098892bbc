"""The live traffic of a product with 200,000 existing persons, as requests and as rows."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from analytics.calculations.body import open_body
from analytics.calculations.compression import compress
from analytics.ingestion.partitions import lock_and_ensure_partitions, month_of
from analytics.models import ProjectKey
from analytics.rollups import rebuild
from benchmarks import dataset

PERSONS = 200_000
EVENTS_PER_REQUEST = 100
ROWS_PER_COPY = 20_000
_PER_PERSON = 20  # events a day, on average
_NAMES = ("used", "viewed", "workflow_run", "report_opened", "workflow_created")
_FREQUENCY = (40, 30, 20, 8, 2)
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_INBOX = "COPY analytics_inboxrequest (project_key_id, received_at, body, events, size) FROM STDIN"

# Everyone signed up in the last 60 days and has not been active since.
_EXISTING_PERSONS = """
INSERT INTO analytics_event (person_id, timestamp, uuid, event, distinct_id, properties)
SELECT id, now() - interval '2 days' - random() * interval '60 days', gen_random_uuid(),
       'signed_up', 'person-' || id, '{}'
FROM generate_series(1, %(persons)s) AS id;
INSERT INTO analytics_person (id, excluded, is_demo, is_identified, properties)
SELECT id, false, false, true, jsonb_build_object('email', 'person-' || id || '@example.com')
FROM generate_series(1, %(persons)s) AS id;
INSERT INTO analytics_distinctid (distinct_id, person_id)
SELECT 'person-' || id, id FROM generate_series(1, %(persons)s) AS id;
INSERT INTO analytics_eventuuid (uuid, timestamp) SELECT uuid, timestamp FROM analytics_event;
SELECT setval('analytics_person_id_seq', %(persons)s)
"""


class Event(NamedTuple):
    """An event of an existing person, whose number is in the distinct id."""

    person: int
    timestamp: datetime
    uuid: UUID
    name: str
    properties: bytes


def fill_database(name: str) -> str:
    """Store the existing persons in an otherwise empty database; return its project key's token."""
    token = dataset.empty_database(name)
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        lock_and_ensure_partitions(
            cursor.cursor, {month_of(now + timedelta(days)) for days in range(-90, 31, 10)}
        )
        cursor.execute(_EXISTING_PERSONS, {"persons": PERSONS})
    rebuild.rebuild()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return token


def events(number: int, *, seed: int, of_the_last: timedelta = timedelta(days=1)) -> list[Event]:
    """Return events of random persons in this period, by time."""
    random = Random(seed)
    start, step = datetime.now(UTC) - of_the_last, of_the_last / number
    active = random.sample(range(1, PERSONS + 1), min(PERSONS, number // _PER_PERSON + 1))
    return [
        Event(
            random.choice(active),
            start + position * step,
            UUID(int=random.getrandbits(128), version=4),
            random.choices(_NAMES, _FREQUENCY)[0],
            b'{"$lib": "posthog-python", "$lib_version": "7.91.1", "$geoip_disable": true,'
            b' "plan": "team", "workflow_id": %d, "duration_ms": %d}'
            % (random.randrange(10_000), random.randrange(2_000)),
        )
        for position in range(number)
    ]


def bodies(sent: Sequence[Event], token: str, *, size: int = EVENTS_PER_REQUEST) -> Iterator[bytes]:
    """Yield the requests, of `size` events each, as posthog-python writes them."""
    for start in range(0, len(sent), size):
        batch = b",".join(
            b'{"uuid": "%b", "event": "%b", "distinct_id": "person-%d", "timestamp": "%b",'
            b' "properties": %b}'
            % (
                str(event.uuid).encode(),
                event.name.encode(),
                event.person,
                event.timestamp.isoformat().encode(),
                event.properties,
            )
            for event in sent[start : start + size]
        )
        yield b'{"api_key": "%b", "batch": [%b]}' % (token.encode(), batch)


def fill_inbox(requests: Iterable[bytes]) -> None:
    """Store requests in the inbox, as the front door does."""
    key, now = ProjectKey.objects.get().pk, datetime.now(UTC)
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(_INBOX) as rows:
        for body in requests:
            envelope = open_body(body)
            rows.write_row((key, now, compress(body), len(envelope.events), envelope.size))


def copies(sent: Sequence[Event]) -> Iterator[bytes]:
    """Yield the events as sorted binary COPY data of `ROWS_PER_COPY` rows each."""
    for start in range(0, len(sent), ROWS_PER_COPY):
        rows = sorted(sent[start : start + ROWS_PER_COPY])
        header = b"PGCOPY\n\xff\r\n\0" + bytes(8)
        yield header + b"".join(map(_binary_row, rows)) + b"\xff\xff"


def _binary_row(event: Event) -> bytes:
    microseconds = (event.timestamp - _POSTGRES_EPOCH) // timedelta(microseconds=1)
    name, distinct_id = event.name.encode(), b"person-%d" % event.person
    properties = b"\x01" + event.properties  # the version of jsonb's binary form
    return b"".join(
        [
            struct.pack("!hiqiqi", 6, 8, event.person, 8, microseconds, 16),
            event.uuid.bytes,
            *(struct.pack("!i", len(text)) + text for text in (name, distinct_id, properties)),
        ]
    )
