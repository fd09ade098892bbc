"""Commit the rows of several requests together, as databases do for their clients."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import NamedTuple

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

from common.postgres import Prepared, is_closed_by_server

# Limits of one statement: the server keeps one for each number of rows, the client a buffer.
MOST_ROWS = 16
MOST_BYTES = 1024 * 1024  # or one larger row

_Values = Sequence[bytes | None]  # in PostgreSQL's binary form

Commit = Future[None]  # done with the commit, or with an error of Django or psycopg

COMMITTED: Commit = Future()
COMMITTED.set_result(None)


class _Row(NamedTuple):
    values: _Values
    commit: Commit

    @property
    def size(self) -> int:
        return sum(map(len, filter(None, self.values)))


class GroupCommit:
    """Inserts rows into one table; rows that arrive during a commit share the next commit.

    A commit costs the database more than a row does, and a waiting thread costs a process more than
    a waiting row: one thread commits for all, on one connection. A single row does not wait for
    others.
    """

    def __init__(self, table: str, columns: Mapping[str, str]) -> None:
        """`columns` maps the names of the columns to their types."""
        self._table, self._columns = table, columns
        self._statements: dict[int, Prepared] = {}  # by the number of rows they insert
        self._rows: SimpleQueue[_Row | None] = SimpleQueue()  # None ends the thread
        self._too_large: _Row | None = None  # for the commit before
        self._thread: Thread | None = None
        self._lock = Lock()  # guards the thread's start and end

    def insert(self, values: _Values) -> Commit:
        """Have a row committed. Inside a transaction the row is part of that, at once."""
        thread_connection = connections[DEFAULT_DB_ALIAS]
        if thread_connection.in_atomic_block:
            self._statement(1).execute(thread_connection.connection, values)
            return COMMITTED
        row = _Row(values, Future())
        self._rows.put(row)
        if self._thread is None:
            self._start()
        return row.commit

    def close(self) -> None:
        """Commit the waiting rows and close the connection; the next row opens another."""
        with self._lock:
            if self._thread:
                self._rows.put(None)
                self._thread.join()
                self._thread = None

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._work, name="group commit", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while rows := self._next_rows():
            error = self._insert([value for row in rows for value in row.values], len(rows))
            for row in rows:
                if error is None:
                    row.commit.set_result(None)
                else:
                    row.commit.set_exception(error)
        connections[DEFAULT_DB_ALIAS].close()

    def _next_rows(self) -> list[_Row]:
        """Wait for a row; return it and those behind it that fit. Nothing: the end."""
        first, self._too_large = self._too_large or self._rows.get(), None
        rows, size = [first] if first else [], first.size if first else 0
        with suppress(Empty):
            while 0 < len(rows) < MOST_ROWS:
                row = self._rows.get_nowait()
                if row is None:
                    self._rows.put(None)
                    break
                size += row.size
                if size > MOST_BYTES:
                    self._too_large = row
                    break
                rows.append(row)
        return rows

    def _insert(self, values: _Values, rows: int) -> BaseException | None:
        try:
            self._statement(rows).execute(self._raw_connection(), values)
        except BaseException as error:  # noqa: BLE001  (on any error, no row may wait forever)
            return error
        return None

    def _raw_connection(self) -> psycopg.Connection:
        """Return the thread's connection, which commits each statement."""
        ours = connections[DEFAULT_DB_ALIAS]
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
