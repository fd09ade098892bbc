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
    WHERE activated BETWEEN signup - interval '5 minutes'
        AND signup + interval '1 hour' * %(hours)s)
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


class Kpis:
    """The KPIs as of the day before `end`."""

    def __init__(self, ignored: list[str], end: date) -> None:
        self._values = {"ignored": ignored, "end": end}

    def retention(self, day: int) -> tuple[int, int]:
        return self._row(_RETENTION, day=day, first=day + 30, last=day)

    def activation(self, *, age: int, hours: int) -> tuple[int, int]:
        return self._row(_ACTIVATION, first=age + 30, last=age, hours=hours)

    def active(self, first: date, until: date) -> int:
        return int(self._row(_ACTIVE, **{"from": first, "until": until})[0])

    def weekly(self, first: date) -> list[tuple[date, int, int]]:
        return self._rows(_WEEKLY, **{"from": first})

    def _row(self, query: str, **values: Any) -> Any:
        return self._rows(query, **values)[0]

    def _rows(self, query: str, **values: Any) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(query, self._values | values)
            return cursor.fetchall()
