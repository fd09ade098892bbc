"""What was captured reaches PostHog: in order, at least once, whatever PostHog does."""

from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from analytics.forwarding import outbox
from analytics.forwarding.forwarding import forward_backlog
from analytics.ingestion import ingest
from analytics.ingestion.inbox import Inbox
from analytics.models import Event, ForwardingBatch
from analytics.tasks import forward_to_posthog
from tests import processes, sdk
from tests.events import NOON, record
from tests.posthog_server import OK, answering, captured

pytestmark = pytest.mark.django_db(transaction=True)


def names(numbers):
    return [f"e{number}" for number in numbers]


def test_a_captured_event_arrives_as_it_was_sent(posthog):
    uuid = "0190aaaa-0000-7000-8000-000000000001"
    event = {"event": "paid", "distinct_id": "ada", "uuid": uuid, "timestamp": NOON.isoformat()}
    body = {"api_key": sdk.key(), "batch": [event | {"properties": {"plan": "pro", "é": [1.5]}}]}
    assert sdk.post("/batch/", body).status_code == 200
    Inbox().process_batch()
    assert forward_backlog() == 1
    (request,) = posthog.requests
    assert (request["path"], request["api_key"]) == ("/batch/", "phc_theirs")
    (arrived,) = posthog.events
    assert arrived.pop("timestamp") == "2024-05-01T12:00:00Z"
    properties = {"plan": "pro", "é": [1.5], "$ignore_sent_at": True}
    del event["timestamp"]
    assert arrived == event | {"properties": properties}


def test_events_arrive_in_the_order_of_ingestion(posthog, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_EVENTS", 4)
    events = [
        record(name, timestamp=NOON - timedelta(hours=n)) for n, name in enumerate(names(range(30)))
    ]
    captured(*events[:11], batch=3)
    captured(*events[11:], batch=19)
    forward_backlog()
    assert posthog.names == names(range(30))
    assert max(map(len, posthog.taken)) <= 4
    assert not ForwardingBatch.objects.exists()


def test_p02_a_retried_batch_is_forwarded_once(posthog):
    event = record()
    captured(event, event)
    forward_backlog()
    assert [UUID(arrived["uuid"]).bytes for arrived in posthog.events] == [event.uuid]


def test_imported_events_are_not_forwarded(posthog):
    ingest.store([record()])
    assert outbox.backlog().events == 0


def test_nothing_is_queued_while_forwarding_is_off(posthog, settings):
    settings.PLUMBLINE_FORWARDING = False
    captured(record())
    assert outbox.backlog().events == 0


def test_an_event_that_is_not_stored_is_not_forwarded_either(posthog):
    with transaction.atomic():
        captured(record())
        transaction.set_rollback(True)
    assert outbox.backlog().events == 0


@pytest.mark.parametrize(
    ("allowed", "denied", "arrives"),
    [
        ([], [], ["paid", "seen", "$identify"]),
        (["paid", "seen"], [], ["paid", "seen"]),
        ([], ["seen"], ["paid", "$identify"]),
        (["paid", "seen"], ["seen"], ["paid"]),
    ],
)
def test_lists_decide_which_events_are_forwarded(posthog, settings, allowed, denied, arrives):
    settings.PLUMBLINE_FORWARD_EVENTS = frozenset(allowed)
    settings.PLUMBLINE_FORWARD_EVENTS_EXCEPT = frozenset(denied)
    captured(record("paid"), record("seen"), record("$identify"), batch=3)
    forward_backlog()
    assert posthog.names == arrives


def test_a_request_stays_within_the_limits_of_posthog(posthog, monkeypatch):
    monkeypatch.setattr(outbox, "MAX_BYTES", 10_000)
    captured(*(record(properties={"text": "x" * 4_000}) for _ in range(7)), batch=7)
    captured(*(record(properties={"text": "x" * 4_000}) for _ in range(3)))
    forward_backlog()
    assert [len(batch) for batch in posthog.taken] == [2] * 5


def test_p25_concurrent_ingest_keeps_the_order_of_commits(posthog, monkeypatch):
    """Each child stores numbered events; what arrives is each one's numbers in their order."""
    children = [
        processes.fork(partial(captured, *map(record, numbered(child)), batch=3))
        for child in range(3)
    ]
    assert [processes.wait(pid) for pid in children] == [0, 0, 0]
    forward_backlog()
    for child in range(3):
        arrived = [name for name in posthog.names if name.startswith(f"{child}:")]
        assert arrived == numbered(child)


def numbered(child):
    return [f"{child}:{number:03}" for number in range(60)]


class TestTheCommand:
    def test_sends_waiting_events_without_the_pause(self, posthog, capsys):
        posthog.answer = answering(503)
        captured(record(), record())
        forward_to_posthog()
        posthog.answer = lambda _: OK
        call_command("forward_backlog")
        assert capsys.readouterr().out == "2 events forwarded.\n"

    def test_fails_with_the_error_of_posthog(self, posthog):
        posthog.answer = answering(503, b"down for\nmaintenance")
        captured(record())
        with pytest.raises(
            CommandError, match=r"responded with 503: down for maintenance.*waiting: 1 event\."
        ):
            call_command("forward_backlog")

    def test_says_that_forwarding_is_off(self, settings, capsys):
        settings.PLUMBLINE_FORWARDING = False
        call_command("forward_backlog")
        assert "Forwarding is off, and no events are waiting." in capsys.readouterr().out

    def test_fails_where_forwarding_is_off_and_events_wait(self, posthog, settings):
        captured(record())
        settings.PLUMBLINE_FORWARDING = False
        with pytest.raises(CommandError, match="waiting: 1 event"):
            call_command("forward_backlog")

    def test_discards_waiting_events(self, posthog, capsys):
        captured(record())
        call_command("forward_backlog", "--discard")
        assert "1 event will not be forwarded." in capsys.readouterr().out
        assert (outbox.backlog().events, Event.objects.count()) == (0, 1)
