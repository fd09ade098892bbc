"""Persons in the API: found by what they are known by, counted or not."""

from urllib.parse import quote

import pytest

from analytics.models import Person
from tests.analytics.people_histories import did
from tests.api import get, staff_client

pytestmark = pytest.mark.django_db


def ids(**parameters):
    return [person["distinct_ids"] for person in get("analytics/persons", **parameters)["results"]]


@pytest.fixture
def two_people():
    did("ada", ("signed_up", "2024-05-01 10:00"), ("workflow_created", "2024-05-02 10:00"))
    did("ben", ("signed_up", "2024-05-05 10:00"))
    ben = Person.objects.get(distinct_ids__distinct_id="ben")
    ben.properties = {"email": "ben@example.com"}
    ben.save()


def test_the_newest_person_comes_first(two_people):
    assert ids() == [["ben"], ["ada"]]


def test_a_search_finds_the_beginning_of_a_distinct_id(two_people):
    assert ids(search="ad") == [["ada"]]


@pytest.mark.parametrize("address", ["ben@example.com", "Ben@Example.com"])
def test_a_search_finds_an_email_address(two_people, address):
    assert ids(search=address) == [["ben"]]


def test_persons_are_filtered_by_day_of_signup(two_people):
    assert ids(signed_up_from="2024-05-02") == [["ben"]]
    assert ids(signed_up_to="2024-05-04") == [["ada"]]


def test_persons_are_filtered_by_activation(two_people):
    assert ids(activated="true") == [["ada"]]
    assert ids(activated="false") == [["ben"]]


def test_the_pages_together_return_every_person_once():
    for number in range(7):
        did(f"person {number}", ("used", "2024-05-01 10:00"))
    page, results = get("analytics/persons", limit=3), []
    while page["next"]:
        results += page["results"]
        page = get(page["next"].split("/api/")[1])
    results += page["results"]
    assert len({person["distinct_ids"][0] for person in results}) == len(results) == 7


def test_a_person_has_their_properties_milestones_and_activity(two_people):
    did("ada", ("used", "2024-05-09 10:00"))
    person = get("analytics/persons/ada")
    assert person["signup_at"] == "2024-05-01T10:00:00Z"
    assert person["activated_at"] == "2024-05-02T10:00:00Z"
    assert person["activity"] == {
        "active_days": 3,
        "first_active_day": "2024-05-01",
        "last_active_day": "2024-05-09",
    }
    assert [event["event"] for event in person["events"]] == [
        "used",
        "workflow_created",
        "signed_up",
    ]


@pytest.mark.parametrize(
    "distinct_id", ["a/b", "a/", "/a", "100%", "%2F", "a b?c#d", "ä+ö", "..", "retention", "a\nb"]
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_any_distinct_id_opens_its_person(distinct_id, slash):
    did(distinct_id, ("used", "2024-05-01 10:00"))
    person = get(f"analytics/persons/{quote(distinct_id, safe='')}{slash}")
    assert person["distinct_ids"] == [distinct_id]


def test_an_id_that_ends_with_a_slash_is_not_confused_with_another():
    did("a", ("used", "2024-05-01 10:00"))
    did("a/", ("used", "2024-05-01 10:00"))
    assert get("analytics/persons/a")["distinct_ids"] == ["a"]
    assert get("analytics/persons/a%2F")["distinct_ids"] == ["a/"]


def test_an_unknown_distinct_id_is_a_404_problem():
    response = staff_client().get("/api/analytics/persons/unknown")
    assert response.status_code == 404
    assert response.json()["detail"].startswith("No person has the distinct id")


def test_an_excluded_person_opens_and_says_so():
    did("ada", ("used", "2024-05-01 10:00"))
    Person.objects.update(excluded=True)
    person = get("analytics/persons/ada")
    assert person["excluded"] is True
    assert len(person["events"]) == 1
