"""What a project key may send, and what happens beyond it."""

import socket
import time
from datetime import UTC, datetime, timedelta

import pytest
import redis
from django.conf import settings as project

from analytics.capture import capture, ledger, project_keys
from analytics.ingestion.inbox import Inbox
from analytics.models import InboxRequest, ProjectKey
from tests import sdk
from tests.processes import fork, wait

pytestmark = pytest.mark.django_db(transaction=True)

EVENT = {"event": "used", "distinct_id": "ada"}
UUID = "018f0000-0000-7000-8000-000000000001"
NOW = datetime(2024, 6, 1, 12, 30, tzinfo=UTC)
V1 = "/i/v1/analytics/events"


@pytest.fixture(autouse=True)
def fresh(monkeypatch, time_machine):
    """Freeze the second that is counted, and count it from zero."""
    redis.Redis.from_url(project.REDIS_URL).flushdb()
    monkeypatch.setattr(capture, "rate_limiter", project_keys.RateLimiter())
    time_machine.move_to(NOW, tick=False)


def limited(**limits):
    return ProjectKey.objects.create(name="Shop", **limits)


def send(key, events=1, path="/batch/"):
    event = EVENT | {"uuid": UUID} if path == V1 else EVENT
    batch = {"api_key": key.token, "batch": [event] * events}
    headers = {"HTTP_AUTHORIZATION": f"Bearer {key.token}", "HTTP_POSTHOG_REQUEST_ID": "r1"}
    return sdk.post(path, batch, **headers if path == V1 else {})


def of_today():
    (entry,) = ledger.entries(first=NOW.date(), last=NOW.date())
    return entry


