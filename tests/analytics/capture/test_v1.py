"""Capture v1: every event is answered by its uuid."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from analytics.calculations.records import MAX_BODY
from analytics.models import Event, InboxRequest, Person, RejectedEvent
from tests import sdk

pytestmark = pytest.mark.django_db

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
V1 = "/i/v1/analytics/events"
ONE, TWO, THREE = (f"018f0000-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))


@pytest.fixture(autouse=True)
def frozen(time_machine):
    time_machine.move_to(NOW, tick=False)


def event(uuid=ONE, **fields):
    wire = {"event": "used", "uuid": uuid, "distinct_id": "ada", "options": {}, "properties": {}}
    return wire | {"timestamp": NOW.isoformat()} | fields


def send(*events, token=None, **headers):
    sent = {
        "HTTP_AUTHORIZATION": f"Bearer {token or sdk.key()}",
        "HTTP_POSTHOG_SDK_INFO": "posthog-python/7.91.1",
        "HTTP_POSTHOG_ATTEMPT": "1",
        "HTTP_POSTHOG_REQUEST_ID": "request-1",
        "HTTP_POSTHOG_REQUEST_TIMESTAMP": NOW.isoformat(),
    }
    return sdk.post(V1, {"created_at": NOW.isoformat(), "batch": events}, **sent | headers)


def results(*events, **headers):
    answer = send(*events, **headers)
    assert answer.status_code == 200, answer.content
    return {uuid: tuple(found.values()) for uuid, found in answer.json()["results"].items()}


def stored():
    sdk.ingest()
    return Event.objects.get()


def test_the_id_of_the_request_comes_back_with_answers_and_refusals():
    for token in (None, "phc_unknown"):
        assert send(event(), token=token).headers["PostHog-Request-Id"] == "request-1"
    assert "PostHog-Request-Id" not in send(event(), HTTP_POSTHOG_REQUEST_ID="").headers


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [(b"{", 400, "body: Input data was truncated"), (bytes(MAX_BODY + 1), 413, "20 MB")],
)
def test_what_cannot_be_read_is_refused_as_a_whole(body, status, error):
    answer = sdk.post(V1, body, HTTP_AUTHORIZATION=f"Bearer {sdk.key()}")
    assert answer.status_code == status
    assert error in answer.json()["error"]


def test_good_events_are_ok():
    assert results(event(ONE), event(TWO)) == {ONE: ("ok",), TWO: ("ok",)}
    assert InboxRequest.objects.get().events == 2


@pytest.mark.parametrize(
    ("bad", "details"),
    [
        ({"distinct_id": ""}, "distinct_id: missing"),
        ({"event": 7}, "Expected `str | null`, got `int` - at `$.event`"),
        ({"timestamp": "soon"}, "timestamp: 'soon' is not a valid ISO 8601 time"),
        ({"properties": []}, "properties: not an object"),
        ({"options": {"process_person_profile": "no"}}, "options: an option has a wrong type"),
        ({"properties": {"x": "x" * 2_100_000}}, "event: larger than 2,097,152 bytes"),
    ],
)
def test_p01_a_bad_event_is_dropped_with_its_reason_and_the_good_ones_stay(bad, details):
    assert results(event(ONE, **bad), event(TWO)) == {ONE: ("drop", details), TWO: ("ok",)}
    assert stored().uuid == UUID(TWO)
    assert RejectedEvent.objects.get().detail == details


def test_a_request_of_bad_events_only_is_answered_likewise_and_kept_as_rejected():
    missing = ("drop", "distinct_id: missing")
    assert results(event(distinct_id=""), event(TWO, distinct_id=None)) == {
        ONE: missing,
        TWO: missing,
    }
    assert (InboxRequest.objects.count(), RejectedEvent.objects.count()) == (0, 2)


def test_a_time_far_ahead_is_a_warning():
    ahead = (NOW + timedelta(hours=24)).isoformat()
    warning = ("warning", "timestamp: too far ahead; its arrival time is used instead")
    assert results(event(ONE, timestamp=ahead), event(TWO)) == {ONE: warning, TWO: ("ok",)}


def test_the_header_tells_when_the_senders_clock_said_it_was_sent():
    an_hour_ahead = (NOW + timedelta(hours=1)).isoformat()
    sent_at = {"HTTP_POSTHOG_REQUEST_TIMESTAMP": an_hour_ahead}
    assert results(event(timestamp=an_hour_ahead), **sent_at) == {ONE: ("ok",)}
    assert stored().timestamp == NOW


def test_an_event_may_ask_not_to_correct_its_time():
    yesterday = NOW - timedelta(days=1)
    kept = event(timestamp=yesterday.isoformat(), options={"disable_skew_correction": True})
    send(kept, HTTP_POSTHOG_REQUEST_TIMESTAMP=(NOW - timedelta(hours=5)).isoformat())
    assert stored().timestamp == yesterday


@pytest.mark.parametrize("unusable", ["", "soon", "9" * 30])
def test_an_unusable_request_timestamp_spoils_nothing(unusable):
    send(event(), HTTP_POSTHOG_REQUEST_TIMESTAMP=unusable)
    assert stored().timestamp == NOW


def test_an_event_may_ask_for_no_profile():
    send(event(options={"process_person_profile": False}))
    assert stored().properties["$process_person_profile"] is False
    assert not Person.objects.get().has_profile


@pytest.mark.parametrize("options", [None, {}, {"cookieless_mode": True, "unheard_of": [1]}])
def test_other_options_and_none_change_nothing(options):
    assert results(event(options=options)) == {ONE: ("ok",)}
    assert stored().event == "used"


def test_library_session_and_window_become_properties():
    send(event(session_id="s1", window_id="w1"))
    assert stored().properties == {
        "$lib": "posthog-python",
        "$lib_version": "7.91.1",
        "$session_id": "s1",
        "$window_id": "w1",
    }


def test_p02_what_is_sent_again_with_another_attempt_counts_once():
    for attempt in ("1", "2"):
        results(event(), HTTP_POSTHOG_ATTEMPT=attempt)
    assert stored().uuid == UUID(ONE)


@pytest.mark.parametrize(
    ("authorization", "error"),
    [
        ("", "Authorization: no Bearer token"),
        ("Basic cGhjOg==", "Authorization: no Bearer token"),
        ("Bearer ", "Authorization: no Bearer token"),
        ("Bearer phx_personal", "api_key: a personal key; use a project key"),
        ("Bearer phc_unknown", "api_key: unknown or revoked"),
    ],
)
def test_without_a_usable_bearer_token_it_is_a_401(authorization, error):
    answer = send(event(), HTTP_AUTHORIZATION=authorization)
    assert (answer.status_code, answer.json()["error"]) == (401, error)


def test_the_word_bearer_may_be_written_in_any_case():
    assert send(event(), HTTP_AUTHORIZATION=f"bearer {sdk.key()}").status_code == 200


def test_an_event_without_uuid_is_stored_though_nothing_can_be_said_of_it():
    assert results(event(None)) == {}
    assert stored().event == "used"
