"""What happens to posthog-python's events when Plumbline is down, overloaded or refuses."""

import time
from contextlib import contextmanager
from types import SimpleNamespace

import psycopg
import pytest
from django.db import connection

from analytics.ingestion import inbox
from analytics.models import Event, EventOutcome, ProjectKey
from tests import sdk
from tests.ledger import totals
from tests.processes import wait_until
from tests.sdks import servers
from tests.sdks.servers import LOST
from tests.sdks.test_python import posthog

EVENTS = list(range(100))  # as many as make a batch


class Pauses(list):
    """The library's pauses, in seconds, before retries; skipped unless `during` waits."""

    def during(self, seconds):
        """Called in place of each pause."""

    def sleep(self, seconds):
        self.append(seconds)
        self.during(seconds)


@pytest.fixture
def pauses(monkeypatch):
    pauses = Pauses()
    monkeypatch.setattr("posthog.capture_v1.time", SimpleNamespace(sleep=pauses.sleep))
    return pauses


@pytest.fixture(params=["v0", "v1"])
def mode(request):
    return request.param


def capture(client):
    for number in EVENTS:
        client.capture("used", distinct_id="ada", properties={"n": number})


def stored():
    return sorted(event.properties["n"] for event in Event.objects.filter(event="used"))


@contextmanager
def database_down():
    """Refuse all connections to the test database except this process's."""
    address = {name: connection.settings_dict[name.upper()] for name in ("host", "port", "user")}
    name = connection.settings_dict["NAME"]
    with psycopg.connect(
        **address, password=connection.settings_dict["PASSWORD"], dbname="postgres", autocommit=True
    ) as outside:
        outside.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            outside.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> %s",
                [name, connection.connection.info.backend_pid],
            )
            yield
        finally:
            outside.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@pytest.mark.parametrize("status", [503, 429])
def test_refused_events_are_resent_after_the_requested_pause(proxy, mode, pauses, status):
    proxy.faults.extend([status, status])
    with posthog(proxy.url, capture_mode=mode) as client:
        capture(client)
    assert (stored(), pauses, totals()[EventOutcome.DUPLICATE]) == (EVENTS, [2, 2], 0)


def test_p02_a_batch_resent_because_its_response_was_lost_counts_once(proxy, mode, pauses):
    proxy.faults.extend([LOST, LOST])
    with posthog(proxy.url, capture_mode=mode) as client:
        capture(client)
    assert (stored(), totals()[EventOutcome.DUPLICATE]) == (EVENTS, 2 * len(EVENTS))


def test_events_wait_for_a_server_that_is_down(proxy, mode, pauses):
    proxy.stop()
    pauses.during = lambda _: proxy.start()
    with posthog(proxy.url, capture_mode=mode) as client:
        capture(client)
    assert (stored(), pauses) == (EVENTS, [1])


def test_a_413_is_reported_and_not_retried(proxy, mode, pauses):
    proxy.faults.append(413)
    statuses = []
    on_error = lambda error, _: statuses.append(error.status)  # noqa: E731
    with posthog(proxy.url, capture_mode=mode, on_error=on_error) as client:
        capture(client)
    assert (statuses, pauses, stored()) == ([413], [], [])


def test_events_beyond_the_rate_limit_of_the_key_arrive_later(server, key, mode, pauses):
    ProjectKey.objects.update(rate_limit=20)
    pauses.during = time.sleep
    # Ten batches at two a second: even a very busy machine sends them within five seconds.
    with posthog(server, capture_mode=mode, flush_at=10, max_retries=10) as client:
        capture(client)
    assert stored() == EVENTS
    assert totals()[EventOutcome.LIMITED] >= 10


def test_events_beyond_the_inbox_limit_arrive_once_there_is_room(key, mode, pauses):
    sdk.post("/batch/", {"api_key": key, "event": "waits", "distinct_id": "ben"})
    pauses.during = lambda _: time.sleep(0.3)
    with (
        servers.web(PLUMBLINE_INBOX_LIMIT="0") as server,
        posthog(server, capture_mode=mode, max_retries=50) as client,
    ):
        capture(client)
        wait_until(lambda: pauses)
        sdk.ingest()
    assert (stored(), pauses[0]) == (EVENTS, 10)


def test_events_wait_for_a_database_that_is_down(server, key, mode, pauses):
    with posthog(server, capture_mode=mode, max_retries=10) as client:
        with database_down():
            capture(client)
            wait_until(lambda: pauses)
        assert inbox.depth() == 0
    assert (stored(), pauses[0]) == (EVENTS, 10)
