"""Commit the rows of several threads together, as databases do for their clients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, count
from queue import SimpleQueue
from threading import Lock

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from common.postgres import Prepared, is_closed_by_server

# Limits of one statement: the server keeps one for each number of rows, the client a buffer.
MOST_ROWS = 16
MOST_BYTES = 1024 * 1024  # or one larger row

_Values = Sequence[bytes | None]  # in PostgreSQL's binary form


class _YourTurn:
    """The signal to insert the waiting rows."""


_Outcome = BaseException | None
_YOUR_TURN = _YourTurn()


@dataclass(slots=True)
class _Row:
    values: _Values
    signal: SimpleQueue[_YourTurn | _Outcome] = field(default_factory=SimpleQueue)

    @property
    def size(self) -> int:
        return sum(map(len, filter(None, self.values)))


class GroupCommit:
    """Inserts rows into one table; rows that arrive during a commit share the next commit.

    A commit costs the database more than a row does. A single row does not wait for others, and
    all threads together need one connection.
    """

    def __init__(self, table: str, columns: Mapping[str, str]) -> None:
        """`columns` maps the names of the columns to their types."""
        self._table, self._columns = table, columns
        self._statements: dict[int, Prepared] = {}  # by the number of rows they insert
        self._lock = Lock()  # guards what follows
        self._waiting: list[_Row] = []
        self._is_busy = False  # a thread inserts, or is about to; the connection is its own then
        self._connection: BaseDatabaseWrapper | None = None

    def insert(self, values: _Values) -> None:
        """Return once a row is committed; inside a transaction the row is part of that.

        Raise the errors of Django and psycopg, in every thread whose row shared the commit.
        """
        thread_connection = connections[DEFAULT_DB_ALIAS]
        if thread_connection.in_atomic_block:  # rows of other threads must not depend on it
            self._statement(1).execute(thread_connection.connection, values)
            return
        row = _Row(values)
        with self._lock:
            self._waiting.append(row)
            waits, self._is_busy = self._is_busy, True
        signal = row.signal.get() if waits else _YOUR_TURN
        outcome = self._commit(row) if isinstance(signal, _YourTurn) else signal
        if outcome is not None:
            raise outcome

    def close(self) -> None:
        """Close the connection, or return it to the pool; the next row opens another."""
        if self._connection is not None:
            self._connection.close()

    def _commit(self, own: _Row) -> _Outcome:
        """Insert the waiting rows, this thread's own first, and signal the other threads."""
        with self._lock:
            rows = self._next_rows()
            del self._waiting[: len(rows)]
        outcome: _Outcome = None
        try:
            values = [value for row in rows for value in row.values]
            self._statement(len(rows)).execute(self._raw_connection(), values)
        except BaseException as error:  # noqa: BLE001  (on any error, no thread may wait forever)
            outcome = error
        with self._lock:
            if self._waiting:
                self._waiting[0].signal.put(_YOUR_TURN)
            self._is_busy = bool(self._waiting)
        for row in rows:
            if row is not own:
                row.signal.put(outcome)
        return outcome

    def _next_rows(self) -> list[_Row]:
        waiting = self._waiting[:MOST_ROWS]
        sizes = accumulate(row.size for row in waiting)
        fitting = [row for row, size in zip(waiting, sizes, strict=True) if size <= MOST_BYTES]
        return fitting or waiting[:1]

    def _raw_connection(self) -> psycopg.Connection:
        """Return a connection that commits each statement."""
        if self._connection is None:
            self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
            self._connection.inc_thread_sharing()
        ours = self._connection
        if ours.connection is not None and is_closed_by_server(ours.connection):
            ours.close()
        if ours.connection is None:
            ours.connect()
        raw: psycopg.Connection = ours.connection
        return raw

    def _statement(self, rows: int) -> Prepared:
        if rows not in self._statements:
            self._statements[rows] = Prepared(
                f"plumbline_{self._table}_{rows}", self._insert_statement(rows)
            )
        return self._statements[rows]

    def _insert_statement(self, rows: int) -> str:
        numbers = count(1)
        lines = (
            ", ".join(f"${next(numbers)}::{kind}" for kind in self._columns.values())
            for _ in range(rows)
        )
        columns = ", ".join(self._columns)
        return f"INSERT INTO {self._table} ({columns}) VALUES ({'), ('.join(lines)})"
