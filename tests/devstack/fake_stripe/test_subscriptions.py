"""Subscriptions of the fake Stripe: change, end, trial, failed payment, as time goes by."""

from typing import Any

import pytest
import stripe
import time_machine

from devstack.fake_stripe import clocks
from tests.devstack.fake_stripe.stripe_calls import (
    advance,
    again,
    amounts,
    change,
    customer_at,
    item_of,
    new_customer,
    new_price,
    seconds,
    subscribe,
    totals,
    types,
)

pytestmark = pytest.mark.usefixtures("fake_stripe")


def test_a_subscription_is_billed_at_once_and_active():
    subscription = subscribe(new_customer(), new_price(1000), 3, expand=["latest_invoice"])
    assert subscription.status == "active"
    assert (subscription.latest_invoice.amount_paid, subscription.latest_invoice.status) == (
        3000,
        "paid",
    )


def test_the_period_is_a_field_of_the_item():
    customer = customer_at("2026-01-31")
    item = item_of(subscribe(customer))
    assert item.current_period_end == seconds("2026-02-28")


def test_periods_are_counted_from_the_anchor(fake_stripe):
    customer = customer_at("2026-01-31")
    subscription = subscribe(customer)
    advance(fake_stripe, customer, "2026-03-01")
    assert item_of(again(subscription)).current_period_end == seconds("2026-03-31")


@pytest.mark.parametrize(
    ("interval", "count", "end"),
    [("month", 3, "2026-04-01"), ("year", 1, "2027-01-01"), ("week", 2, "2026-01-15")],
)
def test_longer_intervals_have_the_right_end(interval, count, end):
    price = new_price(1000, interval, recurring={"interval_count": count})
    subscription = subscribe(customer_at("2026-01-01"), price)
    assert item_of(subscription).current_period_end == seconds(end)


def test_each_renewal_makes_a_paid_invoice(fake_stripe):
    customer = customer_at("2026-01-01")
    subscribe(customer)
    advance(fake_stripe, customer, "2026-04-02")
    assert totals(customer) == [1000, 1000, 1000, 1000]


def test_a_higher_price_is_prorated_at_once_on_request(fake_stripe):
    """After 15 of 30 days: -1000 / 2 + 3000 / 2 = 1000."""
    customer = customer_at("2026-04-01")
    subscription = subscribe(customer, new_price(1000))
    advance(fake_stripe, customer, "2026-04-16")
    changed = change(
        subscription,
        new_price(3000),
        proration_behavior="always_invoice",
        expand=["latest_invoice"],
    )
    assert amounts(changed.latest_invoice) == [-500, 1500]
    assert changed.latest_invoice.billing_reason == "subscription_update"


def test_other_prorations_wait_for_the_renewal(fake_stripe):
    customer = customer_at("2026-04-01")
    subscription = subscribe(customer, new_price(1000))
    advance(fake_stripe, customer, "2026-04-16")
    change(subscription, new_price(3000))
    advance(fake_stripe, customer, "2026-05-02")
    assert totals(customer) == [1000, 4000]


def test_prorations_can_be_turned_off(fake_stripe):
    customer = customer_at("2026-04-01")
    change(subscribe(customer), new_price(3000), proration_behavior="none")
    advance(fake_stripe, customer, "2026-05-02")
    assert totals(customer) == [1000, 3000]


def test_another_interval_begins_a_new_cycle_and_credits_the_rest(fake_stripe):
    """-1000 / 2 for half of April, 10000 for the year."""
    customer = customer_at("2026-04-01")
    subscription = subscribe(customer, new_price(1000))
    advance(fake_stripe, customer, "2026-04-16")
    changed = change(subscription, new_price(10_000, "year"), expand=["latest_invoice"])
    assert amounts(changed.latest_invoice) == [-500, 10_000]
    assert item_of(changed).current_period_end == seconds("2027-04-16")


def test_a_lower_price_leaves_a_credit_for_the_next_invoice(fake_stripe):
    """-3000 / 2 + 1000 / 2 = -1000, which pays for the next month."""
    customer = customer_at("2026-04-01")
    subscription = subscribe(customer, new_price(3000))
    advance(fake_stripe, customer, "2026-04-16")
    change(subscription, new_price(1000), proration_behavior="always_invoice")
    assert stripe.Customer.retrieve(customer.id).balance == -1000
    advance(fake_stripe, customer, "2026-05-02")
    assert stripe.Invoice.list(customer=customer.id).data[0].amount_due == 0


