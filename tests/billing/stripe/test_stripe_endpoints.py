"""Checkout, subscriptions and invoices through the API, with a Stripe over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from billing.models import IdempotentRequest, Plan, PlanPrice, RevenueCustomer, StripeCustomer
from billing.stripe import gateway
from tests.billing.stripe_shop import Shop, create_person

pytestmark = pytest.mark.django_db
URL = "/api/billing/stripe/"


@pytest.fixture
def shop(stripe_account, worker):
    create_person("ada")
    shop = Shop(stripe_account)
    PlanPrice.objects.create(plan=Plan.objects.get(slug="pro"), price_id=shop.price)
    return shop


def sessions(shop):
    return gateway.call("get", "/v1/checkout/sessions", limit=100)["data"]


def problem(answer, status):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    return answer.json()


def fields(answer):
    return [error["field"] for error in problem(answer, 400)["errors"]]


def test_a_checkout_session_sells_a_plan_to_a_person(shop, ask):
    answer = ask("checkout-session", plan="pro")
    assert answer.status_code == 200
    (session,) = sessions(shop)
    assert answer.json() == {"id": session["id"], "url": session["url"]}
    assert session["client_reference_id"] == "ada"
    assert session["customer"] == StripeCustomer.objects.get(distinct_id="ada").pk


def test_several_checkouts_of_a_person_share_a_customer(shop, ask):
    ask("checkout-session", plan="pro")
    ask("checkout-session", price=shop.price)
    assert StripeCustomer.objects.count() == 1
    assert len({session["customer"] for session in sessions(shop)}) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"distinct_id": "unknown", "plan": "pro"}, "distinct_id"),
        ({"distinct_id": "", "plan": "pro"}, "distinct_id"),
        ({"plan": "gold"}, "plan"),
        ({"plan": "team"}, "plan"),
        ({}, "plan"),
        ({"plan": "pro", "price": "price_1"}, "plan"),
        ({"price": "price_unknown"}, "price"),
        ({"plan": "pro", "quantity": 1.5}, "quantity"),
        ({"plan": "pro", "quantity": 0}, "quantity"),
        ({"plan": "pro", "currency": "zzz"}, "currency"),
        ({"plan": "pro", "success_url": "javascript:alert(1)"}, "success_url"),
    ],
)
def test_an_invalid_checkout_is_refused_by_field(shop, ask, body, field):
    assert fields(ask("checkout-session", **body)) == [field]
    assert sessions(shop) == []


def test_one_time_and_inactive_prices_are_refused(shop, ask):
    once = shop.call("post", "/v1/prices", product=shop.product, currency="usd", unit_amount=100)[
        "id"
    ]
    inactive = shop.priced(100)
    shop.call("post", f"/v1/prices/{inactive}", active=False)
    for price in (once, inactive):
        assert fields(ask("checkout-session", price=price)) == ["price"]


def test_a_person_with_a_subscription_cannot_buy_another(subscribed, ask):
    answer = ask("checkout-session", plan="pro")
    assert "change-plan" in problem(answer, 409)["detail"]


def test_the_portal_is_for_customers(shop, ask, client):
    assert "checkout session" in problem(ask("portal-session"), 409)["detail"]
    shop.subscribes(shop.customer("ada"))
    shop.delivered(client)
    assert ask("portal-session").json()["url"].startswith(shop.stripe.url)


def test_subscriptions_are_read_without_calling_stripe(subscribed, admin_client, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    answer = admin_client.get(URL + "subscription", {"distinct_id": "ada"}).json()
    assert answer["plan"] == "pro"
    (body,) = answer["subscriptions"]
    assert (body["id"], body["status"]) == (subscribed["id"], "active")
    (item,) = body["items"]
    assert (item["name"], item["unit_amount"], item["interval"]) == ("Pro", 2000, "month")
    assert body["current_period_end"] > body["current_period_start"]


def test_without_a_subscription_the_plan_is_the_default(shop, admin_client):
    answer = admin_client.get(URL + "subscription", {"distinct_id": "ada"}).json()
    assert answer == {"plan": "free", "customers": [], "subscriptions": []}


def test_the_previewed_amount_is_charged(subscribed, shop, ask, client):
    price = shop.priced(5000)
    change = {"price": price, "proration_behavior": "always_invoice"}
    body = ask("change-plan", preview=True, **change).json()
    assert body["amount_due"] > 0
    assert RevenueCustomer.objects.get().mrr == 2000
    answer = ask("change-plan", proration_date=body["proration_date"], **change)
    assert answer.json()["items"][0]["price"] == price
    invoice = gateway.call("get", "/v1/invoices", limit=1)["data"][0]
    assert invoice["amount_paid"] == body["amount_due"]


def test_a_change_is_in_plan_and_ledger_before_the_webhook(subscribed, shop, ask, admin_client):
    team = shop.priced(5000)
    PlanPrice.objects.create(plan=Plan.objects.get(slug="team"), price_id=team)
    assert ask("change-plan", plan="team", quantity=2).status_code == 200
    assert RevenueCustomer.objects.get().mrr == 10000
    answer = admin_client.get(URL + "subscription", {"distinct_id": "ada"}).json()
    assert answer["plan"] == "team"


def test_the_same_price_is_a_conflict(subscribed, ask, shop):
    assert (
        problem(ask("change-plan", plan="pro"), 409)["detail"]
        == "The subscription already has this price and quantity."
    )


def test_a_declined_card_changes_nothing(subscribed, shop, ask):
    method = shop.call(
        "post",
        "/v1/payment_methods/pm_card_chargeCustomerFail/attach",
        customer=subscribed["customer"],
    )["id"]
    shop.changes(subscribed, default_payment_method=method)
    answer = ask("change-plan", price=shop.priced(9000), proration_behavior="always_invoice")
    assert "declined" in problem(answer, 402)["detail"]
    now = gateway.refresh("subscription", subscribed["id"])
    assert now
    assert now["items"]["data"][0]["price"]["id"] == shop.price


def test_a_subscription_is_canceled_at_period_end_or_now(subscribed, ask):
    body = ask("cancel", at="period_end").json()
    assert (body["status"], body["cancel_at_period_end"]) == ("active", True)
    assert RevenueCustomer.objects.get().scheduled_churn == 2000
    assert ask("cancel", at="now").json()["status"] == "canceled"
    assert RevenueCustomer.objects.get().mrr == 0
    assert "no subscription" in problem(ask("cancel", at="now"), 409)["detail"]


def test_a_scheduled_cancellation_is_withdrawn(subscribed, ask):
    assert "neither ending nor paused" in problem(ask("resume"), 409)["detail"]
    ask("cancel", at="period_end")
    assert ask("resume").json()["cancel_at_period_end"] is False
    assert RevenueCustomer.objects.get().scheduled_churn == 0


def test_with_several_subscriptions_the_id_is_required(subscribed, shop, ask, client):
    second = shop.subscribes(subscribed["customer"], shop.priced(700))
    shop.delivered(client)
    assert second["id"] in problem(ask("cancel", at="now"), 409)["detail"]
    assert ask("cancel", at="now", subscription=second["id"]).json()["id"] == second["id"]
    assert fields(ask("cancel", at="now", subscription="sub_other")) == ["subscription"]


def test_invoices_are_listed(subscribed, admin_client):
    answer = admin_client.get(URL + "invoices", {"distinct_id": "ada"}).json()
    (invoice,) = answer["invoices"]
    assert (invoice["status"], invoice["amount_paid"]) == ("paid", 2000)
    assert invoice["hosted_invoice_url"]


def test_a_retry_with_the_same_key_gets_the_same_response(shop, ask):
    first, second = (ask("checkout-session", plan="pro", key="k1").json() for _ in range(2))
    assert first == second
    assert len(sessions(shop)) == 1


def test_s07_the_same_key_of_another_user_is_another_request(shop, ask, client):
    first = ask("checkout-session", plan="pro", key="k1").json()
    client.force_login(User.objects.create_superuser("eve"))
    body = {"distinct_id": "ada", "plan": "pro", "quantity": 2}
    headers = {"Idempotency-Key": "k1"}
    second = client.post(URL + "checkout-session", body, "application/json", headers=headers)
    assert second.status_code == 200, second.content
    assert second.json()["id"] != first["id"]
    assert len(sessions(shop)) == 2


def test_a_key_with_another_request_is_refused(shop, ask):
    ask("checkout-session", plan="pro", key="k1")
    answer = ask("checkout-session", plan="pro", quantity=2, key="k1")
    assert "Idempotency-Key" in problem(answer, 409)["detail"]


def test_a_refused_request_leaves_its_key_free(shop, ask):
    assert fields(ask("checkout-session", plan="gold", key="k1")) == ["plan"]
    assert not IdempotentRequest.objects.exists()


def test_the_key_of_a_dead_request_is_free_after_a_while(shop, ask, time_machine):
    first = ask("checkout-session", plan="pro", key="k1").json()
    IdempotentRequest.objects.update(status=None, answer=None)
    assert (
        "still in progress" in problem(ask("checkout-session", plan="pro", key="k1"), 409)["detail"]
    )
    IdempotentRequest.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    # Stripe has the key, too: what the dead request did is not repeated.
    assert ask("checkout-session", plan="pro", key="k1").json() == first
    assert len(sessions(shop)) == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_with_the_same_key_create_a_single_session(shop, admin_client):
    def post(_):
        try:
            return admin_client.post(
                URL + "checkout-session",
                {"distinct_id": "ada", "plan": "pro"},
                content_type="application/json",
                headers={"Idempotency-Key": "k1"},
            ).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(post, range(8)))
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert len(sessions(shop)) == 1


def test_an_unavailable_stripe_is_a_503_with_retry_after(shop, ask, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    answer = ask("checkout-session", plan="pro")
    assert "Stripe is unavailable" in problem(answer, 503)["detail"]
    assert answer["Retry-After"] == "30"


def test_an_invalid_secret_key_is_a_502(shop, ask, settings):
    settings.STRIPE_SECRET_KEY = "sk_test_" + "wrong" * 6
    assert "STRIPE_SECRET_KEY" in problem(ask("checkout-session", plan="pro"), 502)["detail"]


def test_without_stripe_the_missing_setting_is_named(ask, settings):
    create_person("ada")
    settings.STRIPE_SECRET_KEY = ""
    PlanPrice.objects.create(plan=Plan.objects.get(slug="pro"), price_id="price_1")
    assert "not set up" in problem(ask("checkout-session", plan="pro"), 503)["detail"]


def test_a_token_is_required(shop, client):
    for endpoint in ("checkout-session", "cancel"):
        answer = client.post(URL + endpoint, {}, content_type="application/json")
        assert answer.status_code == 401
