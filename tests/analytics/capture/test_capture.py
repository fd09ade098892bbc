"""The capture endpoints, up to the inbox and from there to events."""

import gzip
import json
import re

import pytest
from django.core.management import call_command
from django.db import connection

from analytics.capture.capture import ensure_default_project_key
from analytics.ingestion import inbox
from analytics.ingestion.inbox import Inbox
from analytics.models import Event, RejectedEvent
from tests import sdk

pytestmark = pytest.mark.django_db

EVENT = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}


@pytest.fixture
def key():
    return ensure_default_project_key()


def test_ingest_turns_an_accepted_request_into_events(key):
    sdk.post(
        "/batch/", gzip.compress(json.dumps({"api_key": key.token, "batch": [EVENT]}).encode())
    )
    assert (Inbox().process_batch(), inbox.depth()) == (1, 0)
    assert Event.objects.get().event == "used"


def test_requests_are_claimed_without_a_join_that_outdated_statistics_could_make_slow():
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {inbox._TAKE}", [list(range(1, 1_000))])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Delete on analytics_inboxrequest" in plan
    assert not re.search("Join|Nested Loop", plan)


def test_p01_the_bad_events_of_a_batch_are_kept_with_their_reason(key):
    sdk.post("/batch/", {"api_key": key.token, "batch": [EVENT, {"event": "x"}]})
    Inbox().process_batch()
    rejected = RejectedEvent.objects.get()
    assert (rejected.detail, rejected.project_key) == ("distinct_id: missing", key)
    assert bytes(rejected.payload) == b'{"event": "x"}'
    assert Event.objects.count() == 1


def test_a_batch_without_a_good_event_is_a_400_that_names_the_field(key):
    response = sdk.post("/batch/", {"api_key": key.token, "batch": [{"event": "x"}]})
    assert (response.status_code, response.json()["error"]) == (400, "distinct_id: missing")
    assert RejectedEvent.objects.count() == 1


def test_a_revoked_key_is_a_401(key):
    key.revoked_at = key.created_at
    key.save()
    assert sdk.post("/batch/", {"api_key": key.token, "batch": [EVENT]}).status_code == 401


def test_a_key_only_gives_access_to_capture(client, key):
    headers = {"authorization": f"Bearer {key.token}"}
    assert client.get("/api/analytics/persons", headers=headers).status_code == 401


def test_project_key_prints_the_default_key_every_time(capsys, key):
    call_command("project_key")
    assert capsys.readouterr().out == f"{key.token}\n"
