"""The fake Stripe sends what Stripe sends unasked, and the rest only where it is expanded."""

import pytest
import stripe

from tests.devstack.fake_stripe.stripe_calls import again, new_customer, new_price, subscribe

pytestmark = pytest.mark.usefixtures("fake_stripe")

TIERS = [{"up_to": 5, "unit_amount": 100}, {"up_to": "inf", "unit_amount": 50}]


def tiered():
    return new_price(None, billing_scheme="tiered", tiers_mode="graduated", tiers=TIERS)


def limited_coupon():
    """A coupon for a product of its own."""
    product = stripe.Product.create(name="A").id
    return stripe.Coupon.create(
        percent_off=50, duration="forever", applies_to={"products": [product]}
    )


def products(coupon):
    return [stripe.Product.retrieve(product).name for product in coupon["applies_to"]["products"]]


def refused(call, **parameters):
    with pytest.raises(stripe.InvalidRequestError) as caught:
        call(**parameters)
    return str(caught.value)


def test_a_coupon_says_what_it_applies_to_only_when_expanded():
    coupon = limited_coupon()
    assert "applies_to" not in stripe.Coupon.retrieve(coupon.id)
    full = stripe.Coupon.retrieve(coupon.id, expand=["applies_to"])
    assert products(full) == ["A"]


def test_an_expanded_coupon_of_a_discount_still_lacks_what_it_applies_to():
    coupon, paths = limited_coupon(), ["discounts.source.coupon"]
    kept = subscribe(new_customer(), discounts=[{"coupon": coupon.id}])
    assert "applies_to" not in again(kept, expand=paths).discounts[0].source.coupon
    deeper = again(kept, expand=["discounts.source.coupon.applies_to"])
    assert products(deeper.discounts[0].source.coupon) == ["A"]


def test_a_price_has_its_tiers_only_when_expanded():
    price = tiered()
    assert "tiers" not in stripe.Price.retrieve(price.id)
    assert len(stripe.Price.list(expand=["data.tiers"]).data[0]["tiers"]) == 2


def test_the_price_of_an_item_has_its_tiers_only_when_expanded():
    kept = subscribe(new_customer(), tiered())
    assert "tiers" not in again(kept)["items"].data[0].price
    full = again(kept, expand=["items.data.price.tiers"])
    assert len(full["items"].data[0].price["tiers"]) == 2


def test_events_have_nothing_expanded(fake_stripe):
    coupon = limited_coupon()
    subscribe(new_customer(), tiered(), discounts=[{"coupon": coupon.id}])
    sent = {event["type"]: event["data"]["object"] for event in fake_stripe.events}
    assert "applies_to" not in sent["coupon.created"]
    assert "tiers" not in sent["price.created"]
    created = sent["customer.subscription.created"]
    assert isinstance(created["discounts"][0], str)
    assert "tiers" not in created["items"]["data"][0]["price"]


@pytest.mark.parametrize(
    "path", ["metadata", "status", "cancel_at", "items.data.quantity", "breakdown"]
)
def test_what_is_neither_an_id_nor_an_object_cannot_be_expanded(path):
    kept = subscribe(new_customer())
    assert "cannot be expanded" in refused(stripe.Subscription.retrieve, id=kept.id, expand=[path])


def test_at_most_four_levels_can_be_expanded():
    subscribe(new_customer(), discounts=[{"coupon": limited_coupon().id}])
    path = "data.discounts.source.coupon.applies_to"
    assert "more than 4 levels" in refused(stripe.Subscription.list, expand=[path])
