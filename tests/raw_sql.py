"""An independent implementation of the definitions: plain SQL over raw events, no roll-ups.

Each function takes the definitions in force (`analytics.rollups.definitions.Definitions`) and
covers the whole life of the product up to the day `as_of`. Tests and the benchmark compare
the results with those read from the counters.
"""

from datetime import date, timedelta
from typing import Any

from django.db import connection

# Every event of the persons who are not excluded, with its calendar day.
_EVENTS = """
events AS (
    SELECT event.person_id, event.event, event.timestamp,
           (event.timestamp AT TIME ZONE %(zone)s)::date AS day
    FROM analytics_event AS event
    JOIN analytics_person AS person ON person.id = event.person_id AND NOT person.excluded
)"""

_ACTIVE = """
active AS (
    SELECT DISTINCT person_id, day FROM events WHERE event <> ALL(%(ignored)s)
)"""

_SIGNUPS = """
cohorts AS (
    SELECT person_id, min(timestamp) AS joined_at, min(day) AS day
    FROM events
    WHERE event = %(signup)s OR %(signup)s = '$first_event' AND event <> ALL(%(ignored)s)
    GROUP BY person_id
)"""

_FIRST_EVENTS = """
cohorts AS (
    SELECT person_id, min(timestamp) AS joined_at, min(day) AS day
    FROM events WHERE event <> ALL(%(ignored)s) GROUP BY person_id
)"""

_COHORTS = {"signup": _SIGNUPS, "first_event": _FIRST_EVENTS}

_ACTIVATIONS = """
activations AS (
    SELECT person_id, min(timestamp) AS activated_at
    FROM events WHERE event = %(activation)s GROUP BY person_id
)"""

_DELAYS = """
delays AS (
    SELECT cohorts.day, activated_at - joined_at AS delay
    FROM cohorts LEFT JOIN activations USING (person_id)
    WHERE day BETWEEN %(first)s AND %(last)s
)"""

_IN_TIME = "delay BETWEEN interval '-5 minutes' AND interval '168 hours'"


def day_retention(
    definitions: Any,
    *,
    cohort: str,
    day: int,
    as_of: date,
    first: date = date.min,
    last: date = date.max,
) -> tuple[int, int]:
    """Return the eligible persons and those active on the `day`-th day after."""
    [row] = _rows(
        definitions,
        f"""
        WITH {_EVENTS}, {_COHORTS[cohort]}
        SELECT count(*), count(*) FILTER (WHERE EXISTS (
            SELECT FROM analytics_event AS event
            WHERE event.person_id = cohorts.person_id AND event.event <> ALL(%(ignored)s)
              AND event.timestamp >= (cohorts.day + %(n)s)::timestamp AT TIME ZONE %(zone)s
              AND event.timestamp < (cohorts.day + %(n)s + 1)::timestamp AT TIME ZONE %(zone)s
        ))
        FROM cohorts WHERE day BETWEEN %(first)s AND %(last)s AND day <= %(as_of)s::date - %(n)s
        """,
        n=day,
        as_of=as_of,
        first=first,
        last=last,
    )
    return row


def weekly_matrix(
    definitions: Any, *, cohort: str, weeks: int, as_of: date
) -> list[tuple[date, int, list[int]]]:
    """Return each cohort week with its size and the retained persons of its complete weeks."""
    rows = _rows(
        definitions,
        f"""
        WITH {_EVENTS}, {_ACTIVE}, {_COHORTS[cohort]},
        weeks AS (SELECT *, date_trunc('week', day)::date AS week FROM cohorts),
        sizes AS (SELECT week, count(*) AS size FROM weeks WHERE week <= %(as_of)s GROUP BY week),
        retained AS (
            SELECT week, (date_trunc('week', active.day)::date - week) / 7 AS number,
                   count(DISTINCT person_id) AS persons
            FROM weeks JOIN active USING (person_id) GROUP BY 1, 2
        )
        SELECT week, number, persons, size FROM sizes LEFT JOIN retained USING (week)
        ORDER BY week
        """,
        as_of=as_of,
    )
    retained = {(week, number): persons for week, number, persons, _ in rows}
    sizes = {week: size for week, _, _, size in rows}
    return [
        (
            week,
            size,
            [
                retained.get((week, number), 0)
                for number in range(weeks + 1)
                if week + timedelta(days=7 * number + 6) <= as_of
            ],
        )
        for week, size in sizes.items()
    ]


