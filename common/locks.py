"""Every advisory lock of Plumbline, in the order in which they may be taken."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import psycopg
from django.db import OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError

from common.postgres import raw_cursor


class Lock(IntEnum):
    """The locks in order: a transaction that holds one may take those below it, none above it.

    Two more kinds of key are computed; they are taken before all of these: `import_key` and the
    names of jobs (`try_session_lock`). `row_lock_sql` adds a row's id to a key.
    """

    MAIL_EVENTS = 7_201_030  # what follows from the events of an e-mail address
    FORWARDING = 7_201_004  # one process forwards at a time, which keeps the order of events
    PARTITIONS = 7_201_002  # one process creates partitions of the event table at a time
    IDENTITY = 7_201_003  # which person a distinct id belongs to; shared by batches without merges
    ROLLUPS = 7_201_001  # persons' milestones and days, and every counter
    PLAN_LIMITS = 7_201_010  # with a person's id: reservations of that person's limits
    MAIL_CAPS = 7_201_011  # the claims of e-mails to persons
    MRR_LEDGER = 7_201_020  # the ledgers of MRR and cash
    REFERRAL_REWARDS = 7_201_030  # who has a reward, and how many an inviter has


_POSITION = {key: position for position, key in enumerate(Lock)}


def import_key(fingerprint: str) -> int:
    """Return the key of the lock on importing a file, from the hash of its content."""
    return int(fingerprint[:15], 16)


def lock(cursor: psycopg.Cursor, key: Lock) -> None:
    """Wait for a lock and hold it alone until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [int(key)])


def lock_shared(cursor: psycopg.Cursor, key: Lock) -> None:
    """Wait for a lock and hold it, shared with others like this, until the transaction ends."""
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [int(key)])


def row_lock_sql(key: Lock, row_id: str) -> str:
    """Return an SQL expression that waits for the lock of one row, given the SQL of its bigint id.

    It holds until the transaction ends, and differs from the lock of the key alone.
    """
    return f"pg_advisory_xact_lock({int(key)}, hashint8({row_id}))"


def locked_cursor(*keys: Lock) -> psycopg.Cursor:
    """Return a cursor, holding these locks alone until the transaction around it ends."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("A lock needs a transaction that holds it.")
    cursor = raw_cursor()
    for key in sorted(keys, key=_POSITION.__getitem__):
        lock(cursor, key)
    return cursor


class Locked(RuntimeError):
    """Another process holds the lock."""


@contextmanager
def session_lock(key: int, *, patience: int = 10) -> Iterator[None]:
    """Hold a lock across transactions; raise `Locked` after waiting `patience` seconds.

    A killed process may leave its last statement running for a moment: allow for it.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{patience}s"])
            cursor.execute("SELECT pg_advisory_lock(%s)", [int(key)])
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise
        raise Locked from error
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [int(key)])


@contextmanager
def try_session_lock(name: str) -> Iterator[bool]:
    """Hold the lock of a name across transactions if it is free; say whether it was.

    The database releases it where the process dies.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext(%s))", [name])
        (acquired,) = cursor.fetchone()
    try:
        yield acquired
    finally:
        if acquired:
            with connection.cursor() as cursor:  # of another connection if the first was lost
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
