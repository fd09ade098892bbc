"""PostHog is down, slow, wrong or picky, and Plumbline is killed: nothing is lost."""

import os
import signal
import socket
from datetime import timedelta
from threading import Event as Signal

import pytest
from django.db import connection

from analytics.forwarding import forwarding, outbox
from analytics.forwarding.forwarding import NotForwarded, forward_backlog, forward_due
from analytics.forwarding.outbox import state
from analytics.ingestion.inbox import Inbox
from analytics.models import RejectedEvent
from analytics.tasks import forward_to_posthog
from common.locks import Locked
from tests import processes, sdk
from tests.events import NOON, record
from tests.posthog_server import OK, answering, captured, refusing

pytestmark = pytest.mark.django_db(transaction=True)


def names(numbers):
    return [f"e{number}" for number in numbers]


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503])
def test_a_response_unrelated_to_the_events_keeps_them(posthog, status):
    posthog.answer = answering(status)
    captured(record())
    with pytest.raises(NotForwarded, match=f"responded with {status}"):
        forward_backlog()
    assert (outbox.backlog().events, RejectedEvent.objects.count()) == (1, 0)
    posthog.answer = answering(200, b"{}")
    assert forward_backlog() == 1
    assert (state().failures, state().last_error, state().next_attempt_at) == (0, "", None)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answering(301, Location="/elsewhere/"), "redirects"),
        (answering(200, b"<html>log in"), "not as PostHog does"),
        (answering(200, b'{"status":1,"quota_limited":["events"]}'), "quota"),
        (answering(204, b""), "responded with 204"),
    ],
)
def test_an_answer_that_only_looks_like_success_keeps_the_events(posthog, answer, error):
    posthog.answer = answer
    captured(record())
    with pytest.raises(NotForwarded, match=error):
        forward_backlog()
    assert outbox.backlog().events == 1


def test_a_dead_posthog_keeps_the_events(posthog, settings):
    with socket.socket() as closed:  # bound, but not listening
        closed.bind(("127.0.0.1", 0))
        settings.POSTHOG_HOST = f"http://127.0.0.1:{closed.getsockname()[1]}"
        captured(record())
        with pytest.raises(NotForwarded, match="is not responding: There is no connection"):
            forward_backlog()
    assert outbox.backlog().events == 1


def test_a_slow_posthog_keeps_the_events_and_capture_continues(posthog, monkeypatch):
    monkeypatch.setattr(forwarding, "TIMEOUT", 1)
    timed_out, stored = Signal(), Signal()
    body = {"api_key": sdk.key(), "event": "meanwhile", "distinct_id": "ada"}

    def slow(_):
        assert sdk.post("/capture/", body).status_code == 200
        Inbox().process_batch()
        connection.close()
        stored.set()
        timed_out.wait(30)
        return OK

    posthog.answer = slow
    captured(record())
    with pytest.raises(NotForwarded, match="is not responding: There was no complete response"):
        forward_backlog()
    timed_out.set()
    assert (stored.wait(30), outbox.backlog().events) == (True, 2)


def test_pauses_grow_to_a_quarter_of_an_hour():
    pauses = [forwarding.pause(failures, None).total_seconds() for failures in (1, 2, 5, 6, 9_999)]
    assert pauses == [30, 60, 480, 900, 900]


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [(5, 30), (3_600, 3_600), (float("inf"), 86_400), (float("nan"), 30), (-1, 30)],
)
def test_a_pause_is_as_long_as_posthog_requests(retry_after, seconds):
    assert forwarding.pause(1, retry_after).total_seconds() == seconds


def test_the_job_waits_for_retry_after(posthog, time_machine):
    time_machine.move_to(NOON, tick=False)
    posthog.answer = answering(503, Retry_After="120")
    captured(record())
    forward_to_posthog()
    assert state().next_attempt_at == NOON + timedelta(seconds=120)
    posthog.answer = lambda _: OK
    forward_due(now=NOON + timedelta(seconds=119))
    assert posthog.taken == []
    forward_due(now=NOON + timedelta(seconds=120))
    assert len(posthog.taken) == 1


def test_failures_are_counted_since_the_first(posthog, time_machine):
    posthog.answer = answering(503)
    captured(record())
    for minute in range(3):
        time_machine.move_to(NOON + timedelta(hours=minute), tick=False)
        forward_to_posthog()
    assert (state().failures, state().failing_since) == (3, NOON)
    assert state().next_attempt_at == NOON + timedelta(hours=2, minutes=2)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_p01_events_that_posthog_refuses_are_rejected_and_the_others_forwarded(posthog, status):
    posthog.answer = refusing("e3", "e12", status=status)
    captured(*map(record, names(range(20))), batch=20)
    assert forward_backlog() == 20
    assert posthog.names == names(sorted(set(range(20)) - {3, 12}))
    refused = RejectedEvent.objects.order_by("pk")
    assert [(event.reason, '"e3"' in bytes(event.payload).decode()) for event in refused] == [
        ("forwarding_refused", True),
        ("forwarding_refused", False),
    ]
    assert f"responded with {status}: bad event" in refused[0].detail
    assert (outbox.backlog().events, state().forwarded) == (0, 18)


def test_p01_a_single_bad_event_does_not_block_those_behind_it(posthog):
    posthog.answer = refusing("bad")
    captured(record("good"))
    forward_backlog()
    captured(record("bad"))
    forward_backlog()
    assert (outbox.backlog().events, RejectedEvent.objects.count()) == (0, 1)


def test_a_server_that_refuses_everything_from_the_start_is_not_posthog(posthog):
    posthog.answer = answering(400)
    captured(*map(record, names(range(3))), batch=3)
    with pytest.raises(NotForwarded, match="responded with 400"):
        forward_backlog()
    assert (outbox.backlog().events, RejectedEvent.objects.count()) == (3, 0)


def test_a_number_that_python_cannot_read_does_not_block_those_behind_it(posthog):
    digits = b"9" * 5_000
    poison = record("bad")
    poison = type(poison)(poison.uuid, "bad", "ada", NOON, b'{"n":' + digits + b"}")
    captured(record("good"), poison, record("also good"), batch=3)
    forward_backlog()
    assert posthog.names == ["good", "also good"]
    assert RejectedEvent.objects.get().reason == "forwarding_refused"


def test_p25_a_kill_between_sending_and_recording_sends_the_same_events_again(posthog):
    captured(*map(record, names(range(5))), batch=5)
    started = Signal()
    pids: list[int] = []

    def kill_the_sender(_):
        started.wait(30)
        posthog.answer = lambda _: OK
        os.kill(pids[0], signal.SIGKILL)
        return OK

    posthog.answer = kill_the_sender
    pids.append(processes.fork(forward_backlog))
    started.set()
    assert processes.wait(pids[0]) == -signal.SIGKILL
    assert forward_backlog() == 5
    first, again = posthog.taken
    assert [event["uuid"] for event in first] == [event["uuid"] for event in again]


def test_p26_two_processes_do_not_forward_at_the_same_time(posthog):
    captured(record())
    received, answered = Signal(), Signal()

    def slow(_):
        received.set()
        answered.wait(30)
        return OK

    posthog.answer = slow
    first = processes.fork(forward_backlog)
    assert received.wait(30)
    with pytest.raises(Locked):
        forward_backlog(patience=1)
    forward_to_posthog()  # leaves it to the other process
    answered.set()
    assert (processes.wait(first), len(posthog.requests), state().failures) == (0, 1, 0)
