"""The capture endpoints, up to the inbox and from there to events."""

import gzip
import json
import logging

import pytest
from django.core.management import call_command
from posthog import Posthog

from analytics import inbox
from analytics.capture import default_project_key
from analytics.inbox import Inbox
from analytics.models import Event, InboxRequest, RejectedEvent
from tests import sdk

pytestmark = pytest.mark.django_db

EVENT = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}


@pytest.fixture
def key():
    return default_project_key()


@pytest.mark.parametrize("path", ["/batch", "/capture/", "/e/", "/e", "/i/v0/e/", "/i/v0/e"])
def test_an_accepted_request_is_answered_with_exactly_status_1(key, path):
    response = sdk.post(path, {"api_key": key.token, "batch": [EVENT]})
    assert (response.status_code, response.json()) == (200, {"status": 1})
    assert InboxRequest.objects.count() == 1


def test_ingest_turns_an_accepted_request_into_events(key):
    sdk.post(
        "/batch/", gzip.compress(json.dumps({"api_key": key.token, "batch": [EVENT]}).encode())
    )
    assert (Inbox().process_batch(), inbox.depth()) == (1, 0)
    assert Event.objects.get().event == "used"


def test_p02_a_request_sent_twice_counts_once(key):
    for _ in range(2):
        sdk.post("/batch/", {"api_key": key.token, "batch": [EVENT]})
    Inbox().process_batch()
    assert Event.objects.count() == 1


def test_p01_the_bad_events_of_a_batch_are_kept_with_their_reason(key):
    sdk.post("/batch/", {"api_key": key.token, "batch": [EVENT, {"event": "x"}]})
    Inbox().process_batch()
    rejected = RejectedEvent.objects.get()
    assert (rejected.detail, rejected.project_key) == ("distinct_id: missing", key)
    assert bytes(rejected.payload) == b'{"event": "x"}'
    assert Event.objects.count() == 1


def test_a_batch_without_one_good_event_is_a_400_that_names_the_field(key):
    response = sdk.post("/batch/", {"api_key": key.token, "batch": [{"event": "x"}]})
    assert (response.status_code, response.json()["error"]) == (400, "distinct_id: missing")
    assert RejectedEvent.objects.count() == 1


@pytest.mark.parametrize("body", [b"", b"not json", b"\x1f\x8b\x08broken", b"[]"])
def test_an_unreadable_body_is_a_400(body):
    assert sdk.post("/batch/", body).status_code == 400


@pytest.mark.parametrize("token", ["", "phc_unknown", "phx_personal", "x" * 65, "phc_\u00e9"])
def test_an_unknown_or_impossible_key_is_a_401(token):
    assert sdk.post("/batch/", {"api_key": token, "batch": [EVENT]}).status_code == 401


def test_a_revoked_key_is_a_401(key):
    key.revoked_at = key.created_at
    key.save()
    assert sdk.post("/batch/", {"api_key": key.token, "batch": [EVENT]}).status_code == 401


def test_a_body_beyond_20_mb_is_a_413(key):
    assert sdk.post("/batch/", gzip.compress(bytes(21 * 1024 * 1024))).status_code == 413


def test_a_browser_of_any_origin_may_send():
    response = sdk.request("OPTIONS", "/e/", HTTP_ORIGIN="https://app.example.com")
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.com"


def test_the_key_opens_nothing_but_capture(client, key):
    headers = {"authorization": f"Bearer {key.token}"}
    assert client.get("/api/analytics/persons", headers=headers).status_code == 401


def test_project_key_prints_the_default_key_every_time(capsys, key):
    call_command("project_key")
    assert capsys.readouterr().out == f"{key.token}\n"


@pytest.mark.django_db(transaction=True)
def test_the_posthog_sdk_delivers_each_event_once(live_server):
    logging.getLogger("posthog").setLevel(logging.ERROR)
    posthog = Posthog(default_project_key().token, host=live_server.url)
    for number in range(30):
        posthog.capture("workflow_run", distinct_id=f"user-{number % 3}", properties={"n": number})
    posthog.shutdown()
    while Inbox().process_batch():
        pass
    assert sorted(event.properties["n"] for event in Event.objects.all()) == list(range(30))
