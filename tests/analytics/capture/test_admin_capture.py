"""Project keys, rejected events and the ingestion ledger in the admin."""

import json
import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.ingestion.inbox import Inbox
from analytics.models import (
    CaptureHour,
    Event,
    EventOutcome,
    ImportRun,
    InboxRequest,
    ProjectKey,
    RejectedEvent,
)
from tests import sdk

pytestmark = pytest.mark.django_db

KEYS = "/admin/analytics/projectkey/"
REJECTED = "/admin/analytics/rejectedevent/"
LEDGER = "/admin/analytics/ingestion/"
GOOD = {"event": "used", "distinct_id": "ada", "timestamp": "2024-05-01T10:00:00Z"}


@pytest.fixture(autouse=True)
def frozen(time_machine):
    time_machine.move_to(datetime(2024, 6, 1, 12, 30, tzinfo=UTC), tick=False)


@pytest.fixture
def admin(client):
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.fixture
def reader(client):
    """Return a member of staff who may only view rejected events."""
    user = User.objects.create_user("reader", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_rejectedevent"))
    client.force_login(user)
    return client


def text(response):
    assert response.status_code == 200
    return " ".join(unescape(response.content.decode()).split())


def send(*events, key=None):
    body = {"api_key": key.token if key else sdk.key(), "batch": events}
    return sdk.post("/batch/", body)


def ingested(*events, **key):
    send(*events, **key)
    Inbox().process_batch()


# --- Project keys ---


def test_a_new_key_has_limits_and_shows_how_to_use_it(admin, settings):
    settings.PLUMBLINE_URL = "https://plumb.example.com"
    limits = {"name": "Shop", "kind": "public", "rate_limit": "50", "daily_quota": "1000"}
    page = text(admin.post(f"{KEYS}add/", limits, follow=True))
    key = ProjectKey.objects.get(name="Shop")
    assert (key.rate_limit, key.daily_quota) == (50, 1000)
    assert f"<code>{key.token}</code>" in page
    assert f'posthog.init("{key.token}", {{ api_host: "https://plumb.example.com" }})' in page


def test_the_token_of_a_server_key_is_shown_once_and_works(admin):
    response = admin.post(f"{KEYS}add/", {"name": "Backend", "kind": "server"})
    (token,) = re.findall(r"<code>(phs_[\w-]+)</code>", response.content.decode())
    assert "no-store" in response.headers["Cache-Control"]
    key = ProjectKey.objects.get(name="Backend")
    body = {"api_key": token, "event": "used", "distinct_id": "ada"}
    assert sdk.post("/capture/", body).status_code == 200
    for page in (KEYS, f"{KEYS}{key.pk}/change/"):
        content = admin.get(page).content.decode()
        assert token not in content
        assert key.token not in content


@pytest.mark.parametrize("field", ["rate_limit", "daily_quota"])
def test_a_limit_of_zero_is_an_error(admin, field):
    page = text(admin.post(f"{KEYS}add/", {"name": "Shop", "kind": "public", field: "0"}))
    assert "Ensure this value is greater than or equal to 1." in page
    assert not ProjectKey.objects.exists()


def test_a_changed_limit_applies_from_the_next_request(admin):
    key = ProjectKey.objects.create(name="Shop")
    send(GOOD, key=key)
    admin.post(f"{KEYS}{key.pk}/change/", {"name": "Shop", "daily_quota": "1"})
    assert "quota_limited" in send(GOOD, key=key).json()


def test_the_list_shows_use_today_against_the_quota_and_the_last_use(admin):
    key = ProjectKey.objects.create(name="Shop", daily_quota=1000)
    ProjectKey.objects.create(name="Blog")
    ingested(GOOD, {"event": "used"}, key=key)
    send(GOOD, key=key)
    page = text(admin.get(KEYS))
    assert "3 of 1,000" in page
    assert "1 Jun 2024, 12:30" in page
    assert text(admin.get(f"{KEYS}{key.pk}/change/")).count("3 of 1,000") == 1


def test_the_list_reads_the_use_of_all_keys_at_once(admin, django_assert_max_num_queries):
    for number in range(20):
        ProjectKey.objects.create(name=f"Shop {number}")
    with django_assert_max_num_queries(10):
        admin.get(KEYS)


def test_a_revoked_key_says_so_and_not_how_to_use_it(admin):
    key = ProjectKey.objects.create(name="Shop", revoked_at=datetime.now(UTC))
    page = text(admin.get(f"{KEYS}{key.pk}/change/"))
    assert "Revoked: events with this key are refused" in page
    assert "How to use it" not in page


# --- Rejected events ---


def test_a_rejected_event_is_edited_and_stored_on_its_page(admin):
    ingested(GOOD, {"event": "used"})
    address = f"{REJECTED}{RejectedEvent.objects.get().pk}/change/"
    page = text(admin.get(address))
    assert 'name="analytics_rejectedevent_retry_this"' in page
    assert 'name="_save"' not in page
    page = text(
        admin.post(address, {"text": json.dumps(GOOD | {"distinct_id": "ben"})}, follow=True)
    )
    assert "Retried: 1 stored." in page
    assert Event.objects.filter(distinct_id="ben").exists()
    assert not RejectedEvent.objects.exists()


def test_a_payload_that_was_not_edited_stays_as_received(admin):
    send({"event": "used", "properties": {"n": 1e300}})
    row = RejectedEvent.objects.get()
    address = f"{REJECTED}{row.pk}/change/"
    (payload,) = re.findall(
        r"<textarea[^>]*>\s*(.*?)</textarea>", admin.get(address).content.decode(), re.DOTALL
    )
    edited = unescape(payload).replace("\n", "\r\n")  # as browsers send it
    page = text(admin.post(address, {"text": edited}, follow=True))
    assert "Rejected again: 1. distinct_id: missing (1)" in page
    assert bytes(RejectedEvent.objects.get().payload) == bytes(row.payload)


def test_an_edited_event_that_is_still_bad_keeps_the_edit_and_says_why(admin):
    send({"event": "used"})
    address = f"{REJECTED}{RejectedEvent.objects.get().pk}/change/"
    page = text(admin.post(address, {"text": '{"event":'}, follow=True))
    assert "Rejected again: 1. Input data was truncated (1)" in page
    row = RejectedEvent.objects.get()
    assert (bytes(row.payload), row.reason) == (b'{"event":', "malformed")


def test_bytes_that_are_not_text_are_displayed_and_retried_but_not_edited(admin):
    row = RejectedEvent.objects.create(reason="malformed", detail="no", payload=b"\xff nonsense")
    address = f"{REJECTED}{row.pk}/change/"
    assert "<textarea" not in text(admin.get(address))
    assert "Rejected again: 1. its time of arrival or" in text(admin.post(address, follow=True))


def test_many_events_are_retried_at_once_and_reported_with_their_reasons(admin, settings):
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 10
    ingested(*(GOOD | {"distinct_id": f"p{n}"} for n in range(3)), {"event": "used"})
    settings.PLUMBLINE_EVENT_RETENTION_DAYS = 0
    rows = list(RejectedEvent.objects.values_list("pk", flat=True))
    action = {"action": "retry", "_selected_action": rows}
    page = text(admin.post(REJECTED, action, follow=True))
    assert "Retried: 3 stored." in page
    assert "Rejected again: 1. distinct_id: missing (1)" in page
    assert (Event.objects.count(), RejectedEvent.objects.count()) == (3, 1)


def test_a_reader_cannot_retry(reader):
    ingested({"event": "used"})
    pk = RejectedEvent.objects.get().pk
    page = text(reader.get(f"{REJECTED}{pk}/change/"))
    assert "retry_this" not in page
    assert "<textarea" not in page
    assert reader.post(f"{REJECTED}{pk}/change/", {"text": "{}"}).status_code == 403
    assert "Retry the selected" not in text(reader.get(REJECTED))


def test_an_event_that_someone_else_stored_meanwhile_is_gone(admin):
    row = RejectedEvent.objects.create(reason="malformed", detail="no", payload=b"{}")
    RejectedEvent.objects.all().delete()
    action = {"action": "retry", "_selected_action": [row.pk]}
    assert admin.post(REJECTED, action).status_code == 302
    assert admin.post(f"{REJECTED}{row.pk}/change/", {"text": "{}"}).status_code == 302


def test_a_rejected_line_names_its_file(admin):
    run = ImportRun.objects.create(file_name="a.jsonl", fingerprint="")
    RejectedEvent.objects.create(reason="malformed", detail="", payload=b"", import_run=run, line=7)
    assert "a.jsonl, line 7" in text(admin.get(REJECTED))


# --- The ledger ---


def test_the_ledger_shows_that_it_adds_up(admin):
    ingested(GOOD, {"event": "used"})
    ingested(GOOD)
    send(GOOD)
    page = text(admin.get(LEDGER))
    sum_ = "4 accepted = 1 stored + 1 duplicate + 1 rejected + 0 erased + 1 waiting"
    assert f'{sum_} <span class="pl-chip pl-chip-on_track">Adds up</span>' in page
    assert "1 Jun 2024" in page


def test_a_ledger_that_does_not_add_up_says_so(admin):
    InboxRequest.objects.create(
        project_key_id=ProjectKey.objects.create(name="Shop").pk,
        received_at=datetime.now(UTC),
        body=json.dumps(GOOD).encode(),
        events=3,
    )
    Inbox().process_batch()
    page = text(admin.get(LEDGER))
    assert "Does not add up" in page
    assert "2 acknowledged events have no known outcome." in page
    assert "No: 2 missing" in page


@pytest.mark.parametrize("by", ["day", "hour"])
def test_a_reason_links_to_its_rejected_events_of_that_time(admin, by):
    key = ProjectKey.objects.create(name="Shop")
    ingested(GOOD, {"event": "mine"}, key=key)
    ingested(GOOD, {"event": "another's"})
    page = text(admin.get(LEDGER, {"by": by, "project_key": "Shop"}))
    (address,) = re.findall(r'<a href="([^"]*rejectedevent[^"]*)">1 missing field</a>', page)
    listed = text(admin.get(address))
    assert "1 rejected event" in listed
    assert "project key Shop" in listed


def test_a_link_from_another_hour_lists_nothing(admin):
    ingested(GOOD, {"event": "mine"})
    page = text(admin.get(LEDGER, {"by": "hour"}))
    (address,) = re.findall(r'<a href="([^"]*rejectedevent[^"]*)">1 missing field</a>', page)
    assert "0 rejected events" in text(
        admin.get(address.replace("T12", "T11").replace("T13", "T12"))
    )


def test_refused_and_limited_events_are_listed_with_their_reasons(admin):
    send({"event": "used"})
    key = ProjectKey.objects.get().pk
    hour = datetime(2024, 6, 1, 9, tzinfo=UTC)
    CaptureHour.objects.create(
        hour=hour,
        project_key_id=key,
        outcome=EventOutcome.LIMITED,
        reason="rate_limit",
        events=1234,
    )
    page = text(admin.get(LEDGER))
    assert "1 missing field</a>" in page
    assert "1,234 rate limit" in page


def test_the_ledger_can_be_queried_by_hour_and_days(admin):
    ingested(GOOD)
    assert "1 Jun 2024, 12:00" in text(admin.get(LEDGER, {"by": "hour"}))
    earlier = {"from": "2024-05-01", "to": "2024-05-02"}
    assert "No events arrived in this period." in text(admin.get(LEDGER, earlier))


def test_a_bad_field_of_the_ledger_query_is_named(admin):
    ingested(GOOD)
    page = text(admin.get(LEDGER, {"by": "hour", "from": "2024-01-01"}))
    assert "The range must not be longer than 31 days." in page
    assert "Arrivals, newest first" not in page


def test_s04_the_list_of_rejected_events_reads_no_payloads(admin):
    ingested({"event": "used", "distinct_id": ""})
    assert RejectedEvent.objects.exists()
    with CaptureQueriesContext(connection) as queries:
        assert admin.get(REJECTED).status_code == 200
    assert not [query for query in queries if '"payload"' in query["sql"]]
