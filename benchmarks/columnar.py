"""The activity KPIs asked of DuckDB and of ClickHouse's engine (chdb), over the same events.

Both run inside this process, on every core, on tables of their own: sorted for these questions, and
without the events of excluded persons. Every answer has the shape that
`benchmarks.reading.from_rollups` gives.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from django.db import connection

try:
    import chdb
except ImportError:  # no wheels for this platform
    chdb = None

Query = Callable[[str], list[tuple[Any, ...]]]

_EXPORT = """
COPY (
    SELECT person_id, timestamp AT TIME ZONE 'UTC', event FROM analytics_event
    WHERE person_id NOT IN (SELECT id FROM analytics_person WHERE excluded)
) TO STDOUT (FORMAT csv)
"""

_COHORT = """
WITH cohort AS (
    SELECT person_id, min(timestamp) AS signup FROM events
    WHERE event = 'signed_up' GROUP BY person_id
    HAVING min(timestamp) >= '{first} 00:00:00' AND min(timestamp) < '{until} 00:00:00'
)
"""

_RETENTION = (
    _COHORT
    + """
SELECT (SELECT count(*) FROM cohort), count(DISTINCT person_id)
FROM events JOIN cohort USING (person_id)
WHERE event NOT IN {ignored}
  AND timestamp >= '{start} 00:00:00' AND timestamp < '{end} 00:00:00'
  AND timestamp >= date_trunc('day', signup) + INTERVAL {day} DAY
  AND timestamp < date_trunc('day', signup) + INTERVAL {day} DAY + INTERVAL 1 DAY
"""
)

_ACTIVATION = (
    _COHORT
    + """
SELECT (SELECT count(*) FROM cohort), count(*)
FROM cohort JOIN (
    SELECT person_id, min(timestamp) AS activated FROM events
    WHERE event = 'workflow_created' GROUP BY person_id
) AS activation USING (person_id)
WHERE activated >= signup - INTERVAL 5 MINUTE AND activated <= signup + INTERVAL {hours} HOUR
"""
)

_ACTIVE = """
SELECT count(DISTINCT person_id) FROM events
WHERE event NOT IN {ignored}
  AND timestamp >= '{first} 00:00:00' AND timestamp < '{until} 00:00:00'
"""

_WEEKLY = """
WITH cohort AS (
    SELECT person_id, date_trunc('week', min(timestamp)) AS week FROM events
    WHERE event = 'signed_up' GROUP BY person_id
    HAVING min(timestamp) >= '{first} 00:00:00'
)
SELECT CAST(week AS date) AS cohort_week, date_diff('week', week, timestamp) AS number,
       count(DISTINCT person_id)
FROM events JOIN cohort USING (person_id)
WHERE event NOT IN {ignored} AND timestamp >= '{first} 00:00:00'
  AND timestamp >= week AND timestamp < week + INTERVAL 91 DAY
GROUP BY 1, 2 ORDER BY 1, 2
"""


class Kpis:
    """The KPIs as of the day before `end`, asked through `query`."""

    def __init__(self, query: Query, ignored: list[str], end: date) -> None:
        self._query = query
        self._ignored = "('{}')".format("', '".join(ignored))
        self._end = end

    def retention(self, day: int) -> tuple[int, int]:
        start = self._end - timedelta(days=30)
        return self._row(_RETENTION, **self._cohort(day), start=start, end=self._end, day=day)

    def activation(self, *, age: int, hours: int) -> tuple[int, int]:
        return self._row(_ACTIVATION, **self._cohort(age), hours=hours)

    def active(self, first: date, until: date) -> int:
        return int(self._row(_ACTIVE, first=first, until=until)[0])

    def weekly(self, first: date) -> list[tuple[Any, ...]]:
        return self._rows(_WEEKLY, first=first)

    def _cohort(self, age: int) -> dict[str, date]:
        until = self._end - timedelta(days=age)
        return {"first": until - timedelta(days=30), "until": until}

    def _row(self, query: str, **values: object) -> Any:
        return self._rows(query, **values)[0]

    def _rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        return self._query(query.format(ignored=self._ignored, **values))


@contextmanager
def engines() -> Iterator[dict[str, Query]]:
    """Load the current database's events into each engine; give what runs a query, by its name."""
    with ExitStack() as stack:
        file = Path(stack.enter_context(TemporaryDirectory())) / "events.csv"
        with connection.cursor() as cursor, file.open("wb") as out, cursor.copy(_EXPORT) as copy:
            out.writelines(copy)
        queries = {"DuckDB": stack.enter_context(_duckdb(file))}
        if chdb is not None:
            queries["ClickHouse's engine"] = stack.enter_context(_clickhouse(file))
        yield queries


@contextmanager
def _duckdb(file: Path) -> Iterator[Query]:
    with duckdb.connect() as engine:
        engine.execute(
            f"""
            CREATE TABLE events AS SELECT * FROM read_csv('{file}', header = false, columns = {{
                'person_id': 'BIGINT', 'timestamp': 'TIMESTAMP', 'event': 'VARCHAR'
            }}) ORDER BY event, timestamp
            """
        )
        yield lambda query: engine.execute(query).fetchall()


@contextmanager
def _clickhouse(file: Path) -> Iterator[Query]:
    columns = "person_id Int64, timestamp DateTime64(6, 'UTC'), event LowCardinality(String)"
    with closing(chdb.connect(str(file.with_suffix(".chdb")))) as engine:
        cursor = engine.cursor()

        def query(statement: str) -> list[tuple[Any, ...]]:
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()]

        query(f"CREATE TABLE events ({columns}) ENGINE = MergeTree ORDER BY (event, timestamp)")
        query(f"INSERT INTO events FROM INFILE '{file}' FORMAT CSV")
        query("OPTIMIZE TABLE events FINAL")
        yield query
