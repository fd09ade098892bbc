"""Remove persons and every trace of them; the counters stay right."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import psycopg
from django.db import connection, transaction

from analytics import definitions, rollups
from analytics.calculations.calendar import LocalCalendar
from analytics.calculations.cells import Cell, add_cells
from analytics.models import Person

PERSONS_PER_TRANSACTION = 500


def erase(person_ids: Sequence[int], *, progress: Callable[[int], None] = lambda _: None) -> int:
    """Erase these persons with their events, and return how many events went.

    Works in bounded steps, each complete in itself; `progress` is told the persons done.
    """
    events = 0
    for start in range(0, len(person_ids), PERSONS_PER_TRANSACTION):
        chunk = person_ids[start : start + PERSONS_PER_TRANSACTION]
        events += _erase_chunk(chunk)
        progress(start + len(chunk))
    return events


def erase_demo(*, progress: Callable[[int], None] = lambda _: None) -> int:
    """Erase everything that the demo made, and return how many persons that were."""
    person_ids = list(Person.objects.filter(is_demo=True).values_list("pk", flat=True))
    erase(person_ids, progress=progress)
    return len(person_ids)


@transaction.atomic
def _erase_chunk(person_ids: Sequence[int]) -> int:
    cursor = psycopg.Cursor(connection.connection)
    rollups.lock(cursor)
    calendar = LocalCalendar(definitions.in_force().time_zone)
    _uncount_persons(cursor, person_ids, calendar)
    _uncount_events(cursor, person_ids, calendar)
    parameters = [list(person_ids)]
    cursor.execute(
        "DELETE FROM analytics_eventuuid WHERE uuid = ANY(ARRAY("
        "SELECT uuid FROM analytics_event WHERE person_id = ANY(%s)))",
        parameters,
    )
    cursor.execute("DELETE FROM analytics_event WHERE person_id = ANY(%s)", parameters)
    events = cursor.rowcount
    cursor.execute("DELETE FROM analytics_personday WHERE person_id = ANY(%s)", parameters)
    cursor.execute("DELETE FROM analytics_distinctid WHERE person_id = ANY(%s)", parameters)
    cursor.execute("DELETE FROM analytics_person WHERE id = ANY(%s)", parameters)
    return events


def _uncount_persons(
    cursor: psycopg.Cursor, person_ids: Sequence[int], calendar: LocalCalendar
) -> None:
    days: dict[int, list[int]] = defaultdict(list)
    cursor.execute(
        "SELECT person_id, day FROM analytics_personday WHERE person_id = ANY(%s) ORDER BY day",
        [list(person_ids)],
    )
    for person_id, day in cursor.fetchall():
        days[person_id].append(day.toordinal())
    change: dict[Cell, int] = {}
    for person_id, moments in rollups.read_moments(cursor, person_ids).items():
        add_cells(change, moments.firsts(calendar), days[person_id], -1)
    rollups.add_to_counters(cursor, change)


def _uncount_events(
    cursor: psycopg.Cursor, person_ids: Sequence[int], calendar: LocalCalendar
) -> None:
    cursor.execute(
        "SELECT event, (timestamp AT TIME ZONE %s)::date, count(*) FROM analytics_event"
        " JOIN analytics_person ON analytics_person.id = person_id AND NOT excluded"
        " WHERE person_id = ANY(%s) GROUP BY 1, 2",
        [calendar.zone.key, list(person_ids)],
    )
    counted = {(event, day.toordinal()): -count for event, day, count in cursor.fetchall()}
    rollups.add_to_event_days(cursor, counted)
