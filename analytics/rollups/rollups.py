"""Keep the roll-ups: what persons did first, their active days, and the counters.

Every change goes through `analytics.calculations.cells`: the counters move by the difference
between a person's cells after and before.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

import numpy as np
import psycopg
from django.db import transaction
from numpy.typing import NDArray

from analytics.calculations import activity_bitmap
from analytics.calculations.batch import EventBatch
from analytics.calculations.cells import Cell, Firsts, add_cells
from analytics.calculations.records import EventRecord
from analytics.calculations.rows import EventRows
from analytics.rollups import definitions, last_activity, minute_counts
from analytics.rollups.definitions import Definitions
from analytics.rollups.milestones import (
    MILESTONES,
    Milestones,
    read_milestones,
    with_event,
    write_milestones,
)
from analytics.rollups.person_cache import CachedPersons, PersonCache, forget
from common.calculations.calendar import LocalCalendar
from common.locks import Lock, lock
from common.postgres import array_literal


@contextmanager
def locked_recount(cursor: psycopg.Cursor, person_ids: Collection[int]) -> Iterator[None]:
    """Count persons anew after what the block does to them, their days and their events."""
    lock(cursor, Lock.ROLLUPS)
    ids, in_force = list(person_ids), definitions.in_force()
    calendar = LocalCalendar(in_force.time_zone)
    _count_again(cursor, ids, calendar, -1)
    yield
    _count_again(cursor, ids, calendar, 1)
    last_activity.recompute(cursor, in_force.ignored_events, ids)
    forget(cursor)


def _count_again(
    cursor: psycopg.Cursor, person_ids: list[int], calendar: LocalCalendar, amount: int
) -> None:
    days: dict[int, list[int]] = defaultdict(list)
    cursor.execute(
        "SELECT person_id, day - date '0001-01-01' + 1 FROM analytics_personday"
        " WHERE person_id = ANY(%s) ORDER BY day",
        [person_ids],
    )
    for person_id, day in cursor.fetchall():
        days[person_id].append(day)
    change: dict[Cell, int] = {}
    for person_id, moments in read_milestones(cursor, person_ids).items():
        add_cells(change, moments.firsts(calendar), days[person_id], amount)
    add_to_counters(cursor, change)
    cursor.execute(
        "SELECT event, (timestamp AT TIME ZONE %s)::date - date '0001-01-01' + 1, count(*)"
        " FROM analytics_event JOIN analytics_person ON id = person_id AND NOT excluded"
        " WHERE person_id = ANY(%s) GROUP BY 1, 2",
        [calendar.zone.key, person_ids],
    )
    add_to_event_days(cursor, {(event, day): amount * n for event, day, n in cursor.fetchall()})
    minute_counts.count_again(cursor, person_ids, sign=amount)


def lock_and_add_events(
    cursor: psycopg.Cursor,
    events: EventBatch,
    person_ids: NDArray[np.int64],
    order: NDArray[np.int64],
    cache: PersonCache,
) -> None:
    """Add newly stored events with their persons to every roll-up; `order` is that by person."""
    if not len(events):
        return
    rows = EventRows.by_person(events, person_ids, order)
    lock(cursor, Lock.ROLLUPS)
    remembered = cache.known(cursor)
    in_force = definitions.adopt_configured()
    calendar = LocalCalendar(in_force.time_zone)
    standings, known = _standings(cursor, rows.persons, remembered)
    counts = ~standings["excluded"][rows.person]
    day_of = rows.days(calendar)
    days = _days(rows, day_of, standings, in_force)
    telling = _telling(rows, standings, in_force)
    add_to_event_days(cursor, rows.numbers(day_of, counts))
    asked = telling.keys() | days.keys()
    before = read_milestones(cursor, asked - known.keys())
    before |= {person_id: known[person_id] for person_id in asked & known.keys()}
    after = dict(before)
    for person_id, records in telling.items():
        for record in records:
            after[person_id] = with_event(after[person_id], record, in_force)
    new_days = _add_person_days(cursor, days)
    changed = {person_id for person_id in after if after[person_id] != before[person_id]}
    write_milestones(cursor, {person_id: after[person_id] for person_id in changed})
    touched = changed | new_days.keys()
    firsts = {person_id: before[person_id].firsts(calendar) for person_id in touched}
    news_of = {person_id: after[person_id].firsts(calendar) for person_id in changed}
    change = _change(cursor, before=firsts, after=firsts | news_of, new_days=new_days)
    add_to_counters(cursor, change)
    learned = changed | (after.keys() - known.keys())
    _note(standings, rows.persons, {person_id: after[person_id] for person_id in learned})
    _add_to_last_day(cursor, rows, standings, counts, in_force)
    # Of those who count only now, earlier batches hold minutes, too.
    got_profile = [one for one in after if after[one].has_profile and not before[one].has_profile]
    if got_profile:
        last_activity.recompute(cursor, in_force.ignored_events, got_profile)
    transaction.on_commit(lambda: remembered.learn(rows.persons, standings))


def _standings(
    cursor: psycopg.Cursor, persons: Sequence[int], remembered: CachedPersons
) -> tuple[NDArray[np.void], dict[int, Milestones]]:
    """Return how these persons stand, and the moments that had to be asked for."""
    standings, unknown = remembered.standings(persons)
    standings[unknown] = 0
    asked = [persons[place] for place in unknown]
    known = read_milestones(cursor, asked)
    _note(standings, persons, {person_id: known[person_id] for person_id in asked})
    return standings, known


def _note(
    standings: NDArray[np.void], persons: Sequence[int], moments: Mapping[int, Milestones]
) -> None:
    """Note what moments say in the standings of `persons`, who are in order."""
    places = np.searchsorted(persons, list(moments))
    standings["excluded"][places] = [one.excluded for one in moments.values()]
    standings["has_profile"][places] = [one.has_profile for one in moments.values()]
    for moment in MILESTONES:
        standings[moment][places] = [one.news_before(moment) for one in moments.values()]


def _add_to_last_day(
    cursor: psycopg.Cursor,
    rows: EventRows,
    standings: NDArray[np.void],
    counts: NDArray[np.bool_],
    in_force: Definitions,
) -> None:
    """Count what happened lately, and note the minutes in which persons were active since."""
    is_recent = rows.times >= minute_counts.beginning().timestamp() * 1e6
    minutes = rows.times // minute_counts.MINUTE
    counts = counts & is_recent
    minute_counts.add_event_minutes(cursor, rows.numbers(minutes, counts))
    latest = np.zeros(len(rows.persons), np.int64)
    is_active = counts & ~rows.named(in_force.ignored_events)
    np.maximum.at(latest, rows.person[is_active], minutes[is_active])
    news = np.flatnonzero(standings["has_profile"] & (latest > standings["last_minute"]))
    last_activity.add(cursor, np.array(rows.persons)[news], latest[news])
    standings["last_minute"][news] = latest[news]


def _days(
    rows: EventRows, day_of: NDArray[np.int64], standings: NDArray[np.void], in_force: Definitions
) -> dict[int, set[int]]:
    """Return the active days that may be new, by person, and note them."""
    qualifies = ~rows.named(in_force.ignored_events)
    qualifies &= ~activity_bitmap.are_known(standings, rows.person, day_of)
    keys = np.unique(rows.person[qualifies] << 32 | day_of[qualifies])
    person, day = keys >> 32, keys & 0xFFFFFFFF
    activity_bitmap.add(standings, person, day)
    days: dict[int, set[int]] = defaultdict(set)
    for place, ordinal in zip(person.tolist(), day.tolist(), strict=True):
        days[rows.persons[place]].add(ordinal)
    return days


def _telling(
    rows: EventRows, standings: NDArray[np.void], in_force: Definitions
) -> dict[int, list[EventRecord]]:
    """Return the events that may be the first of their kind, by person."""
    may_tell = rows.times < standings["first_event_at"][rows.person]
    for event, moment in (
        (in_force.signup_event, "signup_at"),
        (in_force.activation_event, "activated_at"),
    ):
        may_tell |= rows.named({event}) & (rows.times < standings[moment][rows.person])
    telling: dict[int, list[EventRecord]] = defaultdict(list)
    for place in np.flatnonzero(may_tell).tolist():
        telling[rows.persons[rows.person[place]]].append(rows.events[int(rows.index[place])])
    return telling


def _change(
    cursor: psycopg.Cursor,
    *,
    before: Mapping[int, Firsts],
    after: Mapping[int, Firsts],
    new_days: Mapping[int, set[int]],
) -> dict[Cell, int]:
    """Return how the counters change for the persons in `after`, who got these new days."""
    spans = {}  # the days whose surroundings must be known, by person
    for person_id, firsts in after.items():
        known = before[person_id]
        if known.active_day is None:
            continue  # every active day is new
        if known.excluded != firsts.excluded or (
            (known.signup_day, known.active_day) != (firsts.signup_day, firsts.active_day)
        ):
            spans[person_id] = (date.min.toordinal(), date.max.toordinal())
        elif person_id in new_days:
            spans[person_id] = (min(new_days[person_id]), max(new_days[person_id]))
    surroundings = _days_around(cursor, spans)
    histories: Counter[tuple[Firsts, Firsts, tuple[int, ...], tuple[int, ...]]] = Counter()
    for person_id, firsts in after.items():
        added = tuple(sorted(new_days.get(person_id, ())))
        days = tuple(surroundings.get(person_id, added))
        histories[before[person_id], firsts, days, added] += 1
    change: dict[Cell, int] = {}
    for (was, now, days, added), persons in histories.items():  # many have the same
        add_cells(change, now, days, persons)
        add_cells(change, was, [day for day in days if day not in added], -persons)
    return change


def _add_person_days(cursor: psycopg.Cursor, days: Mapping[int, set[int]]) -> dict[int, set[int]]:
    """Add active days and return those that were new, by person."""
    pairs = [(person_id, day) for person_id, active in days.items() for day in active]
    cursor.execute(
        """
        INSERT INTO analytics_personday (person_id, day)
        SELECT person_id, date '0001-01-01' + (day - 1)
        FROM unnest(%s::bigint[], %s::int[]) AS new (person_id, day)
        ON CONFLICT DO NOTHING RETURNING person_id, day - date '0001-01-01' + 1
        """,
        [
            array_literal(person_id for person_id, _ in pairs),
            array_literal(day for _, day in pairs),
        ],
    )
    new: dict[int, set[int]] = defaultdict(set)
    for person_id, day in cursor.fetchall():
        new[person_id].add(day)
    return new


def _days_around(
    cursor: psycopg.Cursor, spans: Mapping[int, tuple[int, int]]
) -> dict[int, list[int]]:
    """Return the active days within each person's span and the nearest one on either side."""
    if not spans:
        return {}
    cursor.execute(
        """
        SELECT person_id, day - date '0001-01-01' + 1 FROM (
            SELECT id, date '0001-01-01' + (first - 1) AS first,
                   date '0001-01-01' + (last - 1) AS last
            FROM unnest(%s::bigint[], %s::int[], %s::int[]) AS span (id, first, last)
        ) AS span CROSS JOIN LATERAL (
            (SELECT person_id, day FROM analytics_personday
             WHERE person_id = id AND day < first ORDER BY day DESC LIMIT 1)
            UNION ALL
            (SELECT person_id, day FROM analytics_personday
             WHERE person_id = id AND day BETWEEN first AND last)
            UNION ALL
            (SELECT person_id, day FROM analytics_personday
             WHERE person_id = id AND day > last ORDER BY day LIMIT 1)
        ) AS around ORDER BY person_id, day
        """,
        [
            array_literal(spans),
            array_literal(first for first, _ in spans.values()),
            array_literal(last for _, last in spans.values()),
        ],
    )
    days: dict[int, list[int]] = defaultdict(list)
    for person_id, day in cursor.fetchall():
        days[person_id].append(day)
    return days


