"""B18, B19, B14 and more: the fake Stripe refuses what Stripe refuses, where faults hid behind it.

`docs/fake-stripe.md` says which page of Stripe's documentation each rule comes from.
"""

import json
import time
from base64 import b64encode

import pytest
import requests
import stripe

from tests.devstack.fake_stripe.receiver import listening
from tests.devstack.fake_stripe.stripe_calls import (
    again,
    item_of,
    new_customer,
    new_price,
    subscribe,
)

pytestmark = pytest.mark.usefixtures("fake_stripe")


def refusal(call, **parameters):
    with pytest.raises(stripe.StripeError) as caught:
        call(**parameters)
    return caught.value


@pytest.fixture
def metered(fake_stripe):
    meter = stripe.billing.Meter.create(
        display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )
    return new_price(5, recurring={"usage_type": "metered", "meter": meter.id})


def checkout(*lines, **more):
    return stripe.checkout.Session.create(
        mode="subscription", success_url="https://example.com", line_items=list(lines), **more
    )


class TestMeteredPrices:
    def test_b19_a_checkout_refuses_their_quantity(self, metered):
        error = refusal(lambda: checkout({"price": metered.id, "quantity": 1}))
        assert error.param == "line_items[0][quantity]"

    def test_b19_a_checkout_sells_them_beside_licensed_ones(self, metered):
        session = checkout({"price": new_price().id, "quantity": 2}, {"price": metered.id})
        lines = stripe.checkout.Session.list_line_items(session.id).data
        assert [line.quantity for line in lines] == [2, None]

    def test_b19_a_subscription_refuses_their_quantity(self, metered):
        items = [{"price": metered.id, "quantity": 1}]
        error = refusal(stripe.Subscription.create, customer=new_customer().id, items=items)
        assert (error.param, "metered" in str(error)) == ("items[0][quantity]", True)

    def test_b19_a_change_refuses_their_quantity(self, metered):
        kept = stripe.Subscription.create(customer=new_customer().id, items=[{"price": metered.id}])
        item = item_of(kept).id
        for items in ([{"id": item, "quantity": 2}], [{"price": metered.id, "quantity": 1}]):
            error = refusal(stripe.Subscription.modify, id=kept.id, items=items)
            assert error.param == "items[0][quantity]"

    def test_b19_an_item_refuses_their_quantity(self, metered):
        kept = stripe.Subscription.create(customer=new_customer().id, items=[{"price": metered.id}])
        error = refusal(stripe.SubscriptionItem.modify, id=item_of(kept).id, quantity=2)
        assert error.param == "items[0][quantity]"


def test_a_subscription_has_at_most_20_items():
    items = [{"price": new_price().id} for _ in range(21)]
    error = refusal(stripe.Subscription.create, customer=new_customer().id, items=items)
    assert error.param == "items"


@pytest.mark.parametrize(
    "metadata", [{str(n): "" for n in range(51)}, {"k" * 41: "v"}, {"k": "v" * 501}]
)
def test_metadata_has_limits(metadata):
    assert "Metadata" in str(refusal(stripe.Customer.create, metadata=metadata))
    stripe.Customer.create(metadata={"k" * 40: "v" * 500})


class TestCheckout:
    def test_a_reference_has_at_most_200_characters(self):
        line = {"price": new_price().id, "quantity": 1}
        checkout(line, client_reference_id="x" * 200)
        error = refusal(lambda: checkout(line, client_reference_id="x" * 201))
        assert error.param == "client_reference_id"

    @pytest.mark.parametrize("seconds", [60, 90_000])
    def test_it_is_open_for_30_minutes_to_24_hours(self, seconds):
        line = {"price": new_price().id, "quantity": 1}
        expires_at = int(time.time()) + seconds
        assert refusal(lambda: checkout(line, expires_at=expires_at)).param == "expires_at"

    def test_b23_an_expired_session_cannot_be_paid(self, fake_stripe):
        session = checkout({"price": new_price().id, "quantity": 1})
        fake_stripe.state.objects["checkout.session"][session.id]["expires_at"] = 1
        answer = requests.post(session.url, {"action": "pay"}, timeout=10, allow_redirects=False)
        assert (answer.status_code, "expired" in answer.text) == (400, True)


