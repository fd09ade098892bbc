"""The pages of analytics in the admin, and its lists."""

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from analytics.models import ImportRun, InboxRequest, Person, ProjectKey, RejectedEvent
from tests.analytics.people_histories import did

pytestmark = pytest.mark.django_db

PAGES = ["retention", "active-users", "activation", "funnel", "events", "ingestion"]
STAFF_PAGES = [*PAGES, "capture-health"]
LISTS = ["person", "projectkey", "inboxrequest", "importrun", "rejectedevent"]
NOW = "2024-06-15T10:00Z"


@pytest.fixture
def admin(client, db):
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.fixture
def history(time_machine):
    time_machine.move_to(NOW, tick=False)
    did("ada", ("signed_up", "2024-05-01 10:00"), ("used", "2024-05-08 10:00"))
    did("ben", ("signed_up", "2024-05-02 10:00"), ("workflow_created", "2024-05-02 11:00"))


def page(client, path, **parameters):
    """Return the text of an answer that must be 200."""
    query = {name.rstrip("_"): value for name, value in parameters.items()}
    response = client.get(f"/admin/analytics/{path}/", query)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("path", STAFF_PAGES)
def test_users_who_are_not_staff_are_sent_to_the_login(client, path):
    client.force_login(User.objects.create_user("customer"))
    response = client.get(f"/admin/analytics/{path}/")
    assert (response.status_code, "/admin/login/" in response["Location"]) == (302, True)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_of_an_empty_installation_says_what_to_do(admin, path):
    text = page(admin, path)
    assert "No events yet" in text
    assert "How to send events" in text
    assert "<form class" not in text


@pytest.mark.parametrize("path", LISTS)
def test_a_list_opens_on_an_empty_installation(admin, path):
    assert page(admin, path)


def test_retention_has_numbers_with_their_definition(admin, history):
    text = page(admin, "retention", as_of="2024-06-01")
    assert "exactly the N-th calendar day" in text
    assert "As of the end of 1 Jun 2024." in text
    assert 'title="1 of 2 in week 1"' in text


def test_retention_names_a_bad_day_next_to_its_field(admin, history):
    text = page(admin, "retention", as_of="2999-01-01")
    assert 'id="error-as_of"' in text
    assert "By day" not in text


@pytest.mark.parametrize("granularity", ["day", "week", "month"])
def test_active_users_draws_a_chart_and_a_table(admin, history, granularity):
    text = page(admin, "active-users", granularity=granularity)
    assert 'role="img"' in text
    assert "<table" in text


def test_the_month_that_is_not_over_is_marked(admin, history):
    text = page(admin, "active-users", granularity="month", to="2024-06-30")
    assert "June 2024 <span" in text
    assert text.count("In progress</span>") == 1


def test_activation_has_rate_and_median_time(admin, history):
    text = page(admin, "activation")
    assert "1 of 2 persons" in text
    assert "1 h" in text


def test_a_funnel_is_chosen_from_recorded_events(admin, history):
    text = page(admin, "funnel")
    assert "<option>workflow_created</option>" in text
    assert "Conversion by step" not in text


def test_a_funnel_lists_its_steps(admin, history):
    text = page(admin, "funnel", steps=["signed_up", "workflow_created", ""], from_="2024-05-01")
    assert "2 persons" in text
    assert "50.0 % of the previous step" in text


def test_a_funnel_with_a_single_step_is_an_error(admin, history):
    assert "At least 2 steps are required." in page(admin, "funnel", steps=["signed_up", ""])


def test_a_page_says_that_a_rebuild_is_needed(admin, history, settings):
    settings.PLUMBLINE_SIGNUP_EVENT = "registered"
    assert "rebuild_rollups" in page(admin, "retention")


def test_events_link_to_their_persons(admin, history):
    ben = Person.objects.get(distinct_ids__distinct_id="ben")
    text = page(admin, "events", event="workflow_created")
    assert f'href="/admin/analytics/person/{ben.pk}/change/"' in text
    assert "2 May 2024, 11:00:00" in text


def test_events_have_a_link_to_older_events(admin, history):
    text = page(admin, "events", limit=1)
    assert "Older events" in text
    assert "cursor=" in text


def test_a_search_finds_a_person_by_distinct_id(admin, history):
    text = page(admin, "person", q="ad")
    assert "1 person" in text


