"""Rows of several threads in one commit."""

from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Thread

import psycopg
import pytest
from django.db import connection, transaction

from analytics.capture import group_commit
from analytics.capture.group_commit import GroupCommit
from analytics.models import InboxRequest
from common.postgres import bigint, timestamptz
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

COLUMNS = {"project_key_id": "bigint", "received_at": "timestamptz", "body": "bytea"}
WAITING = """
SELECT FROM pg_locks JOIN pg_database AS here ON here.oid = database
WHERE datname = current_database() AND relation = %s::regclass AND NOT granted
"""
NOW = timestamptz(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def group():
    group = GroupCommit(InboxRequest._meta.db_table, COLUMNS)
    yield group
    group.close()


def insert(group, body):
    group.insert([bigint(1), NOW, body])


def in_thread(work, *arguments):
    def work_and_close():
        try:
            work(*arguments)
        finally:
            connection.close()

    thread = Thread(target=work_and_close, daemon=True)  # one that hangs ends with the tests
    thread.start()
    return thread


@contextmanager
def while_a_commit_takes_long(group):
    """Hold the insert of a row, `first`, until the block ends and its threads are done."""
    threads = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {group._table} IN SHARE MODE")
        threads.append(in_thread(insert, group, b"first"))
        wait_until(lambda: cursor.execute(WAITING, [group._table]).rowcount)
        yield lambda body, then=insert: threads.append(in_thread(then, group, body))
        wait_until(lambda: len(group._waiting) == len(threads) - 1)
    for thread in threads:
        thread.join(10)


def commits():
    """Return the bodies that were committed together."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(body ORDER BY body) AS bodies FROM analytics_inboxrequest"
            " GROUP BY xmin::text ORDER BY bodies"
        )
        return [[bytes(body) for body in bodies] for (bodies,) in cursor.fetchall()]


def test_rows_that_arrive_during_a_commit_share_the_next_commit(group):
    with while_a_commit_takes_long(group) as start:
        for body in (b"a", b"b", b"c"):
            start(body)
    assert commits() == [[b"a", b"b", b"c"], [b"first"]]


@pytest.mark.parametrize(("limit", "value"), [("MOST_ROWS", 2), ("MOST_BYTES", 40)])
def test_a_commit_is_shared_up_to_a_limit(group, monkeypatch, limit, value):
    monkeypatch.setattr(group_commit, limit, value)
    with while_a_commit_takes_long(group) as start:
        for body in (b"a", b"b", b"c"):  # with 16 bytes of other values each
            start(body)
    assert sorted(map(len, commits())) == [1, 1, 2]


def test_a_row_beyond_the_size_of_a_commit_has_its_own_commit(group, monkeypatch):
    monkeypatch.setattr(group_commit, "MOST_BYTES", 20)
    insert(group, b"larger")
    assert commits() == [[b"larger"]]


def test_a_single_row_is_committed_alone(group):
    for body in (b"a", b"b"):
        insert(group, body)
    assert commits() == [[b"a"], [b"b"]]


def test_a_failed_commit_fails_for_all_rows_that_share_it_and_the_next_succeeds(group):
    failed = []

    def fail(group, body):
        with pytest.raises(psycopg.errors.NotNullViolation):
            insert(group, body)
        failed.append(body)

    with while_a_commit_takes_long(group) as start:
        start(b"a", fail)
        start(None, fail)
    insert(group, b"later")
    assert sorted(failed, key=str) == [None, b"a"]
    assert commits() == [[b"first"], [b"later"]]


def test_a_row_within_a_transaction_is_inserted_alone(group):
    def insert_and_roll_back():
        with transaction.atomic():
            insert(group, b"a")
            transaction.set_rollback(True)

    group._is_busy = True  # as while another thread commits
    thread = in_thread(insert_and_roll_back)
    thread.join(10)
    assert (thread.is_alive(), commits()) == (False, [])
