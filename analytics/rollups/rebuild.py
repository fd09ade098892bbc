"""Recompute every roll-up from the raw events, or check that they equal such a rebuild."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

import psycopg
from django.db import connection, transaction
from django.utils import timezone

from analytics.calculations.cells import Cell, add_cells
from analytics.extension_points import milestones_changed
from analytics.rollups import counters, definitions, last_activity, minute_counts, person_cache
from analytics.rollups.definitions import FIRST_EVENT, Definitions
from analytics.rollups.milestones import Milestones
from common.calculations.calendar import LocalCalendar
from common.locks import Lock, locked_cursor

Progress = Callable[[str, int, int], None]  # step, done, total

# The conditions limit the next two statements to some persons, or are true.
_MILESTONES = """
UPDATE analytics_person SET
    first_seen_at = facts.first_seen_at, first_event_at = facts.first_event_at,
    signup_at = facts.signup_at, activated_at = facts.activated_at
FROM analytics_person AS person LEFT JOIN (
    SELECT person_id, min(timestamp) AS first_seen_at,
           min(timestamp) FILTER (WHERE event <> ALL(%(ignored)s)) AS first_event_at,
           min(timestamp) FILTER (
               WHERE event = %(signup)s OR %(signup)s = %(first)s AND event <> ALL(%(ignored)s)
           ) AS signup_at,
           min(timestamp) FILTER (WHERE event = %(activation)s) AS activated_at
    FROM analytics_event WHERE {event_condition} GROUP BY person_id
) AS facts ON facts.person_id = person.id
WHERE analytics_person.id = person.id AND {person_condition}
  AND (analytics_person.first_seen_at, analytics_person.first_event_at,
       analytics_person.signup_at, analytics_person.activated_at)
      IS DISTINCT FROM (facts.first_seen_at, facts.first_event_at,
                        facts.signup_at, facts.activated_at)
"""

_PERSON_DAYS = """
INSERT INTO analytics_personday (person_id, day)
SELECT DISTINCT person_id, (timestamp AT TIME ZONE %(zone)s)::date
FROM analytics_event WHERE event <> ALL(%(ignored)s) AND {event_condition}
"""

_EVENT_DAYS = """
INSERT INTO analytics_eventday (event, day, value)
SELECT event, (timestamp AT TIME ZONE %(zone)s)::date, count(*)
FROM analytics_event JOIN analytics_person ON analytics_person.id = person_id AND NOT excluded
GROUP BY 1, 2
"""

_HISTORIES = """
SELECT id, excluded, has_profile, first_seen_at, first_event_at, signup_at, activated_at,
       day - date '0001-01-01' + 1
