"""Rows of several threads in one commit."""

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime

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
    return group.insert([bigint(1), NOW, body])


@contextmanager
def while_a_commit_takes_long(group):
    """Hold the commit of a row, `first`, until the block ends."""
    with transaction.atomic(), connection.cursor() as cursor, ThreadPoolExecutor() as threads:
        cursor.execute(f"LOCK TABLE {group._table} IN SHARE MODE")
        first = threads.submit(insert, group, b"first").result()  # outside this transaction
        wait_until(lambda: cursor.execute(WAITING, [group._table]).rowcount)
        rows = []

        def start(body):
            rows.append(threads.submit(insert, group, body).result())
            return rows[-1]

        yield start
    wait([first, *rows], timeout=10)


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
    insert(group, b"larger").result(10)
    assert commits() == [[b"larger"]]


def test_a_single_row_is_committed_alone(group):
    for body in (b"a", b"b"):
        insert(group, body).result(10)
    assert commits() == [[b"a"], [b"b"]]


def test_a_failed_commit_fails_for_all_rows_that_share_it_and_the_next_succeeds(group):
    rows = []
    with while_a_commit_takes_long(group) as start:
        rows += [start(b"a"), start(None)]
    assert [type(row.exception(10)) for row in rows] == 2 * [psycopg.errors.NotNullViolation]
    insert(group, b"later").result(10)
    assert commits() == [[b"first"], [b"later"]]


def test_a_row_within_a_transaction_is_inserted_alone(group):
    with while_a_commit_takes_long(group):
        assert insert(group, b"a").done()
        transaction.set_rollback(True)
    assert commits() == [[b"first"]]


def test_the_rows_that_wait_are_committed_before_the_end(group):
    rows = [insert(group, body) for body in (b"a", b"b")]
    group.close()
    assert all(row.done() for row in rows)


def test_a_row_after_the_end_has_a_new_connection(group):
    for body in (b"a", b"b"):
        insert(group, body).result(10)
        group.close()
    assert commits() == [[b"a"], [b"b"]]