def test_a_person_has_active_days_and_events(admin, history):
    person = Person.objects.get(distinct_ids__distinct_id="ada")
    text = page(admin, f"person/{person.pk}/change")
    assert "2, most recently 8 May 2024" in text
    assert text.index("8 May 2024, 10:00:00") < text.rindex("1 May 2024, 10:00:00")


def test_an_excluded_person_opens_and_says_so(admin, history):
    person = Person.objects.get(distinct_ids__distinct_id="ada")
    person.excluded = True
    person.save()
    assert "Excluded from all metrics." in page(admin, f"person/{person.pk}/change")


def test_properties_are_displayed_as_text(admin, history):
    person = Person.objects.get(distinct_ids__distinct_id="ada")
    person.properties = {"name": "<script>alert(1)</script>"}
    person.save()
    text = page(admin, f"person/{person.pk}/change")
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_an_unknown_person_is_a_404(admin):
    assert admin.get("/admin/analytics/person/1/change/").status_code == 404


@pytest.mark.parametrize("path", ["person/add", "inboxrequest/add", "rejectedevent/add"])
def test_records_that_only_plumbline_writes_cannot_be_added(admin, path):
    assert admin.get(f"/admin/analytics/{path}/").status_code == 403


def test_a_person_cannot_be_deleted(admin, history):
    person = Person.objects.first()
    assert admin.post(f"/admin/analytics/person/{person.pk}/delete/").status_code == 403


def test_a_new_project_key_shows_its_token(admin):
    values = {"name": "Shop", "kind": "public"}
    response = admin.post("/admin/analytics/projectkey/add/", values, follow=True)
    assert ProjectKey.objects.get(name="Shop").token in response.content.decode()


def test_project_keys_are_revoked(admin, time_machine):
    time_machine.move_to(NOW, tick=False)
    key = ProjectKey.objects.create(name="Shop")
    admin.post("/admin/analytics/projectkey/", {"action": "revoke", "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert key.revoked_at == timezone.now()


def test_a_project_key_is_revoked_on_its_page(admin):
    key = ProjectKey.objects.create(name="Shop")
    button = "analytics_projectkey_revoke_this"
    address = f"/admin/analytics/projectkey/{key.pk}/change/"
    assert f'name="{button}"' in page(admin, f"projectkey/{key.pk}/change")
    admin.post(address, {"name": "Shop", button: "1"})
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_the_time_of_a_revocation_stays(admin):
    before = timezone.now()
    key = ProjectKey.objects.create(name="Shop", revoked_at=before)
    admin.post("/admin/analytics/projectkey/", {"action": "revoke", "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert key.revoked_at == before


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"event":"<b>"}', "&quot;event&quot;: &quot;&lt;b&gt;&quot;"),
        (b"\xff nonsense", "\\xff nonsense"),
    ],
)
def test_a_rejected_event_is_readable(admin, payload, text):
    rejected = RejectedEvent.objects.create(reason="malformed", detail="no", payload=payload)
    assert text in page(admin, f"rejectedevent/{rejected.pk}/change")


def test_rejected_events_are_filtered_by_reason(admin):
    for reason in ("malformed", "bad_field"):
        RejectedEvent.objects.create(reason=reason, detail=f"was {reason}", payload=b"")
    text = page(admin, "rejectedevent", reason="bad_field")
    assert "was bad_field" in text
    assert "was malformed" not in text


def test_an_import_links_to_its_rejected_events(admin):
    run = ImportRun.objects.create(file_name="a.jsonl", fingerprint="", rejected=3)
    address = f"/admin/analytics/rejectedevent/?import_run__id__exact={run.pk}"
    assert address in page(admin, "importrun")
    assert admin.get(address).status_code == 200


def test_a_waiting_request_is_readable(admin):
    key = ProjectKey.objects.create(name="Shop")
    waiting = InboxRequest.objects.create(
        project_key=key, received_at=timezone.now(), body=b'{"event":"used"}'
    )
    assert "16 bytes" in page(admin, "inboxrequest")
    assert "&quot;used&quot;" in page(admin, f"inboxrequest/{waiting.pk}/change")


def test_the_range_begins_with_the_first_activity(admin, history):
    text = page(admin, "active-users")
    assert f'value="{date(2024, 5, 1)}"' in text