FROM analytics_person LEFT JOIN analytics_personday ON person_id = id
ORDER BY id, day
"""

_CONTENT = {
    "counters": "SELECT name, day::text, number, value FROM analytics_counter WHERE value <> 0",
    "events by day": "SELECT event, day::text, value FROM analytics_eventday WHERE value <> 0",
    "events by minute": (
        "SELECT event, minute, value FROM analytics_eventminute"
        " WHERE value <> 0 AND minute >= now() - interval '24 hours'"
    ),
    "person days": "SELECT person_id, day::text FROM analytics_personday",
    "persons' milestones": (
        "SELECT id, first_seen_at, first_event_at, signup_at, activated_at FROM analytics_person"
    ),
}


@dataclass(frozen=True)
class Difference:
    """Rows of one roll-up that a rebuild would remove or add, with examples."""

    rollup: str
    rows: int
    examples: list[str]


@transaction.atomic
def rebuild(*, progress: Progress = lambda *_: None) -> None:
    """Rebuild every roll-up from the raw events under the configured definitions.

    Ingest pauses during the rebuild; readers see the old numbers until the commit.
    """
    wanted = definitions.configured()
    cursor = locked_cursor(Lock.ROLLUPS)
    definitions.adopt(wanted)
    person_cache.empty_everywhere(cursor)
    _recompute(cursor, wanted, progress)
    for note_persons in milestones_changed:
        note_persons(cursor, None)


def check(*, progress: Progress = lambda *_: None) -> list[Difference]:
    """Return how the roll-ups differ from a rebuild by the definitions in force; change nothing."""
    with transaction.atomic():
        cursor = locked_cursor(Lock.ROLLUPS)
        since = timezone.now() - timedelta(hours=24)
        kept = _contents(cursor, since)
        _recompute(cursor, definitions.in_force(), progress)
        rebuilt = _contents(cursor, since)
        transaction.set_rollback(True)
    return [
        Difference(name, len(differing), [str(row) for row in sorted(differing, key=str)[:5]])
        for name in kept
        if (differing := kept[name] ^ rebuilt[name])
    ]


def recompute_persons(
    cursor: psycopg.Cursor, in_force: Definitions, person_ids: Sequence[int]
) -> None:
    """Recompute the milestones and days of some persons, inside `rollups.locked_recount`."""
    parameters = {**_parameters(in_force), "persons": list(person_ids)}
    condition = "person_id = ANY(%(persons)s)"
    milestones = _MILESTONES.format(
        event_condition=condition, person_condition="person.id = ANY(%(persons)s)"
    )
    cursor.execute(milestones, parameters)
    cursor.execute(f"DELETE FROM analytics_personday WHERE {condition}", parameters)
    cursor.execute(_PERSON_DAYS.format(event_condition=condition), parameters)


def differing_persons(person_ids: Sequence[int]) -> list[int]:
    """Return the persons whose milestones or active days differ from their events."""
    with transaction.atomic():
        cursor = locked_cursor(Lock.ROLLUPS)
        kept = _facts(cursor, person_ids)
        recompute_persons(cursor, definitions.in_force(), person_ids)
        rebuilt = _facts(cursor, person_ids)
        transaction.set_rollback(True)
    return [pk for pk in person_ids if kept.get(pk) != rebuilt.get(pk)]


def _facts(cursor: psycopg.Cursor, person_ids: Sequence[int]) -> dict[int, tuple]:
    cursor.execute(
        "SELECT id, first_seen_at, first_event_at, signup_at, activated_at, ("
        "  SELECT array_agg(day ORDER BY day) FROM analytics_personday WHERE person_id = id"
        ") FROM analytics_person WHERE id = ANY(%s)",
        [list(person_ids)],
    )
    return {row[0]: row[1:] for row in cursor.fetchall()}


def _parameters(wanted: Definitions) -> dict[str, Any]:
    return {
        "ignored": sorted(wanted.ignored_events),
        "signup": wanted.signup_event,
        "first": FIRST_EVENT,
        "activation": wanted.activation_event,
        "zone": wanted.time_zone,
    }


def _recompute(cursor: psycopg.Cursor, wanted: Definitions, progress: Progress) -> None:
    parameters = _parameters(wanted)
    steps = (
        ("milestones", _MILESTONES.format(event_condition="true", person_condition="true")),
        ("person days", "DELETE FROM analytics_personday"),
        ("person days", _PERSON_DAYS.format(event_condition="true")),
        ("events by day", "DELETE FROM analytics_eventday"),
        ("events by day", _EVENT_DAYS),
        ("counters", "DELETE FROM analytics_counter"),
    )
    # All rows are joined: the statistics of a table that was just empty would mislead the planner.
    cursor.execute("SET LOCAL enable_nestloop = off")
    for step, statement in steps:
        progress(step, 0, 0)
        cursor.execute(statement, parameters if "%(" in statement else None)
    progress("the last day", 0, 0)
    minute_counts.rebuild(cursor)
    last_activity.rebuild(cursor, wanted.ignored_events)
    cursor.execute("SET LOCAL enable_nestloop TO DEFAULT")
    cursor.execute("SELECT count(*) FROM analytics_person")
    (persons,) = cursor.fetchone() or (0,)
    total: dict[Cell, int] = {}
    calendar = LocalCalendar(wanted.time_zone)
    for done, (milestones, days) in enumerate(_histories()):
        add_cells(total, milestones.firsts(calendar), days)
        if done % 1_000 == 0:
            progress("counters", done, persons)
    counters.add(cursor, total)
    progress("counters", persons, persons)


def _histories() -> Iterator[tuple[Milestones, list[int]]]:
    """Stream every person's milestones and active days, in bounded memory."""
    with connection.connection.cursor(name="histories") as cursor:
        cursor.itersize = 20_000
        cursor.execute(_HISTORIES)
        for _, rows in groupby(cursor, key=itemgetter(0)):
            first, *others = rows
            days = [first[7], *(row[7] for row in others)] if first[7] is not None else []
            yield Milestones(*first[1:7]), days


def _contents(cursor: psycopg.Cursor, since: datetime) -> dict[str, set[tuple]]:
    contents = {}
    for name, query in _CONTENT.items():
        cursor.execute(query)
        contents[name] = set(cursor.fetchall())
    active = last_activity.active_since(since)
    contents["last active"] = set(zip(*(column.tolist() for column in active), strict=True))
    return contents
