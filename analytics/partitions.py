"""Month partitions of the event table, made on demand."""

from collections.abc import Iterable
from datetime import date, datetime

import psycopg
from psycopg import sql

_ADVISORY_LOCK = 7_201_002  # one process makes partitions at a time


def month_of(moment: datetime) -> date:
    """Return the first day of the month of a moment that is given in UTC."""
    return date(moment.year, moment.month, 1)


def ensure_partitions(cursor: psycopg.Cursor, months: Iterable[date]) -> None:
    """Create the partitions of these months that are missing.

    ATTACH, unlike CREATE ... PARTITION OF, lets others go on reading and writing events.
    """
    wanted = {partition_name(month): month for month in months}
    missing = _missing(cursor, wanted)
    if not missing:
        return
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
    for name in sorted(_missing(cursor, wanted)):
        first = wanted[name]
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        table = sql.Identifier(name)
        cursor.execute(
            sql.SQL("CREATE TABLE {} (LIKE analytics_event INCLUDING ALL)").format(table)
        )
        cursor.execute(
            sql.SQL(
                "ALTER TABLE analytics_event ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})"
            ).format(table, sql.Literal(f"{first}T00:00Z"), sql.Literal(f"{following}T00:00Z"))
        )


def partition_name(month: date) -> str:
    return f"analytics_event_{month:%Y_%m}"


def _missing(cursor: psycopg.Cursor, wanted: dict[str, date]) -> set[str]:
    cursor.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'analytics_event'::regclass AND c.relname = ANY(%s)",
        [list(wanted)],
    )
    return set(wanted) - {name for (name,) in cursor.fetchall()}
