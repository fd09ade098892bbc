"""B08, B14, B17, B22: odd events at the webhook each have their right answer."""

import json

import pytest

from billing.models import RevenueCustomer, StripeEvent
from billing.stripe import gateway, loading
from devstack.fake_stripe.events import signature
from tests.billing.stripe_shop import WEBHOOK, Shop, deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_account, worker):
    return Shop(stripe_account)


def post(client, shop, body):
    headers = {"Stripe-Signature": signature(body, shop.stripe.webhook_secret)}
    return client.post(WEBHOOK, body, content_type="application/json", headers=headers)


def event_of(shop, event_type):
    return next(event for event in shop.stripe.events if event["type"] == event_type)


@pytest.fixture
def created(shop):
    """The event of a new subscription."""
    shop.subscribes(shop.customer())
    return event_of(shop, "customer.subscription.created")


class TestConnectedAccounts:
    @pytest.mark.parametrize("field", ["account", "user_id"])
    def test_b08_an_event_of_a_connected_account_is_ignored(self, shop, client, created, field):
        assert deliver(client, shop.stripe, created | {field: "acct_seller"}) == 200
        received = StripeEvent.objects.get()
        assert (received.state, "acct_seller" in received.reason) == ("ignored", True)
        assert not RevenueCustomer.objects.exists()
        assert gateway.stored("subscription", created["data"]["object"]["id"]) is None

    def test_b08_the_customers_of_a_connected_account_are_not_stored(self, shop, client):
        shop.customer(email="buyer@example.com", name="A Buyer")
        event = event_of(shop, "customer.created") | {"account": "acct_seller"}
        deliver(client, shop.stripe, event)
        received = StripeEvent.objects.get()
        assert received.customer_id == ""
        assert "buyer@example.com" not in str(received.payload)

    def test_b08_a_file_with_a_connected_accounts_event_ignores_it(self, created):
        line = json.dumps(created | {"account": "acct_seller"})
        [loaded] = loading.load([line])
        assert (loaded.outcome, "acct_seller" in loaded.reason) == ("ignored", True)

    def test_b08_a_subscription_that_our_account_lacks_is_not_believed(self, shop, client, created):
        shop.stripe.state.objects["subscription"].clear()
        assert deliver(client, shop.stripe, created) == 200
        received = StripeEvent.objects.get()
        assert (received.state, "no subscription" in received.reason) == ("ignored", True)
        assert not RevenueCustomer.objects.exists()

    def test_b08_a_customer_that_our_account_lacks_is_not_believed(self, shop, client):
        customer = shop.customer("ada")
        shop.stripe.state.objects["customer"].clear()
        deliver(client, shop.stripe, event_of(shop, "customer.created"))
        assert gateway.stored("customer", customer) is None

    def test_b08_what_stripe_deleted_since_is_marked_as_deleted(self, shop, client):
        product = shop.call("post", "/v1/products", name="Gone")["id"]
        shop.delivered(client)
        shop.call("delete", f"/v1/products/{product}")
        shop.delivered(client)
        stored = gateway.stored("product", product)
        assert stored
        assert (stored["name"], stored["deleted"]) == ("Gone", True)


def versions(event):
    """Return an event as two endpoints with two API versions get it."""
    older = event | {"api_version": "2024-06-20", "data": {"object": dict(event["data"]["object"])}}
    older["data"]["object"] |= {"current_period_end": 1_800_000_000, "discount": None}
    return event, older


