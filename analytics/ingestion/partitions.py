"""Month partitions of the event table, made ahead of time and, for old data, on demand."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import psycopg
from django.db import connection, transaction
from django.utils import timezone
from numpy.typing import NDArray
from psycopg import sql

from common.calculations.calendar import month_after
from common.locks import Lock, lock
from common.postgres import raw_cursor

MONTHS_AHEAD = 3


def month_of(time: datetime) -> date:
    """Return the first day of the month of a UTC time."""
    return date(time.year, time.month, 1)


def months_of(times: NDArray[np.int64]) -> list[date]:
    """Return the first days of the months of Unix times in microseconds, each once."""
    months = np.unique(times.astype("datetime64[us]").astype("datetime64[M]"))
    return months.astype("datetime64[D]").tolist()  # type: ignore[no-any-return]


@transaction.atomic
def make_ahead(now: datetime) -> None:
    """Create the partitions of this month and the next three: all of them, or none and an error.

    Events can be read and written meanwhile. It fails after waiting 10 seconds for a lock.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")
    lock_and_ensure_partitions(raw_cursor(), months_ahead(now))


def make_after_migrating(**_: Any) -> None:
    """Create the first partitions; a scheduled job creates the later ones."""
    make_ahead(timezone.now())


def months_ahead(now: datetime) -> list[date]:
    """Return the first days of this month (UTC) and the next three."""
    months = [month_of(now.astimezone(UTC))]
    while len(months) <= MONTHS_AHEAD:
        months.append(month_after(months[-1]))
    return months


def missing(months: Iterable[date]) -> list[date]:
    """Return the months that have no partition yet."""
    with connection.cursor() as cursor:
        wanted = {partition_name(month): month for month in months}
        return sorted(wanted[name] for name in _missing(cursor, wanted))


def lock_and_ensure_partitions(cursor: psycopg.Cursor, months: Iterable[date]) -> None:
    """Create the missing partitions of these months, under the lock where there are any.

    ATTACH, unlike CREATE ... PARTITION OF, does not block reading and writing events.
    """
    wanted = {partition_name(month): month for month in months}
    if not _missing(cursor, wanted):
        return
    lock(cursor, Lock.PARTITIONS)
    for name in sorted(_missing(cursor, wanted)):
        first, following = wanted[name], month_after(wanted[name])
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


def _missing(cursor: Any, wanted: dict[str, date]) -> set[str]:
    cursor.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'analytics_event'::regclass AND c.relname = ANY(%s)",
        [list(wanted)],
    )
    return set(wanted) - {name for (name,) in cursor.fetchall()}
