"""How the counters move when persons' milestones or active days change."""

from collections import Counter
from collections.abc import Mapping, Set
from datetime import date

import psycopg

from analytics.calculations.cells import Cell, Firsts, add_cells
from analytics.rollups import person_days
from analytics.rollups.milestones import Milestones
from common.calculations.calendar import LocalCalendar


def counter_changes(
    cursor: psycopg.Cursor,
    milestones_before: Mapping[int, Milestones],
    milestones_after: Mapping[int, Milestones],
    *,
    changed: Set[int],
    new_days: Mapping[int, set[int]],
    calendar: LocalCalendar,
) -> dict[Cell, int]:
    """Return how the counters change with persons' `changed` milestones and new active days."""
    before = {pk: milestones_before[pk].firsts(calendar) for pk in changed | new_days.keys()}
    after = before | {pk: milestones_after[pk].firsts(calendar) for pk in changed}
    neighbors = person_days.days_around(cursor, _changed_spans(before, after, new_days))
    histories: Counter[tuple[Firsts, Firsts, tuple[int, ...], tuple[int, ...]]] = Counter()
    for person_id, firsts in after.items():
        added = tuple(sorted(new_days.get(person_id, ())))
        days = tuple(neighbors.get(person_id, added))
        histories[before[person_id], firsts, days, added] += 1
    change: dict[Cell, int] = {}
    for (was, now, days, added), persons in histories.items():  # which many persons share
        add_cells(change, now, days, persons)
        add_cells(change, was, [day for day in days if day not in added], -persons)
    return change


def _changed_spans(
    before: Mapping[int, Firsts], after: Mapping[int, Firsts], new_days: Mapping[int, set[int]]
) -> dict[int, tuple[int, int]]:
    """Return the first and last day whose counters may change, by person."""
    spans = {}
    for person_id, firsts in after.items():
        earlier = before[person_id]
        if earlier.active_day is None:
            continue  # every active day is new
        if earlier.excluded != firsts.excluded or (
            (earlier.signup_day, earlier.active_day) != (firsts.signup_day, firsts.active_day)
        ):
            spans[person_id] = (date.min.toordinal(), date.max.toordinal())
        elif person_id in new_days:
            spans[person_id] = (min(new_days[person_id]), max(new_days[person_id]))
    return spans
