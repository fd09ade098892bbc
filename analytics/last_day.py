"""The last day to the minute, for real-time numbers: events by name, and who was active when last.

What is older than `KEPT` is not counted here, and forgotten by the daily clean-up.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import psycopg
from django.utils import timezone

from analytics.models import EventMinute, LastActive
from analytics.postgres import array_literal

KEPT = timedelta(hours=26)
EVERY_EVENT = ""  # the name under which all of them are counted

# A minute is the number of minutes since 1970.
MINUTE = 60_000_000  # microseconds
_AT = "to_timestamp(minute * 60)"

_MINUTES = """
SELECT event, floor(extract(epoch FROM timestamp) / 60)::bigint AS minute, count(*)
FROM analytics_event JOIN analytics_person ON id = person_id AND NOT excluded
WHERE timestamp >= %(since)s AND {whose} GROUP BY 1, 2
"""
_LAST_ACTIVE = """
INSERT INTO analytics_lastactive (person_id, at)
SELECT person_id, max(date_trunc('minute', timestamp))
FROM analytics_event JOIN analytics_person ON id = person_id AND NOT excluded AND has_profile
WHERE timestamp >= %(since)s AND event <> ALL(%(ignored)s) AND {whose} GROUP BY 1
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
        f"""
        INSERT INTO analytics_eventminute AS counted (event, minute, value)
        SELECT (%s::text[])[event], {_AT}, value
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


def add_last_active(cursor: psycopg.Cursor, minutes: Mapping[int, int]) -> None:
    """Note persons' latest active minutes; an earlier one than is known changes nothing."""
    if not minutes:
        return
    cursor.execute(
        f"""
        INSERT INTO analytics_lastactive AS known (person_id, at)
        SELECT person_id, {_AT} FROM unnest(%s::bigint[], %s::bigint[]) AS new (person_id, minute)
        ON CONFLICT (person_id) DO UPDATE SET at = excluded.at WHERE known.at < excluded.at
        """,
        [array_literal(minutes), array_literal(minutes.values())],
    )


def count_again(
    cursor: psycopg.Cursor, person_ids: Collection[int] | None = None, *, sign: int = 1
) -> None:
    """Add, or take away, the events of some persons, or of all."""
    values = {"since": beginning(), "persons": list(person_ids or ())}
    cursor.execute(_MINUTES.format(whose=_whose(person_ids)), values)
    found = {(event, minute): number for event, minute, number in cursor.fetchall()}
    add_event_minutes(cursor, found, sign)


def look_again(
    cursor: psycopg.Cursor,
    ignored_events: Collection[str],
    person_ids: Collection[int] | None = None,
) -> None:
    """Find out anew when some persons, or all, were last active."""
    values = {
        "since": beginning(),
        "ignored": sorted(ignored_events),
        "persons": list(person_ids or ()),
    }
    whose = _whose(person_ids)
    cursor.execute(f"DELETE FROM analytics_lastactive WHERE {whose}", values)
    cursor.execute(_LAST_ACTIVE.format(whose=whose), values)


def rebuild(cursor: psycopg.Cursor, ignored_events: Collection[str]) -> None:
    """Count the last day anew from the raw events."""
    look_again(cursor, ignored_events)
    cursor.execute("DELETE FROM analytics_eventminute")
    count_again(cursor)


def _whose(person_ids: Collection[int] | None) -> str:
    """Return the condition as text: one that a parameter switches off would use no index."""
    return "true" if person_ids is None else "person_id = ANY(%(persons)s)"


def forget_old() -> None:
    """Forget what is older than the last day."""
    before = beginning()
    EventMinute.objects.filter(minute__lt=before).delete()
    LastActive.objects.filter(at__lt=before).delete()
