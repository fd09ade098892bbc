"""The suppression list by API."""

import pytest

from growth.models import Suppression
from tests.api import staff_client
from tests.growth.suppression.mails import ADA, active, topic

pytestmark = pytest.mark.django_db
PATH = "/api/growth/retention/suppressions"


def add(**body):
    return staff_client().post(PATH, {"address": ADA} | body, format="json")


def test_an_address_is_suppressed_once():
    responses = [add(), add(address="ADA@example.com")]
    assert [response.status_code for response in responses] == [201, 200]
    assert responses[0].json() == responses[1].json()
    assert active() == [(ADA, None, "unsubscribed")]


def test_an_address_is_suppressed_for_a_topic():
    tips = topic()
    assert add(topic=tips.slug, reason="staff").json()["topic"] == tips.slug
    assert active() == [(ADA, tips.pk, "staff")]


@pytest.mark.parametrize(
    "body",
    [
        {"address": "no address"},
        {"topic": "none"},
        {"reason": "hard_bounce"},
        {"reason": "erased"},
        {"lifted": True},
    ],
)
def test_what_cannot_be_suppressed_is_refused(body):
    assert add(**body).status_code == 400
    assert active() == []


def test_the_list_has_pages_and_is_searched_by_a_whole_address():
    for number in range(3):
        add(address=f"p{number}@example.com")
    page = staff_client().get(PATH, {"limit": 2}).json()
    following = staff_client().get(page["next"]).json()
    addresses = [row["address"] for row in page["results"] + following["results"]]
    assert addresses == [f"p{number}@example.com" for number in (2, 1, 0)]
    assert following["next"] is None
    matches = staff_client().get(PATH, {"address": "P1@example.com"}).json()["results"]
    assert [row["address"] for row in matches] == ["p1@example.com"]


def test_lifting_needs_a_reason_and_is_listed_with_it():
    number = add().json()["id"]
    path = f"{PATH}/{number}/lift/"
    for body in ({}, {"reason": " "}, {"reason": ""}):
        assert staff_client().post(path, body, format="json").status_code == 400
    assert active() == [(ADA, None, "unsubscribed")]
    lifted = staff_client().post(path, {"reason": "asked"}, format="json").json()
    assert (lifted["lifted_by"], lifted["lift_reason"]) == ("staff", "asked")
    assert staff_client().post(path, {"reason": "asked"}, format="json").status_code == 404
    assert staff_client().get(PATH).json()["results"] == []
    assert staff_client().get(PATH, {"lifted": "true"}).json()["results"] == [lifted]
    assert Suppression.objects.count() == 1