def activation(
    definitions: Any, *, first: date = date.min, last: date = date.max
) -> tuple[int, int, int, timedelta | None]:
    """Return signups, activated within 168 h and within 24 h, and the former's median time."""
    [row] = _rows(
        definitions,
        f"""
        WITH {_EVENTS}, {_SIGNUPS}, {_ACTIVATIONS}, {_DELAYS}
        SELECT count(*), count(*) FILTER (WHERE {_IN_TIME}),
               count(*) FILTER (WHERE delay BETWEEN interval '-5 minutes' AND interval '24 hours'),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY delay) FILTER (WHERE {_IN_TIME})
        FROM delays
        """,
        first=first,
        last=last,
    )
    return row


def active(definitions: Any, *, granularity: str) -> dict[date, int]:
    """Return the persons active in each ``day``, ISO ``week`` or ``month`` with any activity."""
    return dict(
        _rows(
            definitions,
            f"""
            WITH {_EVENTS}, {_ACTIVE}
            SELECT date_trunc(%(granularity)s, day)::date, count(DISTINCT person_id)
            FROM active GROUP BY 1 ORDER BY 1
            """,
            granularity=granularity,
        )
    )


def trailing_active(definitions: Any, *, days: int, first: date, last: date) -> dict[date, int]:
    """Return the distinct persons active in the `days` days that end on each day of a range.

    Days without activity are omitted.
    """
    return dict(
        _rows(
            definitions,
            f"""
            WITH {_EVENTS}, {_ACTIVE}
            SELECT day + n, count(DISTINCT person_id)
            FROM active CROSS JOIN generate_series(0, %(days)s - 1) AS n
            WHERE day + n BETWEEN %(first)s AND %(last)s
            GROUP BY 1
            """,
            days=days,
            first=first,
            last=last,
        )
    )


def growth_accounting(definitions: Any) -> dict[date, tuple[int, int, int, int]]:
    """Return new, retained, resurrected and churned persons of each month."""
    rows = _rows(
        definitions,
        f"""
        WITH {_EVENTS}, {_ACTIVE},
        months AS (SELECT DISTINCT person_id, date_trunc('month', day)::date AS month FROM active),
        neighbors AS (
            SELECT person_id, month,
                   lag(month) OVER person AS before, lead(month) OVER person AS after
            FROM months WINDOW person AS (PARTITION BY person_id ORDER BY month)
        ),
        stays AS (
            SELECT month, CASE
                WHEN before IS NULL THEN 'new'
                WHEN before = (month - interval '1 month')::date THEN 'retained'
                ELSE 'resurrected' END AS kind
            FROM neighbors
            UNION ALL
            SELECT (month + interval '1 month')::date, 'churned' FROM neighbors
            WHERE after IS DISTINCT FROM (month + interval '1 month')::date
        )
        SELECT month, count(*) FILTER (WHERE kind = 'new'),
               count(*) FILTER (WHERE kind = 'retained'),
               count(*) FILTER (WHERE kind = 'resurrected'),
               count(*) FILTER (WHERE kind = 'churned')
        FROM stays GROUP BY month
        """,
    )
    return {month: tuple(counts) for month, *counts in rows}


def _rows(definitions: Any, query: str, **parameters: Any) -> list[Any]:
    parameters |= {
        "zone": definitions.time_zone,
        "signup": definitions.signup_event,
        "activation": definitions.activation_event,
        "ignored": sorted(definitions.ignored_events),
    }
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()
