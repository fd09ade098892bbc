"""Prices and coupons with several currencies, as Stripe bills them."""

from typing import Any

import pytest
import requests
import stripe

from tests.devstack.fake_stripe.stripe_calls import (
    again,
    item_of,
    new_customer,
    new_price,
    subscribe,
    totals,
)

pytestmark = pytest.mark.usefixtures("fake_stripe")


@pytest.fixture
def price(fake_stripe):
    return new_price(1000, currency_options={"eur": {"unit_amount": 900}})


def test_b04_a_price_has_its_currencies_only_when_expanded(price):
    assert "currency_options" not in stripe.Price.retrieve(price.id)
    full = stripe.Price.retrieve(price.id, expand=["currency_options"])
    amounts = {name: option["unit_amount"] for name, option in full["currency_options"].items()}
    assert amounts == {"eur": 900, "usd": 1000}


def test_b04_a_subscription_is_billed_in_its_currency(price):
    customer = new_customer()
    kept = subscribe(customer, price, currency="eur")
    assert (kept.currency, item_of(kept).price.currency) == ("eur", "usd")
    invoice = stripe.Invoice.retrieve(kept.latest_invoice)
    assert (invoice.currency, invoice.total) == ("eur", 900)


def test_b04_a_change_is_prorated_in_the_currency(price):
    customer = new_customer()
    kept = subscribe(customer, price, currency="eur")
    items: Any = [{"id": item_of(kept).id, "quantity": 3}]
    stripe.Subscription.modify(kept.id, items=items, proration_behavior="always_invoice")
    assert totals(customer) == [900, 1800]


def test_b04_a_checkout_sells_in_the_currency(price):
    session = stripe.checkout.Session.create(
        mode="subscription",
        success_url="https://example.com",
        currency="eur",
        line_items=[{"price": price.id, "quantity": 2}],
        customer=new_customer().id,
    )
    assert (session.currency, session.amount_total) == ("eur", 1800)
    assert session.url is not None
    requests.post(session.url, {"action": "pay"}, timeout=10, allow_redirects=False)
    paid = stripe.checkout.Session.retrieve(session.id, expand=["subscription"])
    assert paid.subscription.currency == "eur"


def test_b04_a_currency_that_a_price_lacks_is_refused(price):
    items: Any = [{"price": price.id}]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe.Subscription.create(customer=new_customer().id, items=items, currency="gbp")
    assert "not available in gbp" in str(caught.value)


def test_b04_a_coupon_takes_off_its_amount_in_the_currency(price):
    coupon = stripe.Coupon.create(
        amount_off=500,
        currency="usd",
        duration="forever",
        currency_options={"eur": {"amount_off": 450}},
    )
    customer = new_customer()
    kept = subscribe(customer, price, currency="eur", discounts=[{"coupon": coupon.id}])
    assert totals(customer) == [450]
    source = again(kept, expand=["discounts.source.coupon"]).discounts[0].source
    assert (source.coupon.amount_off, "currency_options" in source.coupon) == (500, False)


@pytest.mark.parametrize("option", [{"tax": "1"}, {"unit_amount": "x"}])
def test_b04_an_option_needs_an_amount(option):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        new_price(1000, currency_options={"eur": option})
    assert "currency_options[eur]" in str(caught.value.param)
