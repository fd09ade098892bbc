"""Funnels: persons with one event, then the next, within a time after the first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any

from django.db import connection

from analytics.models import EventDay
from analytics.rollups import definitions
from common.calculations.statistics import Rate


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """Persons who reached a step, as a share of the first and of the previous step's persons."""

    event: str
    persons: int
    from_first: Rate
    from_previous: Rate


def definition(*, hours: int, time_zone: str) -> str:
    """Return the definition of a funnel, to be shown with the numbers."""
    return (
        f"Persons who did the first step for the first time ever in the range (days in "
        f"{time_zone}), and then the other steps in order, all within {hours} hours of it. Only "
        f"persons whose {hours} hours are over count. Repeating a step requires a second event; "
        "events at the same time count as in order."
    )


def unknown_events(names: Collection[str]) -> dict[str, list[str]]:
    """Return the names that no event has, each with similar names."""
    recorded = EventDay.objects.filter(event__in=names, value__gt=0)
    unknown = set(names) - set(recorded.values_list("event", flat=True).distinct())
    recorded_names = recorded_events() if unknown else []
    return {name: get_close_matches(name, recorded_names) for name in names if name in unknown}


def recorded_events() -> list[str]:
    """Return the names of all recorded events."""
    names = EventDay.objects.filter(value__gt=0).order_by("event")
    return list(names.values_list("event", flat=True).distinct())


def funnel(
    *,
    steps: Sequence[str],
    within: timedelta,
    entered_from: date | None,
    entered_to: date | None,
    as_of: date,
) -> list[FunnelStep]:
    """Return the number of persons who reached each of the `steps` (event names).

    A person enters with their first event of the first step ever, on a day of the range, and
    counts where the window `within` has passed by the end of `as_of`. Excluded persons do not
    count.
    """
    calendar = definitions.calendar()
    start, end = calendar.span(entered_from, entered_to)
    _, now = calendar.span(None, as_of)
    parameters: dict[str, Any] = {f"event_{n}": event for n, event in enumerate(steps, start=1)}
    parameters |= {"start": start, "end": end, "latest": now - within, "within": within}
    with connection.cursor() as cursor:
        cursor.execute(_query(steps), parameters)
        reached: tuple[int, ...] = cursor.fetchone() or ()
    return [
        FunnelStep(
            event=event,
            persons=persons,
            from_first=Rate(persons, reached[0]),
            from_previous=Rate(persons, previous),
        )
        for event, persons, previous in zip(steps, reached, (reached[0], *reached), strict=False)
    ]


_ENTRIES = """
step_1 AS (
    SELECT person_id, min(timestamp) AS time_1
    FROM analytics_event JOIN analytics_person AS person ON person.id = person_id
    WHERE event = %(event_1)s AND timestamp >= %(start)s AND timestamp < %(end)s
      AND timestamp <= %(latest)s AND NOT excluded AND has_profile
      AND NOT EXISTS (
          SELECT FROM analytics_event AS earlier
          WHERE earlier.person_id = person.id AND earlier.event = %(event_1)s
            AND earlier.timestamp < %(start)s
      )
    GROUP BY person_id
)
"""

# The earliest time is enough: a later one cannot lead further. Events of the same name at the same
# time are distinguished by counting them against the steps that used them.
_STEP = """
step_{step} AS MATERIALIZED (
    SELECT *, (
        SELECT timestamp FROM analytics_event AS later
        WHERE later.person_id = before.person_id AND event = %(event_{step})s
          AND timestamp >= time_{previous} AND timestamp <= time_1 + %(within)s
        GROUP BY timestamp HAVING count(*) > {used}
        ORDER BY timestamp LIMIT 1
    ) AS time_{step}
    FROM step_{previous} AS before
)
"""


def _query(steps: Sequence[str]) -> str:
    tables = [_ENTRIES]
    for step in range(2, len(steps) + 1):
        same = [n for n in range(1, step) if steps[n - 1] == steps[step - 1]]
        used = " + ".join(f"(time_{n} = timestamp)::integer" for n in same) or "0"
        tables.append(_STEP.format(step=step, previous=step - 1, used=used))
    counts = ", ".join(f"count(time_{n})" for n in range(1, len(steps) + 1))
    return f"WITH {','.join(tables)} SELECT {counts} FROM step_{len(steps)}"