class TestCoupons:
    def test_a_deleted_coupon_is_not_found_and_kept_by_who_has_it(self):
        coupon = stripe.Coupon.create(percent_off=50, duration="forever")
        kept = subscribe(new_customer(), discounts=[{"coupon": coupon.id}])
        stripe.Coupon.delete(coupon.id)
        assert refusal(stripe.Coupon.retrieve, id=coupon.id).http_status == 404
        assert refusal(lambda: stripe.Coupon.delete(coupon.id)).http_status == 404
        assert stripe.Coupon.list().data == []
        source = again(kept, expand=["discounts.source.coupon"]).discounts[0].source
        assert source.coupon.percent_off == 50

    def test_a_coupon_for_an_unknown_product_is_refused(self):
        error = refusal(
            stripe.Coupon.create, percent_off=50, applies_to={"products": ["prod_unknown"]}
        )
        assert error.param == "applies_to[products][0]"


def listed(fake_stripe, **headers):
    return requests.get(f"{fake_stripe.url}/v1/customers", headers=headers, timeout=10).status_code


class TestHeaders:
    def test_the_key_may_be_the_user_of_basic_auth(self, fake_stripe):
        basic = b64encode(f"{fake_stripe.api_key}:".encode()).decode()
        assert listed(fake_stripe, Authorization=f"Basic {basic}") == 200

    @pytest.mark.parametrize("scheme", ["", "Token ", "Basic "])
    def test_the_key_alone_or_in_another_scheme_is_refused(self, fake_stripe, scheme):
        assert listed(fake_stripe, Authorization=f"{scheme}{fake_stripe.api_key}") == 401

    @pytest.mark.parametrize(
        ("version", "status"), [("2026-08-26.dahlia", 200), ("2024-06-20", 200), ("newest", 400)]
    )
    def test_the_version_is_one(self, fake_stripe, version, status):
        headers = {"Authorization": f"Bearer {fake_stripe.api_key}", "Stripe-Version": version}
        assert listed(fake_stripe, **headers) == status

    @pytest.mark.parametrize(("key", "status"), [("k" * 255, 200), ("k" * 256, 400)])
    def test_b18_an_idempotency_key_has_at_most_255_characters(self, fake_stripe, key, status):
        headers = {"Authorization": f"Bearer {fake_stripe.api_key}", "Idempotency-Key": key}
        url = f"{fake_stripe.url}/v1/customers"
        assert requests.post(url, headers=headers, timeout=10).status_code == status

    def test_b18_an_idempotency_key_is_ascii(self, fake_stripe):
        headers: dict[str, str | bytes] = {"Authorization": f"Bearer {fake_stripe.api_key}"}
        headers["Idempotency-Key"] = "caf\xe9".encode("latin-1")
        url = f"{fake_stripe.url}/v1/customers"
        assert requests.post(url, headers=headers, timeout=10).status_code == 400


class TestVersions:
    def test_b14_each_endpoint_gets_the_event_in_its_version(self, fake_stripe):
        with listening() as server:
            for version in ("2024-06-20", "2026-08-26.dahlia"):
                url = f"{server.url}?version={version}"
                stripe.WebhookEndpoint.create(url=url, enabled_events=["*"], api_version=version)
            subscribe(new_customer())
            fake_stripe.deliver()
        bodies = [json.loads(body) for body, _ in server.received]
        sent = [body for body in bodies if body["type"] == "customer.subscription.created"]
        older, newer = sorted(sent, key=lambda body: body["api_version"])
        assert older["id"] == newer["id"]
        assert older["data"]["object"]["current_period_end"]
        assert "current_period_end" not in newer["data"]["object"]

    def test_b14_an_unknown_version_is_refused(self):
        endpoint = {"url": "https://example.com", "enabled_events": ["*"]}
        error = refusal(stripe.WebhookEndpoint.create, **endpoint, api_version="2010-01-01")
        assert error.param == "api_version"


def test_b20_ids_that_people_choose_are_quoted_in_the_path():
    coupon = stripe.Coupon.create(percent_off=50, id="50%/off?")
    assert stripe.Coupon.retrieve(coupon.id).percent_off == 50
