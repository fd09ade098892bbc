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
FIRST, SECOND, THIRD = (f"018f0000-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))


@pytest.fixture(autouse=True)
def frozen(time_machine):
    time_machine.move_to(NOW, tick=False)


def event(uuid=FIRST, **fields):
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
    return {uuid: tuple(rejected.values()) for uuid, rejected in answer.json()["results"].items()}


def stored():
    sdk.ingest()
    return Event.objects.get()


def test_the_request_id_is_returned_with_every_response():
    for token in (None, "phc_unknown"):
        assert send(event(), token=token).headers["PostHog-Request-Id"] == "request-1"
    assert "PostHog-Request-Id" not in send(event(), HTTP_POSTHOG_REQUEST_ID="").headers


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [(b"{", 400, "body: Input data was truncated"), (bytes(MAX_BODY + 1), 413, "20 MB")],
)
def test_an_unreadable_request_is_refused_as_a_whole(body, status, error):
    answer = sdk.post(V1, body, HTTP_AUTHORIZATION=f"Bearer {sdk.key()}")
    assert answer.status_code == status
    assert error in answer.json()["error"]


def test_good_events_are_ok():
    assert results(event(FIRST), event(SECOND)) == {FIRST: ("ok",), SECOND: ("ok",)}
    assert InboxRequest.objects.get().events == 2


@pytest.mark.parametrize(
    ("bad", "details"),
    [
        ({"distinct_id": ""}, "distinct_id: missing"),
        ({"event": [7]}, "event: not a text"),
        ({"timestamp": "1889-01-01"}, "timestamp: before 1990"),
        ({"properties": [1]}, "properties: not an object"),
        ({"properties": {"x": "x" * 2_100_000}}, "event: larger than 2,097,152 bytes"),
    ],
)
def test_p01_a_bad_event_is_dropped_with_its_reason_and_the_good_ones_stay(bad, details):
    assert results(event(FIRST, **bad), event(SECOND)) == {
        FIRST: ("drop", details),
        SECOND: ("ok",),
    }
    assert stored().uuid == UUID(SECOND)
    assert RejectedEvent.objects.get().detail == details


@pytest.mark.parametrize(
    "fields",
    [
        {"options": {"process_person_profile": "no"}},
        {"options": {"disable_skew_correction": 1, "new": {}}},
        {"options": []},
        {"session_id": 7, "window_id": [1]},
    ],
)
def test_a12_a_bad_optional_field_costs_only_the_field(fields):
    assert results(event(FIRST, **fields)) == {FIRST: ("ok",)}
    assert not {"$session_id", "$window_id"} & stored().properties.keys()


def test_a_request_with_only_bad_events_has_a_result_for_each_and_is_kept_as_rejected():
    missing = ("drop", "distinct_id: missing")
    assert results(event(distinct_id=""), event(SECOND, distinct_id=None)) == {
        FIRST: missing,
        SECOND: missing,
    }
    assert (InboxRequest.objects.count(), RejectedEvent.objects.count()) == (0, 2)


@pytest.mark.parametrize("timestamp", [(NOW + timedelta(hours=24)).isoformat(), "soon", True])
def test_a13_an_unusable_time_is_a_warning(timestamp):
    details = "timestamp: unreadable or too far ahead; its arrival time is used instead"
    warning = ("warning", details)
    assert results(event(FIRST, timestamp=timestamp), event(SECOND)) == {
        FIRST: warning,
        SECOND: ("ok",),
    }


def test_the_header_has_the_time_of_sending_by_the_senders_clock():
    an_hour_ahead = (NOW + timedelta(hours=1)).isoformat()
    sent_at = {"HTTP_POSTHOG_REQUEST_TIMESTAMP": an_hour_ahead}
    assert results(event(timestamp=an_hour_ahead), **sent_at) == {FIRST: ("ok",)}
    assert stored().timestamp == NOW


def test_an_event_can_disable_the_correction_of_its_time():
    yesterday = NOW - timedelta(days=1)
    kept = event(timestamp=yesterday.isoformat(), options={"disable_skew_correction": True})
    send(kept, HTTP_POSTHOG_REQUEST_TIMESTAMP=(NOW - timedelta(hours=5)).isoformat())
    assert stored().timestamp == yesterday


@pytest.mark.parametrize("unusable", ["", "soon", "9" * 30])
def test_an_unusable_request_timestamp_does_not_affect_events(unusable):
    send(event(), HTTP_POSTHOG_REQUEST_TIMESTAMP=unusable)
    assert stored().timestamp == NOW


def test_an_event_can_disable_its_profile():
    send(event(options={"process_person_profile": False}))
    assert stored().properties["$process_person_profile"] is False
    assert not Person.objects.get().has_profile


def test_an_option_that_is_missing_leaves_the_property_in_force():
    send(event(options={}, properties={"$process_person_profile": False}))
    assert stored().properties["$process_person_profile"] is False
    assert not Person.objects.get().has_profile


def test_options_become_the_properties_that_v0_has_for_them():
    options = {"cookieless_mode": True, "disable_skew_correction": True, "product_tour_id": "t1"}
    send(event(options=options | {"process_person_profile": True}))
    expected = {"$cookieless_mode": True, "$ignore_sent_at": True, "$product_tour_id": "t1"}
    expected |= {"$process_person_profile": True}
    assert expected.items() <= stored().properties.items()


@pytest.mark.parametrize("options", [{"cookieless_mode": "yes"}, {"product_tour_id": [1]}])
def test_a12_an_option_of_another_type_becomes_no_property(options):
    send(event(options=options))
    assert stored().properties.keys() == {"$lib", "$lib_version"}


@pytest.mark.parametrize("options", [None, {}, {"cookieless_mode": True, "unheard_of": [1]}])
def test_other_or_missing_options_change_nothing(options):
    assert results(event(options=options)) == {FIRST: ("ok",)}
    assert stored().event == "used"


def test_library_session_and_window_become_properties():
    send(event(session_id="s1", window_id="w1"))
    assert stored().properties == {
        "$lib": "posthog-python",
        "$lib_version": "7.91.1",
        "$session_id": "s1",
        "$window_id": "w1",
    }


def test_p02_a_retried_request_counts_once():
    for attempt in ("1", "2"):
        results(event(), HTTP_POSTHOG_ATTEMPT=attempt)
    assert stored().uuid == UUID(FIRST)


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


def test_an_event_without_uuid_is_stored_without_a_result():
    assert results(event(None)) == {}
    assert stored().event == "used"
