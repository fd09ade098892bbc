"""The last day to the minute, for real-time numbers: events by name.

What is older than `KEPT` is not counted here; who was active when is in
`analytics.rollups.last_activity`.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import psycopg
from django.utils import timezone

from analytics.models import EventMinute
from common.postgres import array_literal

KEPT = timedelta(hours=26)
EVERY_EVENT = ""  # the name under which all of them are counted

# A minute is the number of minutes since 1970.
MINUTE = 60_000_000  # microseconds

_MINUTES = """
SELECT event, floor(extract(epoch FROM timestamp) / 60)::bigint AS minute, count(*)
FROM analytics_event JOIN analytics_person ON id = person_id AND NOT excluded
WHERE timestamp >= %(since)s AND {whose} GROUP BY 1, 2
"""


def beginning() -> datetime:
    """Return the minute from which on events are counted."""
    return (timezone.now() - KEPT).replace(second=0, microsecond=0)


def add_event_minutes(
    cursor: psycopg.Cursor, events: Mapping[tuple[str, int], int], sign: int = 1
) -> None:
    """Add numbers of events by name and minute, and to those of all events."""
    change = dict(events)
    for (_, minute), number in events.items():
        change[EVERY_EVENT, minute] = change.get((EVERY_EVENT, minute), 0) + number
    if not change:
        return
    names = sorted({event for event, _ in change})
    place = {name: number for number, name in enumerate(names, start=1)}  # as PostgreSQL counts
    cursor.execute(
        """
        INSERT INTO analytics_eventminute AS counted (event, minute, value)
        SELECT (%s::text[])[event], to_timestamp(minute * 60), value
        FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS new (event, minute, value)
        ON CONFLICT (event, minute) DO UPDATE SET value = counted.value + excluded.value
        """,
        [
            names,
            array_literal(place[event] for event, _ in change),
            array_literal(minute for _, minute in change),
            array_literal(sign * number for number in change.values()),
        ],
    )


def count_again(
    cursor: psycopg.Cursor, person_ids: Collection[int] | None = None, *, sign: int = 1
) -> None:
    """Add, or take away, the events of some persons, or of all."""
    values = {"since": beginning(), "persons": list(person_ids or ())}
    cursor.execute(_MINUTES.format(whose=whose(person_ids)), values)
    found = {(event, minute): number for event, minute, number in cursor.fetchall()}
    add_event_minutes(cursor, found, sign)


def rebuild(cursor: psycopg.Cursor) -> None:
    """Count the events of the last day anew."""
    cursor.execute("DELETE FROM analytics_eventminute")
    count_again(cursor)


def whose(person_ids: Collection[int] | None) -> str:
    """Return the condition as text: one that a parameter switches off would use no index."""
    return "true" if person_ids is None else "person_id = ANY(%(persons)s)"


def forget_old() -> None:
    """Forget the numbers of events that are older than the last day."""
    EventMinute.objects.filter(minute__lt=beginning()).delete()
