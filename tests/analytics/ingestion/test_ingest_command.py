"""The ingest process outlives what the database does to it."""

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from analytics.ingestion.inbox import Inbox
from analytics.management.commands import ingest
from analytics.models import Event
from tests import sdk

pytestmark = pytest.mark.django_db(transaction=True)

EVENT = {"event": "used", "distinct_id": "ada"}
TROUBLES = [
    psycopg.errors.DeadlockDetected("deadlock detected"),
    psycopg.errors.AdminShutdown("terminating connection"),
    psycopg.OperationalError("server closed the connection"),
    psycopg.InterfaceError("the connection is closed"),
]


@pytest.fixture
def acknowledged(monkeypatch):
    monkeypatch.setattr(ingest, "RETRY_SECONDS", 0)
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": [EVENT]})


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: type(trouble).__name__)
def test_ingest_retries_after_an_error_of_the_database(acknowledged, monkeypatch, trouble):
    troubles, process_batch = [trouble], Inbox.process_batch

    def troubled(inbox):
        if troubles:
            raise troubles.pop()
        return process_batch(inbox)

    monkeypatch.setattr(Inbox, "process_batch", troubled)
    call_command("ingest", once=True)
    assert Event.objects.count() == 1


def test_ingest_continues_after_its_connection_was_cut(acknowledged, monkeypatch):
    cuts, process_batch = [_cut_connection], Inbox.process_batch

    def cut_once(inbox):
        if cuts:
            cuts.pop()()
        return process_batch(inbox)

    monkeypatch.setattr(Inbox, "process_batch", cut_once)
    call_command("ingest", once=True)
    assert Event.objects.count() == 1


def _cut_connection():
    with _other_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


def _other_connection():
    connection.ensure_connection()
    password = connection.settings_dict["PASSWORD"]
    return psycopg.connect(connection.connection.info.dsn, password=password)


def test_the_end_of_a_backlog_is_shared_with_other_processes(monkeypatch):
    monkeypatch.setattr("analytics.ingestion.inbox.WORTH_SHARING", 2)
    for _ in range(4):
        sdk.post("/batch/", {"api_key": sdk.key(), "batch": [EVENT]})
    with transaction.atomic(), _other_connection() as other:
        assert Inbox().process_batch() == 2
        others = other.execute("SELECT FROM analytics_inboxrequest FOR UPDATE SKIP LOCKED")
        assert others.rowcount == 2
    assert Inbox().process_batch() == 2  # so few are not worth it
