"""Data that is slow to build is built once in each process; later tests copy its rows."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from analytics.ingestion.partitions import lock_and_ensure_partitions
from analytics.models import Event
from common.postgres import raw_cursor

Rows = dict[str, list[bytes]]  # lines of COPY, by table


@dataclass(frozen=True)
class Snapshot:
    months: list[date]  # of its events
    added: Rows
    replaced: Rows  # whole tables, where rows that existed before were changed


_snapshots: dict[Hashable, Snapshot] = {}


def build_once(key: Hashable, build: Callable[[], object]) -> None:
    """Call `build` the first time; later repeat the changes it made to the same database."""
    if key in _snapshots:
        _restore(_snapshots[key])
        return
    before = _rows()
    build()
    _snapshots[key] = _changes(before, _rows())


def _changes(before: Rows, after: Rows) -> Snapshot:
    added, replaced = {}, {}
    for table, rows in after.items():
        existing = set(before.get(table, []))
        if not existing <= set(rows):
            replaced[table] = rows
        elif len(rows) > len(existing):
            added[table] = [row for row in rows if row not in existing]
    months = [moment.date() for moment in Event.objects.datetimes("timestamp", "month")]
    return Snapshot(months, added, replaced)


def _rows() -> Rows:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
            " ORDER BY oid"  # as they were created: rows may refer to earlier tables
        )
        tables = [name for (name,) in cursor.fetchall()]
    return {table: rows for table in tables if (rows := _rows_of(table))}


def _rows_of(table: str) -> list[bytes]:
    with raw_cursor().copy(f'COPY (TABLE "{table}") TO STDOUT') as copy:
        return [bytes(row) for row in copy]


@transaction.atomic
def _restore(snapshot: Snapshot) -> None:
    cursor = raw_cursor()
    lock_and_ensure_partitions(cursor, snapshot.months)
    for table in snapshot.replaced:
        cursor.execute(f'DELETE FROM "{table}"')
    for table, rows in (snapshot.replaced | snapshot.added).items():  # added rows may refer to them
        with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
            copy.write(b"".join(rows))