def test_a_preview_has_the_cost_of_the_change(fake_stripe):
    customer = customer_at("2026-04-01")
    subscription, price = subscribe(customer), new_price(3000)
    advance(fake_stripe, customer, "2026-04-16")
    how: Any = {"items": [{"id": item_of(subscription).id, "price": price.id}]}
    how |= {"proration_behavior": "always_invoice"}
    preview = stripe.Invoice.create_preview(subscription=subscription.id, subscription_details=how)
    assert amounts(preview) == [-500, 1500]
    assert totals(customer) == [1000]


def test_the_preview_of_a_pending_change_is_the_next_renewal(fake_stripe):
    customer = customer_at("2026-04-01")
    subscription, price = subscribe(customer), new_price(3000)
    advance(fake_stripe, customer, "2026-04-16")
    how: Any = {"items": [{"id": item_of(subscription).id, "price": price.id}]}
    preview = stripe.Invoice.create_preview(subscription=subscription.id, subscription_details=how)
    assert sorted(amounts(preview)) == [-500, 1500, 3000]


def test_a_subscription_ends_at_the_end_of_its_period(fake_stripe):
    customer = customer_at("2026-01-01")
    subscription = subscribe(customer)
    stripe.Subscription.modify(subscription.id, cancel_at_period_end=True)
    advance(fake_stripe, customer, "2026-02-02")
    ended = again(subscription)
    assert (ended.status, ended.ended_at) == ("canceled", seconds("2026-02-01"))
    assert totals(customer) == [1000]


def test_a_scheduled_end_can_be_undone(fake_stripe):
    customer = customer_at("2026-01-01")
    subscription = subscribe(customer)
    stripe.Subscription.modify(subscription.id, cancel_at_period_end=True)
    resumed = stripe.Subscription.modify(subscription.id, cancel_at_period_end=False)
    assert (resumed.cancel_at, resumed.canceled_at) == (None, None)
    advance(fake_stripe, customer, "2026-02-02")
    assert again(subscription).status == "active"


