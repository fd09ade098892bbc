"""Advisory locks: one register, one order."""

import re
from contextlib import closing
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import psycopg
import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from common.locks import (
    Lock,
    Locked,
    import_key,
    lock_shared,
    locked_cursor,
    session_lock,
    try_session_lock,
)
from common.postgres import raw_cursor

WAITING = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@pytest.fixture
def other():
    connection.ensure_connection()
    raw = connection.connection
    with closing(
        psycopg.connect(raw.info.dsn, password=raw.info.password, autocommit=True)
    ) as session:
        yield session


def take(*keys):
    with transaction.atomic():
        locked_cursor(*keys)
    connection.close()


def wait_until(happened):
    deadline = monotonic() + 30
    while not happened():
        assert monotonic() < deadline
        sleep(0.01)


def is_free(other, key):
    [acquired] = other.execute("SELECT pg_try_advisory_lock(%s)", [int(key)]).fetchone()
    if acquired:
        other.execute("SELECT pg_advisory_unlock(%s)", [int(key)])
    return acquired


@pytest.mark.django_db(transaction=True)
def test_a_locked_cursor_holds_its_locks_until_the_transaction_ends(other):
    with transaction.atomic():
        cursor = locked_cursor(Lock.ROLLUPS, Lock.IDENTITY)
        assert cursor.execute("SELECT 1").fetchone() == (1,)
        assert not is_free(other, Lock.ROLLUPS)
        assert not is_free(other, Lock.IDENTITY)
        assert is_free(other, Lock.PARTITIONS)
    assert is_free(other, Lock.ROLLUPS)
    assert is_free(other, Lock.IDENTITY)


@pytest.mark.django_db(transaction=True)
def test_several_locks_are_taken_in_their_order(other):
    other.execute("SELECT pg_advisory_lock(%s)", [int(Lock.IDENTITY)])
    waiting = Thread(target=take, args=[Lock.ROLLUPS, Lock.IDENTITY])
    waiting.start()
    wait_until(lambda: other.execute(WAITING, [int(Lock.IDENTITY)]).fetchone() == (1,))
    assert is_free(other, Lock.ROLLUPS)
    other.execute("SELECT pg_advisory_unlock(%s)", [int(Lock.IDENTITY)])
    waiting.join()


@pytest.mark.django_db(transaction=True)
def test_a_locked_cursor_needs_a_transaction():
    with pytest.raises(TransactionManagementError):
        locked_cursor(Lock.IDENTITY)


@pytest.mark.django_db(transaction=True)
def test_a_shared_lock_keeps_out_only_those_who_want_it_alone(other):
    with transaction.atomic():
        lock_shared(raw_cursor(), Lock.IDENTITY)
        assert not is_free(other, Lock.IDENTITY)
        shared = "SELECT pg_try_advisory_xact_lock_shared(%s)"
        assert other.execute(shared, [int(Lock.IDENTITY)]).fetchone() == (True,)


@pytest.mark.django_db(transaction=True)
def test_a_session_lock_outlives_transactions_and_is_refused_to_another(other):
    with session_lock(Lock.FORWARDING):
        with transaction.atomic():
            pass
        assert not is_free(other, Lock.FORWARDING)
    other.execute("SELECT pg_advisory_lock(%s)", [int(Lock.FORWARDING)])
    with pytest.raises(Locked), session_lock(Lock.FORWARDING, patience=1):
        pass


@pytest.mark.django_db(transaction=True)
def test_a_named_lock_is_tried_and_released(other):
    other.execute("SELECT pg_advisory_lock(hashtext('a.job'))")
    with try_session_lock("a.job") as acquired:
        assert not acquired
    other.execute("SELECT pg_advisory_unlock(hashtext('a.job'))")
    with try_session_lock("a.job") as acquired:
        assert acquired
        [is_free_now] = other.execute("SELECT pg_try_advisory_lock(hashtext('a.job'))").fetchone()
        assert not is_free_now
    assert other.execute("SELECT pg_try_advisory_lock(hashtext('a.job'))").fetchone() == (True,)


def test_every_advisory_lock_is_taken_by_the_register():
    root = Path(__file__).resolve().parents[2]
    modules = [
        path
        for app in ("common", "analytics", "billing", "growth", "operational", "config")
        for path in (root / app).rglob("*.py")
        if re.search("pg_(try_)?advisory", path.read_text())
    ]
    assert modules == [root / "common" / "locks.py"]


def test_the_key_of_an_import_is_a_positive_bigint():
    assert import_key("f" * 64) == 2**60 - 1
    assert import_key("0" * 15 + "f" * 49) == 0
