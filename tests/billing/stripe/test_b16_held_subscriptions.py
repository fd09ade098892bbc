"""B16: a subscription that is held has an answer everywhere: what can be read, or the reason."""

from typing import Any

import pytest
from djstripe.models import Subscription

from analytics.models import DistinctId
from billing.models import Plan, PlanPrice
from tests.billing.stripe_shop import Shop, create_person

pytestmark = pytest.mark.django_db
URL = "/api/billing/stripe/"

ITEM = {"id": "si_1", "price": {"id": "price_pro", "recurring": {"interval": "month"}}}
HELD: dict[str, dict[str, Any]] = {
    "the price is only an id": {"items": {"data": [ITEM | {"price": "price_pro"}]}},
    "no price": {"items": {"data": [{"id": "si_1"}]}},
    "an item without an id": {"items": {"data": [{"price": ITEM["price"]}]}},
    "no items": {"items": None},
    "items as a list": {"items": [ITEM]},
    "an unknown status": {"status": "dormant"},
    "a currency that does not exist": {"currency": "zzz"},
    "texts for times": {"created": "2024", "cancel_at": "soon", "ended_at": 1.5},
    "a time beyond all calendars": {"created": 10**17, "trial_end": -(10**17)},
    "texts for numbers": {"items": {"data": [ITEM | {"quantity": "two"}]}},
    "nothing but an id": {"items": {"data": ["si_1", 7, None]}},
}


@pytest.fixture
def shop(stripe_account, worker):
    create_person("ada", proved=True)
    shop = Shop(stripe_account)
    PlanPrice.objects.create(plan=Plan.objects.get(slug="pro"), price_id=shop.price)
    return shop


@pytest.fixture
def hold(subscribed):
    usable = Subscription.objects.get().stripe_data

    def hold(name):
        Subscription.objects.update(stripe_data=usable | HELD[name])

    return hold


def change(client, **body):
    return client.post(
        f"{URL}change-plan", {"distinct_id": "ada"} | body, content_type="application/json"
    )


def test_b16_a_held_subscription_is_answered_with_what_can_be_read(hold, admin_client):
    for name, changes in HELD.items():
        hold(name)
        answer = admin_client.get(f"{URL}subscription", {"distinct_id": "ada"})
        assert answer.status_code == 200, (name, answer.content)
        (row,) = answer.json()["subscriptions"]
        assert row["id"], name
        assert row["current_period_end"] or "items" in changes, name


def test_b16_a_price_that_is_only_an_id_is_named(hold, admin_client):
    hold("the price is only an id")
    (row,) = admin_client.get(f"{URL}subscription?distinct_id=ada").json()["subscriptions"]
    assert [item["price"] for item in row["items"]] == ["price_pro"]


def test_b16_a_change_of_a_held_subscription_is_never_a_500(hold, admin_client):
    for name in HELD:
        hold(name)
        for preview in (True, False):
            answer = change(admin_client, quantity=2, preview=preview)
            assert answer.status_code in {200, 400, 409}, (name, answer.content)


def test_b16_a_change_is_refused_with_the_reason(hold, admin_client):
    for name, reason in {
        "the price is only an id": "items.price: is only an id",
        "no price": "items.price: is missing",
        "an item without an id": "items.id: is missing",
        "no items": "The subscription has no items.",
    }.items():
        hold(name)
        answer = change(admin_client, quantity=2, preview=True)
        assert answer.status_code == 409, name
        assert reason in answer.json()["detail"]


def test_b16_usage_and_the_page_of_a_person_work_while_it_is_held(hold, admin_client):
    page = f"/admin/billing/persons/{DistinctId.objects.get(pk='ada').person_id}/usage/"
    for name in HELD:
        hold(name)
        for path in ("/api/billing/usage?distinct_id=ada", page):
            assert admin_client.get(path).status_code == 200, (name, path)


@pytest.mark.parametrize("name", ["no items", "the price is only an id", "an unknown status"])
def test_b16_who_pays_can_cancel_what_is_held(hold, admin_client, name):
    hold(name)
    body = {"distinct_id": "ada", "at": "now"}
    answer = admin_client.post(f"{URL}cancel", body, content_type="application/json")
    expected = 409 if name == "an unknown status" else 200  # it is not among the current ones
    assert answer.status_code == expected, answer.content