@pytest.mark.parametrize("path", ["/batch/", "/e"])
def test_beyond_the_rate_limit_is_a_429_with_the_time_to_retry(path):
    key = limited(rate_limit=3)
    assert [send(key, path=path).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    answer = send(key, path=path)
    assert (answer.headers["Retry-After"], InboxRequest.objects.count()) == ("1", 3)
    assert (of_today().accepted, of_today().limited) == (3, {"rate_limit": 3})


def test_a17_beyond_the_rate_limit_v1_asks_for_each_event_again():
    """SDKs in Go and Rust take a 429 as final."""
    key = limited(rate_limit=1)
    send(key, path=V1)
    answer = send(key, path=V1)
    again = {UUID: {"result": "retry", "details": "too many events per second"}}
    assert (answer.status_code, answer.json()) == (200, {"results": again})
    assert (answer.headers["Retry-After"], of_today().limited) == ("1", {"rate_limit": 1})


def test_a_batch_may_exceed_a_limit_that_was_not_reached_before():
    key = limited(rate_limit=3)  # or a batch larger than the limit would never come in
    assert [send(key, events=50).status_code for _ in range(2)] == [200, 429]


def test_the_next_second_has_its_own_limit(time_machine):
    key = limited(rate_limit=1)
    assert [send(key).status_code for _ in range(2)] == [200, 429]
    time_machine.shift(timedelta(seconds=1))
    assert send(key).status_code == 200


def test_keys_have_their_own_limits():
    key, other = limited(rate_limit=1), ProjectKey.objects.create(name="Other", rate_limit=1)
    assert [send(sender).status_code for sender in (key, key, other)] == [200, 429, 200]


def test_web_processes_share_a_rate_limit():
    key = limited(rate_limit=10)
    web = [fork(lambda: [send(key) for _ in range(10)]) for _ in range(3)]
    assert [wait(pid) for pid in web] == [0, 0, 0]
    assert InboxRequest.objects.count() == 10
    assert of_today().limited == {"rate_limit": 20}


def test_without_valkey_capture_continues(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1"
    key = limited(rate_limit=1)
    assert {send(key).status_code for _ in range(5)} == {200}


def test_a_valkey_that_does_not_respond_is_tried_once_and_then_skipped(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.setblocking(False)
        settings.REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        key = limited(rate_limit=1)
        before = time.monotonic()
        assert {send(key).status_code for _ in range(20)} == {200}
        assert time.monotonic() - before < 2  # seconds; asked each time it would be above 2
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_valkey_is_tried_again_after_a_pause(settings, monkeypatch):
    key, address = limited(rate_limit=1), settings.REDIS_URL
    monkeypatch.setattr(project_keys, "_VALKEY_PAUSE", 0.0)
    settings.REDIS_URL = "redis://127.0.0.1:1"
    send(key)
    capture.rate_limiter._client = redis.Redis.from_url(address)
    assert [send(key).status_code for _ in range(2)] == [200, 429]


def test_over_the_daily_quota_events_are_dropped_and_the_sdk_is_asked_to_pause():
    key = limited(daily_quota=3)
    assert send(key, events=2).json() == send(key, events=2).json() == {"status": 1}
    answer = send(key, events=2)
    assert answer.status_code == 200
    assert answer.json() == {"status": 1, "quota_limited": ["events"]}
    assert (of_today().accepted, of_today().limited) == (4, {"daily_quota": 2})


def test_over_the_daily_quota_v1_has_nothing_to_send_again():
    key = limited(daily_quota=1)
    send(key, path=V1)
    answer = send(key, path=V1)
    (result,) = answer.json()["results"].values()
    assert (answer.status_code, result["result"]) == (200, "drop")
    assert answer.headers["PostHog-Request-Id"] == "r1"


def test_stored_and_waiting_events_both_use_up_the_quota():
    key = limited(daily_quota=2)
    send(key)
    Inbox().process_batch()
    send(key)
    capture.project_keys.forget()  # as another web process has it
    assert "quota_limited" in send(key).json()


def test_a_new_utc_day_has_a_new_quota(time_machine):
    key = limited(daily_quota=1)
    send(key)
    time_machine.move_to("2024-06-02T00:00Z", tick=False)
    capture.project_keys.forget()
    assert send(key).json() == {"status": 1}


def test_a_full_inbox_is_a_503_with_the_time_to_retry(settings):
    settings.PLUMBLINE_INBOX_LIMIT = 2
    key = limited()
    assert [send(key).status_code for _ in range(3)] == [200] * 3
    capture.project_keys.forget()  # within two seconds
    answer = send(key)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert InboxRequest.objects.count() == 3
    Inbox().process_batch()
    capture.project_keys.forget()
    assert send(key).status_code == 200


@pytest.mark.parametrize(
    ("change", "status"), [({"rate_limit": 1}, 429), ({"revoked_at": NOW}, 401)]
)
def test_a_change_takes_effect_within_two_seconds(monkeypatch, change, status):
    clock = [1000.0]
    monkeypatch.setattr(project_keys, "monotonic", lambda: clock[0])
    key = limited()
    send(key)
    ProjectKey.objects.filter(pk=key.pk).update(**change)  # in another process
    clock[0] += 1.9
    assert send(key).status_code == 200
    clock[0] += 0.2
    send(key)
    assert send(key).status_code == status


def test_ingest_stores_when_a_key_was_last_used_to_the_minute(time_machine):
    key = limited()
    for shift in (0, 61):
        time_machine.shift(shift)
        send(key)
        Inbox().process_batch()
    key.refresh_from_db()
    assert key.last_used_at == datetime(2024, 6, 1, 12, 31, tzinfo=UTC)


def test_a_key_is_written_at_most_once_a_minute(time_machine):
    key = limited()
    versions = []
    for _ in range(3):
        send(key)
        Inbox().process_batch()
        versions.append(row_version(key))
        time_machine.shift(10)
    assert len(set(versions)) == 1


def row_version(key):
    ((version,),) = (
        ProjectKey.objects.filter(pk=key.pk).extra(select={"v": "xmin"}).values_list("v")
    )
    return version
