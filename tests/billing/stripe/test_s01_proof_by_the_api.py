"""S01: a distinct id that the company's backend names is proved before anything acts on it."""

from typing import Any

import pytest

from analytics.models import DistinctId, Person
from billing.models import Plan, PlanPrice
from billing.stripe import gateway
from tests.api import staff_client
from tests.billing.limited_usage import claim, identify
from tests.billing.stripe_shop import Shop, create_person
from tests.events import NOON

pytestmark = pytest.mark.django_db

POSTS: dict[str, dict[str, Any]] = {
    "usage/check": {"meter": "workflow_runs"},
    "stripe/checkout-session": {"plan": "pro"},
    "stripe/portal-session": {},
    "stripe/change-plan": {"quantity": 2},
    "stripe/cancel": {"at": "now"},
    "stripe/resume": {},
}
GETS = ["usage", "stripe/subscription", "stripe/invoices"]


@pytest.fixture
def shop(stripe_account, worker):
    create_person("ada")
    shop = Shop(stripe_account)
    PlanPrice.objects.create(plan=Plan.objects.get(slug="pro"), price_id=shop.price)
    return shop


def is_proved(distinct_id="ada"):
    return DistinctId.objects.get(pk=distinct_id).proved


@pytest.mark.parametrize("path", POSTS)
def test_s01_a_request_that_acts_proves_the_id_it_names(shop, path):
    body = {"distinct_id": "ada", **POSTS[path]}
    staff_client().post(f"/api/billing/{path}", body, format="json")
    assert is_proved()


@pytest.mark.parametrize("path", GETS)
def test_s01_a_request_that_reads_proves_the_id_it_names(shop, path):
    staff_client().get(f"/api/billing/{path}", {"distinct_id": "ada"})
    assert is_proved()


@pytest.mark.parametrize("distinct_id", ["a\0b", "unknown"])
def test_s01_an_id_that_no_person_can_have_proves_nothing(shop, distinct_id):
    answer = staff_client().post(
        "/api/billing/usage/check",
        {"distinct_id": distinct_id, "meter": "workflow_runs"},
        format="json",
    )
    assert answer.status_code == 400
    assert not DistinctId.objects.filter(proved=True).exists()


def test_s01_a_claimed_address_does_not_become_that_of_a_customer(shop):
    claim("mallory@example.com")
    body = {"distinct_id": "ada", "plan": "pro"}
    answer = staff_client().post("/api/billing/stripe/checkout-session", body, format="json")
    assert answer.status_code == 200
    [customer] = gateway.every("customer")
    assert customer["email"] is None


def test_s01_a_proved_address_becomes_that_of_a_customer(shop):
    identify("ada@example.com")
    Person.objects.update(claimed={"email": "mallory@example.com"}, first_seen_at=NOON)
    body = {"distinct_id": "ada", "plan": "pro"}
    staff_client().post("/api/billing/stripe/checkout-session", body, format="json")
    [customer] = gateway.every("customer")
    assert customer["email"] == "ada@example.com"


@pytest.mark.parametrize("distinct_id", ["bü€r", "emoji😀", "new\nline", "名前@example.jp"])
def test_b18_an_id_that_no_header_can_hold_gets_a_checkout(shop, distinct_id):
    create_person(distinct_id)
    body = {"distinct_id": distinct_id, "plan": "pro"}
    response = staff_client().post("/api/billing/stripe/checkout-session", body, format="json")
    assert response.status_code == 200, response.content
