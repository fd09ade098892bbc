"""The events of the last day by name and minute, for real-time numbers.

Events older than `KEPT` are not counted here. When persons were last active is in
`analytics.rollups.last_activity`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import psycopg
from django.utils import timezone

from analytics.models import EventMinute
from common.postgres import array_literal

KEPT = timedelta(hours=26)
EVERY_EVENT = ""  # the name under which all events are counted

# A minute is the number of minutes since 1970.
MINUTE = 60_000_000  # microseconds

_MINUTES = """
SELECT event, floor(extract(epoch FROM timestamp) / 60)::bigint AS minute, count(*)
FROM analytics_event JOIN analytics_person ON id = person_id AND NOT excluded
WHERE timestamp >= %(since)s AND {person_condition} GROUP BY 1, 2
"""


def start() -> datetime:
    """Return the first minute from which events are counted."""
    return (timezone.now() - KEPT).replace(second=0, microsecond=0)


def add_event_minutes(
    cursor: psycopg.Cursor, events: Mapping[tuple[str, int], int], sign: int = 1
) -> None:
    """Add numbers of events by name and minute, to that name and to `EVERY_EVENT`."""
    change = dict(events)
    for (_, minute), number in events.items():
        change[EVERY_EVENT, minute] = change.get((EVERY_EVENT, minute), 0) + number
    if not change:
        return
    names = sorted({event for event, _ in change})
    index = {name: number for number, name in enumerate(names, start=1)}  # PostgreSQL's start at 1
    cursor.execute(
        """
        INSERT INTO analytics_eventminute AS counted (event, minute, value)
        SELECT (%s::text[])[event], to_timestamp(minute * 60), value
        FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS new (event, minute, value)
        ON CONFLICT (event, minute) DO UPDATE SET value = counted.value + excluded.value
        """,
        [
            names,
            array_literal(index[event] for event, _ in change),
            array_literal(minute for _, minute in change),
            array_literal(sign * number for number in change.values()),
        ],
    )


def add_stored_events(
    cursor: psycopg.Cursor, person_ids: Collection[int] | None = None, *, sign: int = 1
) -> None:
    """Add, or subtract, the stored events of some persons, or of all."""
    values = {"since": start(), "persons": list(person_ids or ())}
    cursor.execute(_MINUTES.format(person_condition=person_condition(person_ids)), values)
    events = {(event, minute): number for event, minute, number in cursor.fetchall()}
    add_event_minutes(cursor, events, sign)


def rebuild(cursor: psycopg.Cursor) -> None:
    """Count all stored events of the last day again."""
    cursor.execute("DELETE FROM analytics_eventminute")
    add_stored_events(cursor)


def person_condition(person_ids: Collection[int] | None) -> str:
    """Return an SQL condition: text, as a parameter that switches it off would prevent an index."""
    return "true" if person_ids is None else "person_id = ANY(%(persons)s)"


def delete_old() -> None:
    """Delete the counts that are older than the last day."""
    EventMinute.objects.filter(minute__lt=start()).delete()
