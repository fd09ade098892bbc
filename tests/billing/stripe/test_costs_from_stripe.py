"""What Stripe sends only if it is expanded is read from it. Amounts are cents."""

import time

import pytest

from billing.models import HeldObject, MrrMovement, RevenueCustomer
from billing.revenue import settings as revenue_settings
from billing.stripe import gateway, sync
from tests.billing.stripe_shop import Shop, create_person, deliver

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_account, worker):
    return Shop(stripe_account)


def in_dashboard(shop, kind, object_id, **fields):
    """Change an object as only Stripe's dashboard can; Stripe sends its event."""
    with shop.stripe.lock:
        stored = shop.stripe.state.objects[kind][object_id]
        event = "customer.subscription.updated" if kind == "subscription" else ""
        with shop.stripe.state.changing(stored, event):
            stored |= fields


def discounted(shop, coupon):
    start = {"start": int(time.time()), "end": None, "subscription": None}
    source = {"source": {"type": "coupon", "coupon": coupon["id"]}}
    return {"id": "di_own", "object": "discount"} | start | source


def coupon(shop, **fields):
    off = {} if "amount_off" in fields else {"percent_off": 50}
    return shop.call("post", "/v1/coupons", duration="forever", **off, **fields)


def deliver_last(shop, client, kind):
    """Deliver the newest event of a type only: the others were lost."""
    event = [event for event in shop.stripe.events if event["type"] == kind][-1]
    assert deliver(client, shop.stripe, event) == 200


def sells_in_euros(shop, **euros):
    """Sell the price of 2000 USD for euros too, and return a subscription in them."""
    with shop.stripe.lock:
        price = shop.stripe.state.objects["price"][shop.price]
        option = {"unit_amount": 1800, "unit_amount_decimal": "1800"}
        price["_currency_options"] = {"eur": option | euros}
    subscription = shop.subscribes(shop.customer("ada"))
    in_dashboard(shop, "subscription", subscription["id"], currency="eur")
    return subscription


@pytest.fixture
def reported_in_euros(db):
    settings = revenue_settings.current()
    settings.reporting_currency = "eur"
    settings.save()


def mrr():
    return RevenueCustomer.objects.get().mrr


def test_b01_a_discount_that_customer_updated_brings_and_takes_changes_mrr(shop, client):
    """2000 x 50 %, and 2000 again."""
    half, customer = coupon(shop), shop.customer()
    shop.subscribes(customer)
    shop.delivered(client)
    in_dashboard(shop, "customer", customer, discount=discounted(shop, half))
    deliver_last(shop, client, "customer.updated")
    assert mrr() == 1000
    in_dashboard(shop, "customer", customer, discount=None)
    deliver_last(shop, client, "customer.updated")
    assert mrr() == 2000


def test_b01_sync_reads_the_discount_of_a_customer(shop):
    customer, half = shop.customer(), coupon(shop)
    shop.subscribes(customer)
    with shop.stripe.lock:  # and no event arrives
        stored = shop.stripe.state.objects["customer"][customer]
        stored["discount"] = discounted(shop, half)
    sync.sync()
    assert mrr() == 1000


def test_b01_an_event_of_the_discount_alone_has_the_customer_read(shop, client):
    customer, half = shop.customer(), coupon(shop)
    shop.subscribes(customer)
    shop.delivered(client)
    with shop.stripe.lock:
        stored = shop.stripe.state.objects["customer"][customer]
        stored["discount"] = discounted(shop, half) | {"customer": customer}
        shop.stripe.state.emit("customer.discount.created", stored["discount"])
    deliver_last(shop, client, "customer.discount.created")
    assert mrr() == 1000
    buyer = gateway.stored("customer", customer)
    assert buyer is not None
    assert buyer["discount"]["id"] == "di_own"


def test_b02_a_coupon_s_products_are_read_with_the_subscription(shop, client):
    """Half of another product: 2000."""
    other = shop.call("post", "/v1/products", name="Other")["id"]
    limited = coupon(shop, applies_to={"products": [other]})
    shop.subscribes(shop.customer(), discounts=[{"coupon": limited["id"]}])
    deliver_last(shop, client, "customer.subscription.created")
    read = gateway.stored("coupon", limited["id"])
    assert read is not None
    assert read["applies_to"] == {"products": [other]}
    assert mrr() == 2000


def test_b02_a_coupon_stored_without_its_products_is_read_again(shop, client):
    other = shop.call("post", "/v1/products", name="Other")["id"]
    limited = coupon(shop, applies_to={"products": [other]})
    gateway.store(limited, as_of=gateway.moment())  # as a file has it
    shop.subscribes(shop.customer(), discounts=[{"coupon": limited["id"]}])
    deliver_last(shop, client, "customer.subscription.created")
    assert mrr() == 2000


def test_b04_a_subscription_in_another_currency_counts_at_its_amount(
    shop, client, reported_in_euros
):
    sells_in_euros(shop)
    deliver_last(shop, client, "customer.subscription.updated")
    movement = MrrMovement.objects.get()
    assert (movement.currency, movement.original_amount) == ("eur", 1800)
    assert not HeldObject.objects.exists()


def test_b04_a_coupon_takes_off_its_amount_in_the_currency(shop, client, reported_in_euros):
    """1800 - 800."""
    off = coupon(shop, amount_off=900, currency="usd")
    with shop.stripe.lock:
        options = {"eur": {"amount_off": 800}, "usd": {"amount_off": 900}}
        shop.stripe.state.objects["coupon"][off["id"]]["_currency_options"] = options
    subscription = sells_in_euros(shop)
    shop.changes(subscription, discounts=[{"coupon": off["id"]}])
    deliver_last(shop, client, "customer.subscription.updated")
    assert mrr() == 1000


def test_b04_the_api_shows_what_is_paid_in_its_currency(shop, client, admin_client):
    create_person("ada")
    sells_in_euros(shop)
    shop.delivered(client)
    answer = admin_client.get("/api/billing/stripe/subscription", {"distinct_id": "ada"}).json()
    (row,) = answer["subscriptions"][0]["items"]
    assert (row["currency"], row["unit_amount"]) == ("eur", 1800)
