"""The days on which persons were active: the truth behind every counter of activity."""

from collections import defaultdict
from collections.abc import Collection, Mapping

import psycopg

from common.postgres import array_literal


def read(cursor: psycopg.Cursor, person_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the active days of persons, as ascending ordinals."""
    days: dict[int, list[int]] = defaultdict(list)
    cursor.execute(
        "SELECT person_id, day - date '0001-01-01' + 1 FROM analytics_personday"
        " WHERE person_id = ANY(%s) ORDER BY day",
        [list(person_ids)],
    )
    for person_id, day in cursor.fetchall():
        days[person_id].append(day)
    return days


def add(cursor: psycopg.Cursor, days: Mapping[int, set[int]]) -> dict[int, set[int]]:
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


def days_around(
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
