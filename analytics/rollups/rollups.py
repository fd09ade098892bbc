"""Keep the roll-ups up to date: milestones, active days and counters.

Every change goes through `analytics.calculations.cells`: the counters move by the difference
between a person's cells after and before.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager

import numpy as np
import psycopg
from django.db import transaction
from numpy.typing import NDArray

from analytics.calculations import activity_bitmap
from analytics.calculations.batch import EventBatch
from analytics.calculations.cells import Cell, add_cells
from analytics.calculations.records import EventRecord
from analytics.calculations.rows import EventRows
from analytics.extension_points import milestones_changed, persons_changed
from analytics.rollups import (
    counters,
    definitions,
    event_days,
    last_activity,
    minute_counts,
    person_days,
)
from analytics.rollups.counter_changes import counter_changes
from analytics.rollups.definitions import Definitions
from analytics.rollups.milestones import (
    MILESTONES,
    Milestones,
    read_milestones,
    with_event,
    write_milestones,
)
from analytics.rollups.person_cache import CachedPersons, PersonCache, empty_everywhere
from common.calculations.calendar import LocalCalendar
from common.locks import Lock, lock


@contextmanager
def locked_recount(cursor: psycopg.Cursor, person_ids: Collection[int]) -> Iterator[None]:
    """Hold the roll-up lock, and count persons again after the block has changed their data.

    The block may change the persons themselves, their days and their events.
    """
    lock(cursor, Lock.ROLLUPS)
    ids, in_force = list(person_ids), definitions.in_force()
    calendar = LocalCalendar(in_force.time_zone)
    _add_persons(cursor, ids, calendar, -1)
    yield
    _add_persons(cursor, ids, calendar, 1)
    last_activity.recompute(cursor, in_force.ignored_events, ids)
    for note_persons in persons_changed:
        note_persons(cursor, ids)
    empty_everywhere(cursor)


def _add_persons(
    cursor: psycopg.Cursor, person_ids: list[int], calendar: LocalCalendar, sign: int
) -> None:
    """Add all that is stored about persons to the counts, or subtract it."""
    days = person_days.read(cursor, person_ids)
    change: dict[Cell, int] = {}
    for person_id, milestones in read_milestones(cursor, person_ids).items():
        add_cells(change, milestones.firsts(calendar), days[person_id], sign)
    counters.add(cursor, change)
    cursor.execute(
        "SELECT event, (timestamp AT TIME ZONE %s)::date - date '0001-01-01' + 1, count(*)"
        " FROM analytics_event JOIN analytics_person ON id = person_id AND NOT excluded"
        " WHERE person_id = ANY(%s) GROUP BY 1, 2",
        [calendar.zone.key, person_ids],
    )
    event_days.add(cursor, {(event, day): sign * n for event, day, n in cursor.fetchall()})
    minute_counts.add_stored_events(cursor, person_ids, sign=sign)


def lock_and_add_events(
    cursor: psycopg.Cursor,
    events: EventBatch,
    person_ids: NDArray[np.int64],
    order: NDArray[np.int64],
    cache: PersonCache,
) -> None:
    """Add newly stored events to every roll-up, under its lock; `order` sorts them by person."""
    if not len(events):
        return
    rows = EventRows.by_person(events, person_ids, order)
    lock(cursor, Lock.ROLLUPS)
    cached = cache.current(cursor)
    in_force = definitions.adopt_configured()
    calendar = LocalCalendar(in_force.time_zone)
    states, read = _states(cursor, rows.persons, cached)
    counts = ~states["excluded"][rows.person]
    day_of = rows.days(calendar)
    days = _possibly_new_days(rows, day_of, states, in_force)
    candidates = _milestone_candidates(rows, states, in_force)
    event_days.add(cursor, rows.numbers(day_of, counts))
    before = _milestones(cursor, candidates.keys() | days.keys(), read)
    after = before | _with_events(before, candidates, in_force)
    new_days = person_days.add(cursor, days)
    changed = {person_id for person_id in after if after[person_id] != before[person_id]}
    write_milestones(cursor, {person_id: after[person_id] for person_id in changed})
    if changed:
        for note_persons in milestones_changed:
            note_persons(cursor, changed)
    change = counter_changes(
        cursor, before, after, changed=changed, new_days=new_days, calendar=calendar
    )
    counters.add(cursor, change)
    newly_read = after.keys() - read.keys()
    _set_states(states, rows.persons, {pk: after[pk] for pk in changed | newly_read})
    _add_to_last_day(cursor, rows, states, counts, in_force)
    # Earlier batches hold minutes, too, of persons who count only from now on.
    got_profile = [pk for pk in after if after[pk].has_profile and not before[pk].has_profile]
    if got_profile:
        last_activity.recompute(cursor, in_force.ignored_events, got_profile)
    transaction.on_commit(lambda: cached.store(rows.persons, states))


def _states(
    cursor: psycopg.Cursor, persons: Sequence[int], cached: CachedPersons
) -> tuple[NDArray[np.void], dict[int, Milestones]]:
    """Return the states of these persons, and the milestones that had to be read for them."""
    states, missing = cached.states(persons)
    states[missing] = 0
    ids = [persons[index] for index in missing]
    read = read_milestones(cursor, ids)
    _set_states(states, persons, {person_id: read[person_id] for person_id in ids})
    return states, read


def _set_states(
    states: NDArray[np.void], persons: Sequence[int], milestones: Mapping[int, Milestones]
) -> None:
    """Set the states of `persons`, who are in order, to what their milestones say."""
    indices = np.searchsorted(persons, list(milestones))
    states["excluded"][indices] = [person.excluded for person in milestones.values()]
    states["has_profile"][indices] = [person.has_profile for person in milestones.values()]
    for name in MILESTONES:
        states[name][indices] = [person.changes_before(name) for person in milestones.values()]


def _milestones(
    cursor: psycopg.Cursor, person_ids: Set[int], read: Mapping[int, Milestones]
) -> dict[int, Milestones]:
    """Return the persons' milestones: those that were `read` already, and the others."""
    milestones = read_milestones(cursor, person_ids - read.keys())
    return milestones | {person_id: read[person_id] for person_id in person_ids & read.keys()}


