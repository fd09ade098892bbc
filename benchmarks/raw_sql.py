"""The activity KPIs written directly over the raw events, with an index for them.

Every answer has the shape that `benchmarks.reading.from_rollups` gives.
"""

from datetime import date
from typing import Any

from django.db import connection

_COHORT = """
WITH cohort AS (
    SELECT person_id, min(timestamp) AS signup FROM analytics_event
    WHERE event = 'signed_up' AND person_id NOT IN (SELECT id FROM analytics_person WHERE excluded)
    GROUP BY person_id
    HAVING min(timestamp) >= %(end)s::timestamp AT TIME ZONE 'UTC' - interval '1 day' * %(first)s
       AND min(timestamp) < %(end)s::timestamp AT TIME ZONE 'UTC' - interval '1 day' * %(last)s
)
"""

_RETENTION = (
    _COHORT
    + """
SELECT count(*), count(*) FILTER (WHERE EXISTS (
    SELECT FROM analytics_event AS event
    WHERE event.person_id = cohort.person_id AND event.event <> ALL(%(ignored)s)
      AND timestamp >= date_trunc('day', signup, 'UTC') + interval '1 day' * %(day)s
      AND timestamp < date_trunc('day', signup, 'UTC') + interval '1 day' * (%(day)s + 1)))
FROM cohort
"""
)

_ACTIVATION = (
    _COHORT
    + """
SELECT count(*), count(*) FILTER (
    WHERE activated BETWEEN signup - interval '5 minutes' AND signup + %(within)s::interval)
FROM cohort LEFT JOIN (
    SELECT person_id, min(timestamp) AS activated FROM analytics_event
    WHERE event = 'workflow_created' GROUP BY person_id
) AS activation USING (person_id)
"""
)

_ACTIVE = """
SELECT count(DISTINCT person_id) FROM analytics_event
WHERE event <> ALL(%(ignored)s)
  AND timestamp >= %(from)s::timestamp AT TIME ZONE 'UTC'
  AND timestamp < %(until)s::timestamp AT TIME ZONE 'UTC'
  AND person_id NOT IN (SELECT id FROM analytics_person WHERE excluded)
"""

_WEEKLY = """
WITH cohort AS (
    SELECT person_id, date_trunc('week', min(timestamp), 'UTC') AS week FROM analytics_event
    WHERE event = 'signed_up' AND person_id NOT IN (SELECT id FROM analytics_person WHERE excluded)
    GROUP BY person_id
    HAVING min(timestamp) >= %(from)s::timestamp AT TIME ZONE 'UTC'
)
SELECT week::date, (date_trunc('week', timestamp, 'UTC')::date - week::date) / 7 AS number,
       count(DISTINCT person_id)
FROM cohort JOIN analytics_event USING (person_id)
WHERE event <> ALL(%(ignored)s) AND timestamp >= week AND timestamp < week + interval '91 days'
GROUP BY 1, 2 ORDER BY 1, 2
"""


def retention(ignored: list[str], end: date, day: int) -> tuple[int, int]:
    window = {"first": day + 30, "last": day}
    return _row(_RETENTION, ignored=ignored, end=end, day=day, **window)


def activation(end: date, *, age: int, within: str) -> tuple[int, int]:
    return _row(_ACTIVATION, end=end, first=age + 30, last=age, within=within)


def active(ignored: list[str], first: date, until: date) -> int:
    return _row(_ACTIVE, ignored=ignored, **{"from": first, "until": until})[0]


def weekly(ignored: list[str], first: date) -> list[tuple[date, int, int]]:
    return _rows(_WEEKLY, ignored=ignored, **{"from": first})


def _row(query: str, **parameters: Any) -> Any:
    return _rows(query, **parameters)[0]


def _rows(query: str, **parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()
