"""PostgreSQL beyond Django: cursors, prepared statements, large parameters at low cost."""

import select
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any
from weakref import WeakSet

import psycopg
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's
_MICROSECOND = timedelta(microseconds=1)
_LOWER_ASCII = 'lower(({}) COLLATE "C")'

integer, bigint = Struct("!i").pack, Struct("!q").pack  # in PostgreSQL's binary form


def timestamptz(moment: datetime) -> bytes:
    """Return an aware moment in PostgreSQL's binary form."""
    return bigint((moment - _EPOCH) // _MICROSECOND)


def raw_cursor() -> psycopg.Cursor:
    """Return psycopg's own cursor, which costs less than Django's."""
    connection.ensure_connection()
    return psycopg.Cursor(connection.connection)


@contextmanager
def brief_transaction() -> Iterator[psycopg.Cursor]:
    """Give a cursor in a transaction; return the connection to its pool afterwards."""
    try:
        with transaction.atomic():
            yield raw_cursor()
    finally:
        if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
            connection.close()


def is_closed_by_server(raw: psycopg.Connection) -> bool:
    """Return whether the server closed an idle connection; costs no round trip."""
    if raw.closed:
        return True
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN)
    return bool(poll.poll(0))  # an idle server sends nothing but its goodbye


class Prepared:
    """A statement that is prepared once on each connection.

    It goes to libpq without a cursor, which would cost the client more than twice as much. Errors
    are those that psycopg would raise.
    """

    def __init__(self, name: str, statement: str) -> None:
        self._name, self._statement = name.encode(), statement.encode()
        self._ready_on: WeakSet[psycopg.Connection] = WeakSet()

    def execute(self, raw: psycopg.Connection, values: Sequence[bytes | None]) -> None:
        """Execute it with values in PostgreSQL's binary form."""
        self._result(raw, values, Format.BINARY)

    def rows(self, raw: psycopg.Connection, texts: Sequence[str]) -> list[tuple[Any, ...]]:
        """Execute it with values in PostgreSQL's text form; return the rows."""
        result = self._result(raw, [text.encode() for text in texts], Format.TEXT)
        transformer = Transformer(raw)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)

    def _result(
        self, raw: psycopg.Connection, values: Sequence[bytes | None], form: Format
    ) -> PGresult:
        if not raw.autocommit:
            raw.execute("")  # psycopg begins a transaction with its first statement
        if raw not in self._ready_on:
            _checked(raw.pgconn.prepare(self._name, self._statement))
            self._ready_on.add(raw)
        formats = [form] * len(values)
        # None is NULL, which psycopg's annotation omits.
        arguments: Any = values, formats, Format.BINARY
        return _checked(raw.pgconn.exec_prepared(self._name, *arguments))


class Compiled:
    """A query without varying values, whose SQL Django makes once per process.

    Making it again for each use would cost more than a small statement.
    """

    def __init__(self, queryset: Callable[[], QuerySet]) -> None:
        self._queryset = queryset
        self._compiled: tuple[Any, Any] | None = None

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows as PostgreSQL has them, in the order of the query's columns."""
        if self._compiled is None:
            self._compiled = self._queryset().query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute(*self._compiled)
            return list(cursor.fetchall())


def _checked(result: PGresult) -> PGresult:
    if result.status not in {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK}:
        raise error_from_result(result)
    return result


def array_literal(values: Iterable[object]) -> str:
    """Return PostgreSQL's text form of an array of numbers, dates or uuids, for ``%s::type[]``.

    psycopg adapts each element of a list separately, which costs more than the statement. The
    values' texts must need no quoting; None becomes NULL.
    """
    return f"{{{','.join('NULL' if value is None else str(value) for value in values)}}}"


def is_storable(text: str) -> bool:
    """Whether a PostgreSQL text can hold it: no NUL, no unpaired surrogate."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


class LowerAscii(Lower):
    """`mailbox.lower_ascii` of an expression: e-mail addresses are compared by it."""

    template = _LOWER_ASCII.format("%(expressions)s")


def lower_ascii_sql(expression: str) -> str:
    """Return the same in SQL, for the same indexes."""
    return _LOWER_ASCII.format(expression)
