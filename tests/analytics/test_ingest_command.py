"""The ingest process outlives what the database does to it."""

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from analytics.inbox import Inbox
from analytics.management.commands import ingest
from analytics.models import Event
from tests import sdk

pytestmark = pytest.mark.django_db(transaction=True)

TROUBLES = [
    psycopg.errors.DeadlockDetected("deadlock detected"),
    psycopg.errors.AdminShutdown("terminating connection"),
    psycopg.OperationalError("server closed the connection"),
    psycopg.InterfaceError("the connection is closed"),
]


@pytest.fixture
def acknowledged(monkeypatch):
    monkeypatch.setattr(ingest, "RETRY_SECONDS", 0)
    event = {"event": "used", "distinct_id": "ada"}
    sdk.post("/batch/", {"api_key": sdk.key(), "batch": [event]})


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: type(trouble).__name__)
def test_ingest_tries_again_after_an_error_of_the_database(acknowledged, monkeypatch, trouble):
    troubles, process_batch = [trouble], Inbox.process_batch

    def troubled(inbox):
        if troubles:
            raise troubles.pop()
        return process_batch(inbox)

    monkeypatch.setattr(Inbox, "process_batch", troubled)
    call_command("ingest", once=True)
    assert Event.objects.count() == 1


def test_ingest_goes_on_after_its_connection_was_cut(acknowledged, monkeypatch):
    cuts, process_batch = [_cut_connection], Inbox.process_batch

    def cut_once(inbox):
        if cuts:
            cuts.pop()()
        return process_batch(inbox)

    monkeypatch.setattr(Inbox, "process_batch", cut_once)
    call_command("ingest", once=True)
    assert Event.objects.count() == 1


def _cut_connection():
    connection.ensure_connection()
    with psycopg.connect(connection.connection.info.dsn, password=_password()) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


def _password():
    return connection.settings_dict["PASSWORD"]
