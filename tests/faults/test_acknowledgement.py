"""Nothing is acknowledged without a commit."""

import asyncio
from queue import SimpleQueue
from threading import Event as Signal
from threading import Thread
from typing import cast

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.base import DatabaseWrapper

from analytics.capture import capture
from analytics.ingestion.inbox import Inbox
from analytics.models import Event, InboxRequest, RejectedEvent
from tests import sdk

pytestmark = pytest.mark.django_db(transaction=True)

EVENT = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}
V1 = "/i/v1/analytics/events"


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def failing():
    """Return a function that makes inserts into a table fail, immediately or at the commit."""
    tables = []

    def fail(table, sqlstate, *, at_commit=False):
        kind, when = ("CONSTRAINT", "AFTER") if at_commit else ("", "BEFORE")
        deferred = "DEFERRABLE INITIALLY DEFERRED" if at_commit else ""
        execute(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END $$",
            f"CREATE {kind} TRIGGER refuse {when} INSERT ON {table} {deferred}"
            " FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        tables.append(table)

    yield fail
    repair(*tables)


def repair(*tables):
    execute(*(f"DROP TRIGGER IF EXISTS refuse ON {table}" for table in tables))


def send(path="/batch/", **query):
    headers = {"HTTP_AUTHORIZATION": f"Bearer {sdk.key()}", "HTTP_POSTHOG_REQUEST_ID": "r1"}
    body = {"api_key": sdk.key(), "batch": [EVENT]}
    return sdk.post(path, body, **query, **headers if path == V1 else {})


SQLSTATES = {
    "disk full": "53100",
    "out of memory": "53200",
    "too many connections": "53300",
    "shutting down": "57P01",
    "statement canceled": "57014",
    "serialization": "40001",
    "internal": "XX000",
    "data": "22021",
}


@pytest.mark.parametrize("sqlstate", SQLSTATES.values(), ids=SQLSTATES)
@pytest.mark.parametrize("path", ["/batch/", V1])
def test_a_failed_insert_is_a_503_with_retry_after(failing, path, sqlstate):
    failing("analytics_inboxrequest", sqlstate)
    answer = send(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert not InboxRequest.objects.exists()


@pytest.mark.parametrize("path", ["/batch/", V1])
def test_a_failed_commit_is_a_503(failing, path):
    failing("analytics_inboxrequest", "53100", at_commit=True)
    assert send(path).status_code == 503
    assert not InboxRequest.objects.exists()


def test_a_failed_beacon_is_a_503_and_not_a_204(failing):
    failing("analytics_inboxrequest", "53100")
    assert send("/e/", QUERY_STRING="beacon=1").status_code == 503


def test_invalid_events_that_cannot_be_stored_are_a_503_and_not_a_400(failing):
    failing("analytics_rejectedevent", "53100")
    answer = sdk.post("/batch/", {"api_key": sdk.key(), "batch": [{"event": "used"}]})
    assert answer.status_code == 503
    assert not RejectedEvent.objects.exists()


def test_the_request_is_accepted_once_there_is_room_again_and_counts_once(failing):
    failing("analytics_inboxrequest", "53100")
    first = send().status_code
    repair("analytics_inboxrequest")
    assert (first, send().status_code, send().status_code) == (503, 200, 200)
    Inbox().process_batch()
    assert Event.objects.count() == 1


def test_a_read_only_database_is_a_503():
    name = connection.settings_dict["NAME"]
    key = sdk.key()
    execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    connection.close()
    try:
        answer = sdk.post("/batch/", {"api_key": key, "batch": [EVENT]})
    finally:
        connection.close()
        execute(
            "SET default_transaction_read_only = off",
            f'ALTER DATABASE "{name}" RESET default_transaction_read_only',
        )
    assert (answer.status_code, InboxRequest.objects.exists()) == (503, False)


def test_a_database_that_is_down_is_a_503_until_it_is_back(monkeypatch):
    key = sdk.key()
    connection.close()
    with monkeypatch.context() as down:
        down.setitem(connection.settings_dict, "PORT", "1")
        answer = sdk.post("/batch/", {"api_key": key, "batch": [EVENT]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert sdk.post("/batch/", {"api_key": key, "batch": [EVENT]}).status_code == 200


def test_a_connection_closed_by_the_server_causes_no_503():
    request = {"api_key": sdk.key(), "batch": [EVENT]}
    answers = [sdk.post("/batch/", request)]
    terminate_others = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    execute(terminate_others)
    answers += [sdk.post("/batch/", request) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert InboxRequest.objects.count() == 3


def test_idle_threads_hold_no_connection_that_other_threads_need(monkeypatch):
    request = {"api_key": sdk.key(), "batch": [EVENT]}
    connection.close()
    pool = {"min_size": 1, "max_size": 2, "timeout": 1}
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pool", pool)
    answers: SimpleQueue[int] = SimpleQueue()
    finished = Signal()

    def post_and_stay():
        capture.project_keys.forget()
        answers.put(sdk.post("/batch/", request).status_code)
        finished.wait()

    threads = [Thread(target=post_and_stay) for _ in range(4)]
    try:
        for thread in threads:
            thread.start()
        assert [answers.get(timeout=10) for _ in threads] == [200] * 4
    finally:
        finished.set()
        for thread in threads:
            thread.join()
        capture.requests.close()
        cast("DatabaseWrapper", connection).close_pool()


def test_in_an_event_loop_a_request_is_rolled_back_with_its_transaction():
    request = {"api_key": sdk.key(), "batch": [EVENT]}

    async def accept_and_roll_back():
        with transaction.atomic():
            sdk.post("/batch/", request)
            transaction.set_rollback(True)
        connection.close()

    def accept_then_accept_in_a_loop():
        sdk.post("/batch/", request)
        asyncio.run(accept_and_roll_back())
        connection.close()

    thread = Thread(target=accept_then_accept_in_a_loop)
    thread.start()
    thread.join()
    assert InboxRequest.objects.count() == 1


def test_a_request_that_ingest_cannot_store_stays_in_the_inbox(failing):
    failing("analytics_event", "53100")
    send()
    with pytest.raises(Exception, match="no"):
        Inbox().process_batch()
    assert (InboxRequest.objects.count(), Event.objects.count()) == (1, 0)
    repair("analytics_event")
    Inbox().process_batch()
    assert (InboxRequest.objects.count(), Event.objects.count()) == (0, 1)
