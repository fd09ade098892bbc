"""Kill processes at random moments: nothing acknowledged is lost, nothing counts twice."""

import json
import random
import signal
import time
from datetime import timedelta

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
    """Send requests whose events carry the numbers from `first` on; return the next number."""
    for number in range(REQUESTS):
        batch = [
            {
                "event": random.choice(["signed_up", "used", "workflow_created"]),
                "distinct_id": f"p{random.randrange(200)}",
                "timestamp": (NOON + timedelta(hours=random.randrange(2_000))).isoformat(),
                "properties": {"n": first + number * EVENTS_PER_REQUEST + place},
            }
            for place in range(EVENTS_PER_REQUEST)
        ]
        answer = sdk.post("/batch/", {"api_key": sdk.key(), "batch": batch})
        assert answer.status_code == 200
    return first + REQUESTS * EVENTS_PER_REQUEST


def was_killed(exit_code):
    """Tell a killed process from one that came to its end; one that failed fails the test."""
    assert exit_code in {0, -signal.SIGKILL}
    return exit_code != 0


def test_killing_ingest_50_times_loses_nothing_and_counts_nothing_twice():
    sent = acknowledge_requests(0)
    kills = 0
    while kills < KILLS or InboxRequest.objects.exists():
        if not InboxRequest.objects.exists():  # a slow machine stores more between two kills
            sent = acknowledge_requests(sent)
        pid = fork(lambda: [Inbox(requests=4).process_batch() for _ in range(REQUESTS)])
        if kills < KILLS:
            time.sleep(random.uniform(0, 0.06))  # the moment is the point of the test
            kills += was_killed(kill(pid))
        else:
            assert wait(pid) == 0
    numbers = sorted(event.properties["n"] for event in Event.objects.all())
    assert numbers == list(range(sent))
    assert rebuild.check() == []


def test_killing_an_import_again_and_again_still_imports_each_line_once(tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "LINES_PER_TRANSACTION", 50)
    lines = [
        {"event": "used", "distinct_id": f"p{n % 97}", "timestamp": 1_700_000_000 + n * 1_000}
        for n in range(8_000)
    ]
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    kills = 0
    while not ImportRun.objects.exclude(finished_at=None).exists():
        pid = fork(lambda: importing.import_file(file, file_format="jsonl"))
        time.sleep(random.uniform(0, 0.2) if kills < 10 else 0)
        kills += was_killed(kill(pid) if kills < 10 else wait(pid))
    run = ImportRun.objects.get()
    assert (kills, run.lines, run.stored, run.duplicates) == (10, 8_000, 8_000, 0)
    assert (Event.objects.count(), rebuild.check()) == (8_000, [])


def test_two_imports_of_the_same_persons_at_the_same_time_give_what_one_gives(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(importing, "LINES_PER_TRANSACTION", 100)
    store([record(distinct_id=f"p{number}") for number in range(40)])  # nobody waits for a new id
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
        halves.append(fork(lambda half=half: importing.import_file(half, file_format="jsonl")))
    assert [wait(pid) for pid in halves] == [0, 0]
    assert Event.objects.count() == 40 + len(set(lines))
    call_command("rebuild_rollups", "--check")