def test_a_canceled_subscription_cannot_be_changed():
    subscription = subscribe(new_customer())
    assert stripe.Subscription.cancel(subscription.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        stripe.Subscription.modify(subscription.id, cancel_at_period_end=True)


def test_a_trial_costs_nothing_until_it_ends(fake_stripe):
    customer = customer_at("2026-01-01")
    subscription = subscribe(customer, trial_period_days=14)
    assert (subscription.status, totals(customer)) == ("trialing", [0])
    advance(fake_stripe, customer, "2026-01-16")
    assert (again(subscription).status, totals(customer)) == ("active", [0, 1000])
    assert "customer.subscription.trial_will_end" in types(fake_stripe)


def test_a_trial_without_a_card_can_pause_at_its_end(fake_stripe):
    customer = customer_at("2026-01-01", card="")
    ends = {"end_behavior": {"missing_payment_method": "pause"}}
    subscription = subscribe(customer, trial_period_days=14, trial_settings=ends)
    advance(fake_stripe, customer, "2026-01-16")
    assert again(subscription).status == "paused"


def test_a_paused_subscription_resumes_with_a_card(fake_stripe):
    customer = customer_at("2026-01-01", card="")
    ends = {"end_behavior": {"missing_payment_method": "pause"}}
    subscription = subscribe(customer, trial_period_days=14, trial_settings=ends)
    advance(fake_stripe, customer, "2026-01-16")
    method = stripe.PaymentMethod.attach("pm_card_visa", customer=customer.id)
    stripe.Customer.modify(customer.id, invoice_settings={"default_payment_method": method.id})
    assert stripe.Subscription.resume(subscription.id).status == "active"


def failing_renewal(fake_stripe):
    """A subscription whose card is declined from the second month on."""
    customer = customer_at("2026-01-01")
    subscription = subscribe(customer)
    method = stripe.PaymentMethod.attach("pm_card_chargeCustomerFail", customer=customer.id)
    stripe.Customer.modify(customer.id, invoice_settings={"default_payment_method": method.id})
    advance(fake_stripe, customer, "2026-02-02")
    return customer, subscription


def test_a_declined_renewal_is_past_due(fake_stripe):
    _, subscription = failing_renewal(fake_stripe)
    past_due = again(subscription, expand=["latest_invoice"])
    assert (past_due.status, past_due.latest_invoice.status) == ("past_due", "open")
    assert "invoice.payment_failed" in types(fake_stripe)


def test_paying_the_open_invoice_reactivates_it(fake_stripe):
    customer, subscription = failing_renewal(fake_stripe)
    method = stripe.PaymentMethod.attach("pm_card_visa", customer=customer.id)
    stripe.Invoice.pay(again(subscription).latest_invoice, payment_method=method.id)
    assert again(subscription).status == "active"


def test_it_ends_after_four_failed_attempts(fake_stripe):
    """Attempts on 1, 4, 9 and 16 February."""
    customer, subscription = failing_renewal(fake_stripe)
    advance(fake_stripe, customer, "2026-02-15T23:00")
    assert again(subscription).status == "past_due"
    advance(fake_stripe, customer, "2026-02-17")
    ended = again(subscription)
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")


def test_no_event_follows_the_end_of_a_subscription(fake_stripe):
    customer, _ = failing_renewal(fake_stripe)
    advance(fake_stripe, customer, "2026-02-17")
    said = [name for name in types(fake_stripe) if name.startswith("customer.subscription.")]
    assert said[-1] == "customer.subscription.deleted"
    assert said.count("customer.subscription.deleted") == 1


def test_nothing_is_collected_after_a_cancellation(fake_stripe):
    customer, subscription = failing_renewal(fake_stripe)
    stripe.Subscription.cancel(subscription.id)
    advance(fake_stripe, customer, "2026-03-01")
    assert types(fake_stripe).count("invoice.payment_failed") == 1


def test_a_declined_first_payment_leaves_it_incomplete_and_then_expired(fake_stripe):
    customer = customer_at("2026-01-01", "pm_card_chargeCustomerFail")
    subscription = subscribe(customer)
    assert subscription.status == "incomplete"
    advance(fake_stripe, customer, "2026-01-02")
    assert again(subscription).status == "incomplete_expired"


def test_a_declined_first_payment_can_raise_an_error():
    customer = new_customer("pm_card_chargeCustomerFail")
    with pytest.raises(stripe.CardError):
        subscribe(customer, payment_behavior="error_if_incomplete")
    assert stripe.Subscription.list(customer=customer.id, status="all").data == []


def test_a_subscription_needs_a_card():
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        subscribe(new_customer(""))


def test_paused_collection_voids_invoices(fake_stripe):
    customer = customer_at("2026-01-01")
    subscription = subscribe(customer)
    resumes: Any = {"behavior": "void", "resumes_at": seconds("2026-02-15")}
    stripe.Subscription.modify(subscription.id, pause_collection=resumes)
    advance(fake_stripe, customer, "2026-03-02")
    statuses = [invoice.status for invoice in stripe.Invoice.list(customer=customer.id).data]
    assert statuses == ["paid", "void", "paid"]


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ({"duration": "once"}, [750, 1000, 1000, 1000]),
        ({"duration": "repeating", "duration_in_months": 2}, [750, 750, 1000, 1000]),
        ({"duration": "forever"}, [750, 750, 750, 750]),
    ],
)
def test_a_coupon_applies_for_its_duration(fake_stripe, duration, expected):
    coupon = stripe.Coupon.create(percent_off=25, **duration)
    customer = customer_at("2026-01-01")
    subscribe(customer, discounts=[{"coupon": coupon.id}])
    advance(fake_stripe, customer, "2026-04-02")
    assert totals(customer) == expected


def test_a_discount_names_its_coupon_when_expanded():
    coupon = stripe.Coupon.create(amount_off=300, currency="usd", duration="forever")
    subscription = subscribe(
        new_customer(), discounts=[{"coupon": coupon.id}], expand=["discounts.source.coupon"]
    )
    assert subscription.discounts[0].source.coupon.amount_off == 300


@pytest.mark.parametrize(("mode", "expected"), [("graduated", 1300), ("volume", 1200)])
def test_tiers_are_graduated_or_by_volume(mode, expected):
    """12 units: 10 * 100 + 2 * 50 + 200 graduated; 12 * 50 + 600 by volume."""
    flat = 200 if mode == "graduated" else 600
    tiers: list[dict[str, Any]] = [{"up_to": 10, "unit_amount": 100}]
    tiers += [{"up_to": "inf", "unit_amount": 50, "flat_amount": flat}]
    price = new_price(None, billing_scheme="tiered", tiers_mode=mode, tiers=tiers)
    customer = new_customer()
    subscribe(customer, price, 12)
    assert totals(customer) == [expected]


def test_metered_usage_is_billed_at_the_end_of_the_period(fake_stripe):
    meter = stripe.billing.Meter.create(
        display_name="Runs", event_name="run", default_aggregation={"formula": "sum"}
    )
    price = new_price(5, recurring={"usage_type": "metered", "meter": meter.id})
    customer = customer_at("2026-01-01")
    stripe.Subscription.create(customer=customer.id, items=[{"price": price.id}])
    for value in ("30", "12"):
        payload = {"stripe_customer_id": customer.id, "value": value}
        stripe.billing.MeterEvent.create(event_name="run", payload=payload)
    advance(fake_stripe, customer, "2026-02-02")
    assert totals(customer) == [0, 210]


def test_prices_of_different_intervals_are_refused():
    items: Any = [{"price": new_price().id}, {"price": new_price(1, "year").id}]
    with pytest.raises(stripe.InvalidRequestError, match="must match"):
        stripe.Subscription.create(customer=new_customer().id, items=items)


def test_the_last_item_cannot_be_deleted():
    subscription = subscribe(new_customer())
    items: Any = [{"id": item_of(subscription).id, "deleted": True}]
    with pytest.raises(stripe.InvalidRequestError, match="at least one"):
        stripe.Subscription.modify(subscription.id, items=items)


def test_lists_exclude_ended_subscriptions_unless_requested():
    customer = new_customer()
    stripe.Subscription.cancel(subscribe(customer).id)
    kept = subscribe(customer)
    assert [
        subscription.id for subscription in stripe.Subscription.list(customer=customer.id).data
    ] == [kept.id]
    assert len(stripe.Subscription.list(customer=customer.id, status="all").data) == 2


def test_a_refund_is_recorded_on_the_charge():
    subscribe(new_customer())
    charge = stripe.Charge.list().data[0]
    stripe.Refund.create(charge=charge.id, amount=400, reason="requested_by_customer")
    refunded = stripe.Charge.retrieve(charge.id, expand=["refunds"])
    assert (refunded.amount_refunded, refunded.refunded) == (400, False)
    assert [refund.amount for refund in refunded.refunds.data] == [400]


def test_more_than_was_paid_cannot_be_refunded():
    subscribe(new_customer())
    charge: Any = stripe.Charge.list().data[0]
    stripe.Refund.create(payment_intent=charge.payment_intent, amount=400)
    with pytest.raises(stripe.InvalidRequestError, match="greater than"):
        stripe.Refund.create(charge=charge.id, amount=601)
    stripe.Refund.create(charge=charge.id)
    with pytest.raises(stripe.InvalidRequestError) as error:
        stripe.Refund.create(charge=charge.id)
    assert error.value.code == "charge_already_refunded"


def test_an_item_can_be_added_and_removed():
    subscription, price = subscribe(new_customer()), new_price(500)
    added = stripe.SubscriptionItem.create(subscription=subscription.id, price=price.id)
    assert [item.price.id for item in again(subscription)["items"].data][1] == price.id
    stripe.SubscriptionItem.delete(added.id)
    assert len(again(subscription)["items"].data) == 1


def test_a_trial_can_be_extended(fake_stripe):
    customer = customer_at("2026-01-01")
    subscription = subscribe(customer, trial_period_days=14)
    stripe.Subscription.modify(subscription.id, trial_end=seconds("2026-02-01"))
    advance(fake_stripe, customer, "2026-01-20")
    assert again(subscription).status == "trialing"
    advance(fake_stripe, customer, "2026-02-02")
    assert (again(subscription).status, totals(customer)) == ("active", [0, 1000])


def test_a_trial_can_be_ended_now():
    subscription = subscribe(new_customer(), trial_period_days=14)
    ended = stripe.Subscription.modify(subscription.id, trial_end="now", expand=["latest_invoice"])
    assert (ended.status, ended.latest_invoice.amount_paid) == ("active", 1000)


def test_real_time_renews_subscriptions_without_a_test_clock(fake_stripe):
    with time_machine.travel("2026-01-01", tick=False):
        customer = new_customer()
        subscription = subscribe(customer)
    with time_machine.travel("2026-03-15", tick=False), fake_stripe.lock:
        clocks.advance_real_time(fake_stripe.state)
    assert totals(customer) == [1000, 1000, 1000]
    renewed = stripe.Invoice.retrieve(again(subscription).latest_invoice)
    assert renewed.created == seconds("2026-03-01")
