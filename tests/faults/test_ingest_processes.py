"""Ingest processes: prompt when idle, in parallel, back after a database outage."""

import os
import signal
import time
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connection

from analytics.management.commands import ingest
from analytics.models import Event, InboxRequest
from analytics.rollups import rebuild
from tests import sdk
from tests.processes import fork, wait

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 60  # seconds, for what takes less than a second on an idle machine


@contextmanager
def ingesting():
    """Run `manage.py ingest` during the block; it must exit with 0."""
    pid = fork(lambda: call_command("ingest"))
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGTERM)
        assert wait(pid) == 0


def send(number=0):
    body = {
        "api_key": sdk.key(),
        "event": "used",
        "distinct_id": "ada",
        "properties": {"n": number},
    }
    assert sdk.post("/batch/", body).status_code == 200


def until(is_true):
    """Wait for a condition; return the seconds it took."""
    start = time.monotonic()
    while not is_true():
        assert time.monotonic() - start < PATIENCE
        time.sleep(0.01)
    return time.monotonic() - start


def stored(number):
    return lambda: Event.objects.count() == number


def test_an_event_is_stored_soon_after_an_idle_period():
    with ingesting():
        send(1)
        until(stored(1))
        send(2)
        assert until(stored(2)) < 2


def test_ingest_continues_after_the_database_closed_its_connections(monkeypatch):
    monkeypatch.setattr(ingest, "RETRY_SECONDS", 0.1)
    with ingesting():
        send(1)
        until(stored(1))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.rowcount > 0
        send(2)
        until(stored(2))


def test_parallel_processes_store_each_event_once():
    for number in range(300):
        send(number)
    pids = [fork(lambda: call_command("ingest", once=True)) for _ in range(3)]
    assert [wait(pid) for pid in pids] == [0, 0, 0]
    assert not InboxRequest.objects.exists()
    assert sorted(event.properties["n"] for event in Event.objects.all()) == list(range(300))
    assert rebuild.check() == []


class TestProgress:
    @pytest.fixture
    def clock(self, monkeypatch):
        now = [100.0]
        monkeypatch.setattr(ingest, "monotonic", lambda: now[0])
        return now

    def test_a_line_a_second_at_most(self, clock, caplog):
        progress = ingest.Progress()
        for _ in range(21):
            progress.add(1_000)
            clock[0] += 0.25
        assert len(caplog.messages) == 6
        assert caplog.messages[-1] == "4,000 events stored (4,000/s), 0 requests waiting"

    def test_nothing_while_there_is_no_work(self, clock, caplog):
        progress = ingest.Progress()
        for _ in range(50):
            progress.add(0)
            clock[0] += 0.2
        assert caplog.messages == []

    def test_the_rest_once_it_is_idle_again(self, clock, caplog):
        progress = ingest.Progress()
        for events in (5, 7, 0, 0, 0, 0, 0):
            progress.add(events)
            clock[0] += 0.25
        assert [message.split(" stored")[0] for message in caplog.messages] == [
            "5 events",
            "7 events",
        ]
