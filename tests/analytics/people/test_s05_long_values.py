"""Pages and lists cut long values, and there is a way to the full ones."""

import pytest
from django.contrib.auth.models import User

from analytics.ingestion.ingest import store
from analytics.models import Group, Person, RejectedEvent
from tests.analytics.people.proof import person_with
from tests.api import get, refused
from tests.events import record

pytestmark = pytest.mark.django_db

LONG = "y" * 60_000


@pytest.fixture
def admin(client, db):
    client.force_login(User.objects.create_superuser("eve"))
    return client


@pytest.fixture
def ada():
    changes = {"$set": {"note": LONG, "large": "x" * 70_000}, "text": LONG}
    store([record("$set", distinct_id="ada", properties=changes)])
    return person_with("ada")


def test_s05_the_list_of_persons_cuts_long_values(ada):
    (person,) = get("analytics/persons")["results"]
    assert person["properties"]["note"] == f"{'y' * 1_000}… (cut: 60,000 characters)"
    assert person["refused"] == {"large": "value_too_large"}


def test_s05_a_person_has_full_values_in_the_api(ada):
    person = get("analytics/persons/ada")
    assert person["properties"]["note"] == LONG
    assert len(person["events"][0]["properties"]["text"]) < 1_100


def test_s05_events_are_cut_but_on_request(ada):
    (event,) = get("analytics/events", distinct_id="ada")["results"]
    assert len(event["properties"]["text"]) < 1_100
    (event,) = get("analytics/events", distinct_id="ada", full="true", limit=1)["results"]
    assert event["properties"]["text"] == LONG


def test_s05_many_events_in_full_are_refused():
    assert "limit" in str(refused("analytics/events", full="true", limit=11))


def test_s05_an_event_of_very_many_properties_is_cut():
    many = {f"p{number}": "z" * 900 for number in range(1_000)}
    store([record("used", distinct_id="ada", properties=many)])
    (event,) = get("analytics/events", distinct_id="ada")["results"]
    assert len(str(event["properties"])) < 70_000
    assert event["properties"]["…"].endswith("more properties)")


def test_s05_the_page_of_a_person_cuts_values_and_shows_what_was_refused(admin, ada):
    page = admin.get(f"/admin/analytics/person/{ada.pk}/change/").content.decode()
    assert "y" * 1_001 not in page
    assert "(cut: 60,000 characters)" in page
    assert "value too large" in page


def test_s05_the_page_of_a_group_cuts_values(admin):
    group = Group.objects.create(
        group_type="company",
        group_key="acme",
        properties={"note": LONG},
        refused={"large": "value_too_large"},
    )
    url = f"/admin/analytics/group/{group.pk}/change/"
    page = admin.get(url).content.decode()
    assert LONG not in page
    assert "large: value too large" in page
    assert admin.get(f"{url}?full=1").json() == {"note": LONG}


def test_s05_the_page_of_a_rejected_event_cuts_its_payload(admin):
    payload = b'{"a": "%b"}' % (b"y" * 90_000)
    row = RejectedEvent.objects.create(reason="bad_field", payload=payload, detail="x")
    url = f"/admin/analytics/rejectedevent/{row.pk}/change/"
    assert "(cut: 90,0" in admin.get(url).content.decode()
    assert admin.get(f"{url}?full=1").content == payload


def test_s05_full_payloads_need_the_permission_to_view_them(client):
    client.force_login(User.objects.create_user("ben", is_staff=True))
    group = Group.objects.create(group_type="company", group_key="acme")
    row = RejectedEvent.objects.create(reason="bad_field", payload=b"{}", detail="x")
    for page in (f"group/{group.pk}", f"rejectedevent/{row.pk}"):
        assert client.get(f"/admin/analytics/{page}/change/?full=1").status_code == 403


def test_s05_the_list_of_persons_in_the_admin_stays_short(admin):
    Person.objects.create(properties={"email": "e" * 60_000})
    page = admin.get("/admin/analytics/person/").content
    assert b"e" * 1_000 in page
    assert b"e" * 1_001 not in page