def add_to_counters(cursor: psycopg.Cursor, change: Mapping[Cell, int]) -> None:
    """Add the amounts to the counters."""
    rows = [(*cell, amount) for cell, amount in change.items() if amount]
    if not rows:
        return
    names, days, numbers, values = zip(*rows, strict=True)
    cursor.execute(
        """
        INSERT INTO analytics_counter AS counter (name, day, number, value)
        SELECT name, date '0001-01-01' + (day - 1), number, value
        FROM unnest(%s::text[], %s::int[], %s::int[], %s::bigint[])
            AS new (name, day, number, value)
        ON CONFLICT (name, number, day) DO UPDATE SET value = counter.value + excluded.value
        """,
        [array_literal(column) for column in (names, days, numbers, values)],
    )


def add_to_event_days(cursor: psycopg.Cursor, change: Mapping[tuple[str, int], int]) -> None:
    """Add the amounts to the numbers of events by name and day."""
    rows = [(*key, amount) for key, amount in change.items() if amount]
    if not rows:
        return
    cursor.execute(
        """
        INSERT INTO analytics_eventday AS event_day (event, day, value)
        SELECT event, date '0001-01-01' + (day - 1), value
        FROM unnest(%s::text[], %s::int[], %s::bigint[]) AS new (event, day, value)
        ON CONFLICT (event, day) DO UPDATE SET value = event_day.value + excluded.value
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )
