"""Rewards as Stripe coupons: on the inviter's subscription at the fake Stripe, each once."""

from datetime import timedelta

import psycopg
import pytest
from django.utils.module_loading import import_string

from analytics.models import DistinctId
from billing.stripe import gateway
from common import queueing
from common.postgres import raw_cursor
from growth.calculations.reward import RewardState
from growth.models import ReferralProgram, ReferralReward
from growth.referrals import sending
from tests.billing.stripe_shop import Shop
from tests.growth.referrals.paying import LATER, make, refer, states
from tests.growth.referrals.test_referrals_admin import FORM, PROGRAMS, text

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def shop(stripe_account, monkeypatch):
    monkeypatch.setattr(
        queueing, "enqueue", lambda name, *arguments, **_: import_string(name)(*arguments)
    )
    shop = Shop(stripe_account)
    shop.call("post", "/v1/coupons", id="thanks", percent_off=100, duration="once")
    return shop


@pytest.fixture
def due(shop, offer):
    """A due reward of Ada, whose program gives the coupon."""
    DistinctId.objects.filter(pk="ada").update(proved=True)
    offer.reward, offer.coupon = "coupon", "thanks"
    offer.save()
    refer()
    make(LATER)
    return ReferralReward.objects.get()


@pytest.fixture
def subscription(shop, due, client):
    subscription = shop.subscribes(shop.customer("ada"))
    shop.delivered(client)
    return subscription


@pytest.fixture
def other():
    raw = raw_cursor().connection
    with psycopg.connect(raw.info.dsn, password=raw.info.password, autocommit=True) as connection:
        yield connection


def discounts_of(subscription):
    """Return the discounts of a subscription as Stripe has them."""
    fetched = gateway.fetch("subscription", subscription["id"])
    assert fetched
    return fetched["discounts"]


def discounts(subscription):
    """Return the coupons of a subscription as Stripe has them."""
    return [discount["source"]["coupon"]["id"] for discount in discounts_of(subscription)]


def why():
    return ReferralReward.objects.get().last_error


def test_a_due_reward_puts_the_coupon_on_the_subscription_of_the_inviter(subscription):
    assert discounts(subscription) == []
    assert [sending.send_due(now=LATER), sending.send_due(now=LATER + DAY)] == [1, 0]
    assert states() == {"bob": RewardState.SENT}
    assert discounts(subscription) == ["thanks"]


def test_the_next_invoice_is_reduced_by_it(shop, subscription):
    sending.send_due(now=LATER)
    preview = shop.call("post", "/v1/invoices/create_preview", subscription=subscription["id"])
    assert (preview["subtotal"], preview["total"]) == (2000, 0)


def test_discounts_that_the_subscription_has_are_kept(shop, subscription):
    shop.call("post", "/v1/coupons", id="partner", percent_off=10, duration="forever")
    shop.changes(subscription, discounts=[{"coupon": "partner"}])
    before = discounts_of(subscription)[0]["id"]
    sending.send_due(now=LATER)
    assert discounts(subscription) == ["partner", "thanks"]
    assert discounts_of(subscription)[0]["id"] == before


def test_p94_a_process_that_dies_before_it_notes_the_coupon_does_not_give_it_twice(
    shop, due, subscription
):
    sending.send_due(now=LATER)
    shop.changes(subscription, discounts="")  # an invoice used it up
    ReferralReward.objects.update(state=RewardState.DUE, next_attempt_at=LATER)
    shop.stripe.state.idempotent.clear()  # Stripe keeps them for a day
    assert sending.send_due(now=LATER + DAY) == 1
    assert discounts(subscription) == []


def test_an_inviter_without_a_subscription_gets_it_once_there_is_one(shop, due, client):
    assert sending.send_due(now=LATER) == 0
    assert (states(), why()) == (
        {"bob": RewardState.DUE},
        "The inviter has no subscription that continues.",
    )
    subscription = shop.subscribes(shop.customer("ada"))
    shop.delivered(client)
    assert sending.send_due(now=LATER + DAY) == 1
    assert discounts(subscription) == ["thanks"]


def test_a_subscription_that_ends_gets_none(shop, subscription, client):
    shop.changes(subscription, cancel_at_period_end=True)
    assert sending.send_due(now=LATER) == 0
    assert why() == "The inviter's subscription has ended."
    assert discounts(subscription) == []


def test_a_second_coupon_waits_until_the_first_is_used(shop, subscription):
    refer("eve")
    make(LATER)
    assert sending.send_due(now=LATER) == 1
    waiting = ReferralReward.objects.get(state=RewardState.DUE)
    assert "waits until it ends" in waiting.last_error
    shop.changes(subscription, discounts="")
    assert sending.send_due(now=LATER + DAY) == 1
    assert discounts(subscription) == ["thanks"]


def test_two_coupons_are_not_added_to_a_subscription_at_once(subscription, other):
    name = f"coupons of {subscription['id']}"
    other.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
    assert sending.send_due(now=LATER) == 0
    other.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])
    assert why() == "Another coupon is being added to the subscription."
    assert sending.send_due(now=LATER + DAY) == 1


def test_a_discount_of_the_customer_is_not_replaced(shop, subscription):
    customer = shop.stripe.state.get("customer", subscription["customer"])
    customer["discount"] = {"id": "di_old", "object": "discount"}  # as older API versions gave it
    assert sending.send_due(now=LATER) == 0
    assert why() == "The customer has a discount, which the coupon would replace."
    assert discounts(subscription) == []


def test_a_coupon_that_stripe_no_longer_has_is_named_and_given_later(shop, subscription):
    shop.call("delete", "/v1/coupons/thanks")
    assert sending.send_due(now=LATER) == 0
    assert "thanks" in why()
    assert states() == {"bob": RewardState.DUE}


@pytest.mark.parametrize(
    ("coupon", "problem"),
    [
        ("", "Enter the coupon that inviters get."),
        ("nothing", "Stripe has no coupon"),
        ("old", "has expired"),
    ],
)
def test_a_coupon_that_cannot_be_given_is_refused_by_the_form(shop, admin_client, coupon, problem):
    shop.call("post", "/v1/coupons", id="old", percent_off=10, duration="once", max_redemptions=1)
    shop.subscribes(shop.customer(), discounts=[{"coupon": "old"}])
    response = admin_client.post(PROGRAMS + "add/", FORM | {"reward": "coupon", "coupon": coupon})
    assert problem in text(response)
    assert not ReferralProgram.objects.exists()


def test_a_program_with_a_coupon_is_saved(shop, admin_client):
    form = FORM | {"reward": "coupon", "coupon": "thanks"}
    assert admin_client.post(PROGRAMS + "add/", form).status_code == 302
    assert ReferralProgram.objects.get().coupon == "thanks"
