"""Processes are killed at random: no acknowledged event is lost or counted twice."""

import json
import random
import signal
import time
from datetime import timedelta
from functools import partial

import pytest
from django.core.management import call_command

from analytics.ingestion import importing
from analytics.ingestion.inbox import Inbox
from analytics.ingestion.ingest import store
from analytics.models import Event, ImportRun, InboxRequest
from analytics.rollups import rebuild
from tests import sdk
from tests.events import NOON, record
from tests.processes import fork, kill, wait

pytestmark = pytest.mark.django_db(transaction=True)

KILLS = 50
REQUESTS = 600
EVENTS_PER_REQUEST = 5


def acknowledge_requests(first):
    """Send requests whose events are numbered from `first`; return the next number."""
    for number in range(REQUESTS):
        batch = [
            {
                "event": random.choice(["signed_up", "used", "workflow_created"]),
                "distinct_id": f"p{random.randrange(200)}",
                "timestamp": (NOON + timedelta(hours=random.randrange(2_000))).isoformat(),
                "properties": {"n": first + number * EVENTS_PER_REQUEST + index},
            }
            for index in range(EVENTS_PER_REQUEST)
        ]
        answer = sdk.post("/batch/", {"api_key": sdk.key(), "batch": batch})
        assert answer.status_code == 200
    return first + REQUESTS * EVENTS_PER_REQUEST


def was_killed(exit_code):
    """Distinguish a killed process from a finished one; a failed one fails the test."""
    assert exit_code in {0, -signal.SIGKILL}
    return exit_code != 0


def test_ingest_killed_50_times_loses_nothing_and_counts_nothing_twice():
    sent = acknowledge_requests(0)
    kills = 0
    while kills < KILLS or InboxRequest.objects.exists():
        if not InboxRequest.objects.exists():  # a slow machine stores more between kills
            sent = acknowledge_requests(sent)
        pid = fork(lambda: [Inbox(requests=4).process_batch() for _ in range(REQUESTS)])
        if kills < KILLS:
            time.sleep(random.uniform(0, 0.06))  # the moment of the kill matters
            kills += was_killed(kill(pid))
        else:
            assert wait(pid) == 0
    numbers = sorted(event.properties["n"] for event in Event.objects.all())
    assert numbers == list(range(sent))
    assert rebuild.check() == []


def test_an_import_killed_ten_times_imports_each_line_once(tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "LINES_PER_TRANSACTION", 50)
    lines = [
        {"event": "used", "distinct_id": f"p{n % 97}", "timestamp": 1_700_000_000 + n * 1_000}
        for n in range(8_000)
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    kills = 0
    while not ImportRun.objects.exclude(finished_at=None).exists():
        pid = fork(lambda: importing.import_file(file))
        time.sleep(random.uniform(0, 0.2) if kills < 10 else 0)
        kills += was_killed(kill(pid) if kills < 10 else wait(pid))
    run = ImportRun.objects.get()
    assert (kills, run.lines, run.stored, run.duplicates) == (10, 8_000, 8_000, 0)
    assert (Event.objects.count(), rebuild.check()) == (8_000, [])


def test_two_concurrent_imports_of_the_same_persons_equal_a_single_import(tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "LINES_PER_TRANSACTION", 100)
    store([record(distinct_id=f"p{number}") for number in range(40)])  # none waits for a new id
    lines = [
        json.dumps(
            {
                "event": random.choice(["signed_up", "used", "workflow_created"]),
                "distinct_id": f"p{random.randrange(40)}",
                "timestamp": 1_400_000_000 + random.randrange(300_000_000),  # ten years of months
            }
        )
        for _ in range(6_000)
    ]
    halves = []
    for number in range(2):
        half = tmp_path / f"{number}.jsonl"
        half.write_text("\n".join(lines[number::2]))
        halves.append(fork(partial(importing.import_file, half)))
    assert [wait(pid) for pid in halves] == [0, 0]
    assert Event.objects.count() == 40 + len(set(lines))
    call_command("rebuild_rollups", "--check")