def _possibly_new_days(
    rows: EventRows, day_of: NDArray[np.int64], states: NDArray[np.void], in_force: Definitions
) -> dict[int, set[int]]:
    """Return the active days that may be new, by person, and set them in the states."""
    qualifies = ~rows.named(in_force.ignored_events)
    qualifies &= ~activity_bitmap.contains(states, rows.person, day_of)
    keys = np.unique(rows.person[qualifies] << 32 | day_of[qualifies])
    person, day = keys >> 32, keys & 0xFFFFFFFF
    activity_bitmap.add(states, person, day)
    days: dict[int, set[int]] = defaultdict(set)
    for index, ordinal in zip(person.tolist(), day.tolist(), strict=True):
        days[rows.persons[index]].add(ordinal)
    return days


def _milestone_candidates(
    rows: EventRows, states: NDArray[np.void], in_force: Definitions
) -> dict[int, list[EventRecord]]:
    """Return the events that may be the first of their kind, by person."""
    may_be_first = rows.times < states["first_event_at"][rows.person]
    for event, milestone in (
        (in_force.signup_event, "signup_at"),
        (in_force.activation_event, "activated_at"),
    ):
        may_be_first |= rows.named({event}) & (rows.times < states[milestone][rows.person])
    records: dict[int, list[EventRecord]] = defaultdict(list)
    for index in np.flatnonzero(may_be_first).tolist():
        records[rows.persons[rows.person[index]]].append(rows.events[int(rows.index[index])])
    return records


def _with_events(
    milestones: Mapping[int, Milestones],
    records: Mapping[int, Sequence[EventRecord]],
    in_force: Definitions,
) -> dict[int, Milestones]:
    """Return the milestones of the persons with `records`, after these."""
    after = {person_id: milestones[person_id] for person_id in records}
    for person_id, its_records in records.items():
        for record in its_records:
            after[person_id] = with_event(after[person_id], record, in_force)
    return after


def _add_to_last_day(
    cursor: psycopg.Cursor,
    rows: EventRows,
    states: NDArray[np.void],
    counts: NDArray[np.bool_],
    in_force: Definitions,
) -> None:
    """Count the events of the last day by minute, and store when persons were last active."""
    is_recent = rows.times >= minute_counts.start().timestamp() * 1e6
    minutes = rows.times // minute_counts.MINUTE
    counts = counts & is_recent
    minute_counts.add_event_minutes(cursor, rows.numbers(minutes, counts))
    latest = np.zeros(len(rows.persons), np.int64)
    is_active = counts & ~rows.named(in_force.ignored_events)
    np.maximum.at(latest, rows.person[is_active], minutes[is_active])
    later = np.flatnonzero(states["has_profile"] & (latest > states["last_minute"]))
    last_activity.add(cursor, np.array(rows.persons)[later], latest[later])
    states["last_minute"][later] = latest[later]
