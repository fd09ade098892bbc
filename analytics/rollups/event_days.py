"""The numbers of events by name and day, without those of excluded persons."""

from collections.abc import Mapping

import psycopg


def add(cursor: psycopg.Cursor, change: Mapping[tuple[str, int], int]) -> None:
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
