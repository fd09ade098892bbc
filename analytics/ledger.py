"""The ingestion ledger: what became of every event that arrived, by hour, key and reason."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import psycopg

from analytics.models import Outcome


class Line(NamedTuple):
    """A ledger line's key; `hour` is the hour of arrival."""

    hour: datetime
    project_key_id: int
    outcome: Outcome
    reason: str = ""


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def add(cursor: psycopg.Cursor, amounts: Mapping[Line, int]) -> None:
    """Add numbers of events to the ledger."""
    rows = sorted((*line, events) for line, events in amounts.items() if events)
    if not rows:
        return
    cursor.execute(
        """
        INSERT INTO analytics_capturehour AS known (hour, project_key_id, outcome, reason, events)
        SELECT * FROM unnest(%s::timestamptz[], %s::bigint[], %s::text[], %s::text[], %s::bigint[])
        ON CONFLICT (hour, project_key_id, outcome, reason)
        DO UPDATE SET events = known.events + excluded.events
        """,
        [list(column) for column in zip(*rows, strict=True)],
    )
