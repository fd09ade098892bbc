"""What we need of PostgreSQL beyond Django: large parameters, cheaply, and locks."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import psycopg
from django.db import OperationalError, connection, transaction


class Locked(RuntimeError):
    """Another process holds the lock."""


@contextmanager
def session_lock(key: int, *, patience: int = 10) -> Iterator[None]:
    """Hold an advisory lock across transactions; raise `Locked` after `patience` seconds.

    A process that was killed may leave its last statement running for a moment: allow for it.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{patience}s"])
            cursor.execute("SELECT pg_advisory_lock(%s)", [key])
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise
        raise Locked from error
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def array_literal(values: Iterable[object]) -> str:
    """Return PostgreSQL's text form of an array of numbers, dates or uuids, for ``%s::type[]``.

    psycopg adapts each element of a list by itself, which costs more than the statement. The
    values' texts must need no quoting; None becomes NULL.
    """
    return f"{{{','.join('NULL' if value is None else str(value) for value in values)}}}"
