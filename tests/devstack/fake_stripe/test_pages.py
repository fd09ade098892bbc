"""The pages of the fake Stripe on which people pay and cancel."""

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import stripe

from tests.devstack.fake_stripe.stripe_calls import (
    again,
    customer_at,
    new_customer,
    new_price,
    subscribe,
    types,
)

pytestmark = pytest.mark.usefixtures("fake_stripe")


def checkout(**more):
    return stripe.checkout.Session.create(
        mode=more.pop("mode", "subscription"),
        line_items=[{"price": more.pop("price", None) or new_price().id, "quantity": 1}],
        success_url="https://example.com/thanks?session={CHECKOUT_SESSION_ID}",
        **more,
    )


def click(page, action, **fields):
    return requests.post(page.url, {"action": action, **fields}, allow_redirects=False, timeout=10)


def test_the_page_shows_the_amount():
    assert "Pay 10.00 USD" in requests.get(checkout().url, timeout=10).text


def test_paying_leads_to_the_success_page():
    session = checkout(customer=new_customer("").id)
    answer = click(session, "pay")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://example.com/thanks?session={session.id}"


def test_paying_creates_an_active_subscription():
    customer = new_customer("")
    session = checkout(customer=customer.id, subscription_data={"metadata": {"a": "b"}})
    click(session, "pay")
    done = stripe.checkout.Session.retrieve(session.id, expand=["subscription"])
    assert (done.status, done.payment_status) == ("complete", "paid")
    assert (done.subscription.status, done.subscription.customer) == ("active", customer.id)
    assert done.subscription.metadata.to_dict() == {"a": "b"}


def test_paying_emits_the_events_of_a_sale(fake_stripe):
    click(checkout(customer=new_customer("").id), "pay")
    assert {
        "customer.subscription.created",
        "invoice.paid",
        "charge.succeeded",
        "checkout.session.completed",
    } <= set(types(fake_stripe))


def test_a_missing_customer_is_created():
    session = checkout(client_reference_id="ada")
    click(session, "pay", email="ada@example.com")
    done = stripe.checkout.Session.retrieve(session.id, expand=["customer"])
    assert done.customer.email == "ada@example.com"


@pytest.mark.parametrize("before", [None, "ada@example.com"])
def test_the_address_that_is_entered_becomes_that_of_a_customer_without_one(before):
    customer = stripe.Customer.create(**({"email": before} if before else {}))
    click(checkout(customer=customer.id), "pay", email="eve@example.com")
    assert stripe.Customer.retrieve(customer.id).email == (before or "eve@example.com")


def test_a_declined_card_can_be_tried_again(fake_stripe):
    session = checkout(customer=new_customer("").id)
    assert "was declined" in click(session, "decline").text
    assert stripe.checkout.Session.retrieve(session.id).status == "open"
    assert "payment_intent.payment_failed" in types(fake_stripe)
    assert click(session, "pay").status_code == 303


def test_a_session_is_paid_once():
    session = checkout(customer=new_customer("").id)
    click(session, "pay")
    assert click(session, "pay").status_code == 400
    assert len(stripe.Subscription.list().data) == 1


def test_an_expired_session_cannot_be_paid():
    session = checkout()
    stripe.checkout.Session.expire(session.id)
    assert click(session, "pay").status_code == 400


def test_a_trial_is_not_paid_yet():
    session = checkout(subscription_data={"trial_period_days": 14}, customer=new_customer("").id)
    click(session, "pay")
    done = stripe.checkout.Session.retrieve(session.id, expand=["subscription"])
    assert (done.subscription.status, done.payment_status) == ("trialing", "no_payment_required")


def test_a_single_payment_is_charged():
    price = stripe.Price.create(currency="usd", unit_amount=700, product_data={"name": "Book"})
    session = checkout(mode="payment", price=price.id, customer=new_customer("").id)
    click(session, "pay")
    done = stripe.checkout.Session.retrieve(session.id, expand=["payment_intent"])
    assert done.payment_intent.amount_received == 700


def test_the_line_items_can_be_read():
    listed = stripe.checkout.Session.list_line_items(checkout().id)
    assert [item.amount_total for item in listed.data] == [1000]


def test_names_are_escaped():
    customer = new_customer("")
    price = stripe.Price.create(
        currency="usd", unit_amount=1, product_data={"name": "<b>"}, recurring={"interval": "month"}
    )
    page = requests.get(checkout(price=price.id, customer=customer.id).url, timeout=10).text
    assert "&lt;b&gt;" in page
    assert "<b>" not in page


def portal(customer):
    return stripe.billing_portal.Session.create(
        customer=customer.id, return_url="https://example.com/account"
    )


def test_the_portal_cancels_and_resumes():
    customer = new_customer()
    subscription, page = subscribe(customer), portal(customer)
    click(page, "cancel", subscription=subscription.id)
    assert again(subscription).cancel_at_period_end is True
    assert "Do not cancel" in requests.get(page.url, timeout=10).text
    click(page, "resume", subscription=subscription.id)
    assert again(subscription).cancel_at_period_end is False


def test_a_portal_is_for_its_own_customer_only():
    others = subscribe(new_customer())
    assert click(portal(new_customer()), "cancel", subscription=others.id).status_code == 403
    assert again(others).cancel_at_period_end is False


def test_a_new_card_pays_open_invoices(fake_stripe):
    customer = customer_at("2026-01-01", "pm_card_chargeCustomerFail")
    subscription = subscribe(customer)
    click(portal(customer), "good_card")
    assert again(subscription).status == "active"


def test_the_portal_links_to_the_return_url():
    page = requests.get(portal(new_customer()).url, timeout=10).text
    assert "https://example.com/account" in page
    assert urlsplit(portal(new_customer()).url).path.startswith("/p/session/bps_")


def test_an_open_invoice_is_paid_on_its_page():
    subscription = subscribe(new_customer("pm_card_chargeCustomerFail"))
    invoice: Any = stripe.Invoice.retrieve(subscription.latest_invoice)
    assert "Amount due" in requests.get(invoice.hosted_invoice_url, timeout=10).text
    requests.post(invoice.hosted_invoice_url, {"action": "pay"}, timeout=10)
    assert again(subscription).status == "active"
