"""Pages and API say what is proved about a person and what is only claimed."""

import pytest
from django.contrib.auth.models import User

from analytics.ingestion.ingest import store
from analytics.models import Event, Person
from tests.analytics.people.proof import person_with, prove
from tests.api import get
from tests.events import record

pytestmark = pytest.mark.django_db

PERSONS = "/admin/analytics/person/"


@pytest.fixture
def admin(client):
    client.force_login(User.objects.create_superuser("eve"))
    return client


@pytest.fixture
def ada() -> Person:
    """Ada: protected, with a proved plan, a claim against it, and a name that is only claimed."""
    properties = {"$set": {"plan": "pro", "name": "Ada"}}
    store([record(properties=properties), record("$create_alias", other_id="phone")])
    store([record("workflow_run")])
    Event.objects.filter(event="workflow_run").update(proved=True)
    Person.objects.update(claimed={"plan": "enterprise"})
    return prove("ada", plan="pro")


def person_page(client, distinct_id: str) -> str:
    response = client.get(f"{PERSONS}{person_with(distinct_id).pk}/change/")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_s10b_the_page_marks_proved_values_and_shows_the_claim_next_to_them(admin, ada):
    text = person_page(admin, "ada")
    mark = '<span class="pl-chip pl-chip-ok">proved</span>'
    assert f'<dd>pro {mark}<br><span class="pl-soft">claimed: enterprise</span></dd>' in text
    assert "<dt>name</dt><dd>Ada</dd>" in text


def test_s10b_the_page_marks_proved_distinct_ids(admin, ada):
    text = person_page(admin, "ada")
    assert '<code>ada</code>&nbsp;<span class="pl-chip pl-chip-ok">proved</span>' in text
    assert "<code>phone</code> </dd>" in text


def test_s10b_the_page_says_whether_a_person_is_protected(admin, ada):
    store([record(distinct_id="ben", properties={"$set": {"plan": "pro"}})])
    assert "Yes: only what is proved about them decides" in person_page(admin, "ada")
    assert "No: all that is known about them is only claimed" in person_page(admin, "ben")


def test_s10b_the_timeline_marks_proved_events(admin, ada):
    text = person_page(admin, "ada")
    assert 'workflow_run <span class="pl-chip">proved</span>' in text
    assert text.count('<span class="pl-chip">proved</span>') == 1


@pytest.mark.parametrize(
    ("protected", "listed"), [("yes", ["ada"]), ("no", ["ben"]), ("nonsense", ["ada", "ben"])]
)
def test_s10b_the_list_of_persons_is_filtered_by_protection(admin, ada, protected, listed):
    store([record(distinct_id="ben")])
    rows = admin.get(PERSONS, {"protected": protected}).context["cl"].result_list
    names = {"ada": person_with("ada").pk, "ben": person_with("ben").pk}
    assert sorted(row.pk for row in rows) == sorted(names[name] for name in listed)


def test_s10b_the_api_says_what_is_proved_and_what_contradicts_it(ada):
    [in_list] = get("analytics/persons")["results"]
    alone = get("analytics/persons/phone")
    for person in (in_list, alone):
        assert person["protected"] is True
        assert (person["distinct_ids"], person["proved_ids"]) == (["ada", "phone"], ["ada"])
        assert person["properties"] == {"plan": "pro", "name": "Ada"}
        assert (person["proved"], person["claimed"]) == (["plan"], {"plan": "enterprise"})


def test_s10b_the_api_says_that_nothing_about_a_person_is_proved():
    store([record(properties={"$set": {"plan": "pro"}})])
    person = get("analytics/persons/ada")
    assert (person["protected"], person["proved_ids"], person["proved"]) == (False, [], [])


def test_s10b_the_api_says_which_events_are_proved(ada):
    events = get("analytics/events")["results"]
    assert {event["event"]: event["proved"] for event in events} == {
        "used": False,
        "$create_alias": False,
        "workflow_run": True,
    }


def test_the_api_costs_no_query_for_each_person(ada, django_assert_max_num_queries):
    get("analytics/persons")
    store([record(distinct_id=f"p{number}") for number in range(30)])
    with django_assert_max_num_queries(12):
        get("analytics/persons")