class TestVersions:
    def test_b14_the_same_event_in_another_version_is_a_duplicate(self, shop, client, created):
        newer, older = versions(created)
        answers = [post(client, shop, shop.stripe.signed(event)[0]) for event in (newer, older)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert [answer.json()["duplicate"] for answer in answers] == [False, True]

    def test_b14_the_older_version_may_arrive_first(self, shop, client, created):
        for event in reversed(versions(created)):
            assert deliver(client, shop.stripe, event) == 200
        assert StripeEvent.objects.get().state == "applied"
        assert RevenueCustomer.objects.get().mrr == 2000

    def test_b14_a_file_may_have_both_versions(self, created):
        outcomes = [line.outcome for line in loading.load(map(json.dumps, versions(created)))]
        assert outcomes == ["stored", "unchanged"]

    @pytest.mark.parametrize("change", [{"type": "customer.updated"}, {"created": 1}])
    def test_b14_another_event_with_the_id_is_refused(self, shop, client, created, change):
        _, older = versions(created)
        deliver(client, shop.stripe, created)
        answer = post(client, shop, json.dumps(older | change).encode())
        assert (answer.status_code, "another event" in answer.json()["detail"]) == (400, True)

    def test_b14_other_contents_in_the_same_version_are_refused(self, shop, client, created):
        _, older = versions(created)
        deliver(client, shop.stripe, created)
        same_version = older | {"api_version": created["api_version"]}
        assert deliver(client, shop.stripe, same_version) == 400


class TestUnstorable:
    @pytest.mark.parametrize(
        "value", [r'"\ud800"', r'"a\udfff"', "1e999", "-1e999", "NaN", "9" * 5000, r'"\u0000"']
    )
    def test_b17_a_value_that_cannot_be_stored_is_refused(self, shop, client, created, value):
        body = json.dumps(created).replace('"active"', value, 1).encode()
        answer = post(client, shop, body)
        assert (answer.status_code, bool(answer.json()["detail"])) == (400, True)

    @pytest.mark.parametrize("change", [{"id": "evt_" + "1" * 300}, {"type": "x" * 300}])
    def test_b17_a_text_that_is_too_long_is_refused(self, shop, client, created, change):
        answer = post(client, shop, json.dumps(created | change).encode())
        assert (answer.status_code, "longer than" in answer.json()["detail"]) == (400, True)

    def test_b17_a_header_beyond_ascii_is_refused(self, shop, client, created):
        body, header = shop.stripe.signed(created)
        headers = {"Stripe-Signature": f"{header},v1=\xe9"}
        answer = client.post(WEBHOOK, body, content_type="application/json", headers=headers)
        assert answer.status_code == 400

    @pytest.mark.parametrize("character", ["\ud800", "\0"])
    def test_b17_an_object_from_stripe_is_stored_with_the_character_replaced(
        self, shop, client, character
    ):
        customer = shop.customer()
        shop.stripe.state.objects["customer"][customer]["name"] = f"A{character}B"
        assert deliver(client, shop.stripe, event_of(shop, "customer.created")) == 200
        stored = gateway.stored("customer", customer)
        assert stored
        assert stored["name"] == "A\N{REPLACEMENT CHARACTER}B"

    def test_b17_a_number_from_stripe_that_is_not_finite_is_stored_as_null(self, shop, client):
        customer = shop.customer()
        shop.stripe.state.objects["customer"][customer]["balance"] = float("inf")
        deliver(client, shop.stripe, event_of(shop, "customer.created"))
        stored = gateway.stored("customer", customer)
        assert stored
        assert stored["balance"] is None


THIN = {
    "id": "evt_65UxN",
    "object": "v2.core.event",
    "type": "v1.customer.created",
    "created": "2026-09-30T12:00:00.000Z",
    "livemode": False,
    "related_object": {"id": "cus_1", "type": "customer", "url": "/v1/customers/cus_1"},
    "changes": {"after": {"email": "buyer@example.com"}},
}


class TestThinEvents:
    @pytest.mark.parametrize(
        "change", [{}, {"related_object": None, "type": "v2.core.event_destination.ping"}]
    )
    def test_b22_a_thin_event_is_ignored_with_the_reason(self, shop, client, change):
        assert post(client, shop, json.dumps(THIN | change).encode()).status_code == 200
        received = StripeEvent.objects.get()
        assert (received.state, "snapshot" in received.reason) == ("ignored", True)
        assert "buyer@example.com" not in str(received.payload)

    def test_b22_a_thin_event_that_comes_again_is_stored_once(self, shop, client):
        body = json.dumps(THIN).encode()
        assert [post(client, shop, body).status_code for _ in range(2)] == [200, 200]
        assert StripeEvent.objects.count() == 1

    def test_b22_a_file_with_a_thin_event_ignores_it(self):
        [line] = loading.load([json.dumps(THIN)])
        assert (line.outcome, bool(line.reason)) == ("ignored", True)


def test_b02_a_coupon_that_was_deleted_before_its_event_came_still_counts(shop, client):
    """Half of 2000: its own event is too late, so the discount's coupon is the only one."""
    coupon = shop.call(
        "post",
        "/v1/coupons",
        percent_off=50,
        duration="forever",
        applies_to={"products": [shop.product]},
    )
    shop.subscribes(shop.customer(), discounts=[{"coupon": coupon["id"]}])
    shop.call("delete", f"/v1/coupons/{coupon['id']}")
    shop.delivered(client)
    assert RevenueCustomer.objects.get().mrr == 1000
    assert gateway.stored("coupon", coupon["id"]) is None


def test_b02_a_deleted_coupon_keeps_to_its_products(shop, client):
    other = shop.call("post", "/v1/products", name="Other")["id"]
    coupon = shop.call(
        "post",
        "/v1/coupons",
        percent_off=50,
        duration="forever",
        applies_to={"products": [other]},
    )
    shop.subscribes(shop.customer(), discounts=[{"coupon": coupon["id"]}])
    shop.call("delete", f"/v1/coupons/{coupon['id']}")
    shop.delivered(client)
    assert RevenueCustomer.objects.get().mrr == 2000
