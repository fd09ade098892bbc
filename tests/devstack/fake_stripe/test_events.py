"""What the fake Stripe says of a change, and how it is delivered."""

import pytest
import stripe

from devstack.fake_stripe import FakeStripe
from tests.devstack.fake_stripe.receiver import listening
from tests.devstack.fake_stripe.stripe_calls import (
    change,
    new_customer,
    new_price,
    subscribe,
    types,
)
from tests.processes import wait_until

pytestmark = pytest.mark.usefixtures("fake_stripe")


@pytest.fixture
def receiver(fake_stripe):
    with listening() as server:
        fake_stripe.webhook_url = server.url
        yield server


def test_a_delivered_event_has_a_valid_signature(fake_stripe, receiver):
    new_customer("", name="Ada")
    assert fake_stripe.deliver() == [200]
    body, header = receiver.received[0]
    event = stripe.Webhook.construct_event(body, header, fake_stripe.webhook_secret)
    assert (event.type, event.data.object.name) == ("customer.created", "Ada")


def test_another_secret_does_not_verify(fake_stripe, receiver):
    new_customer("")
    fake_stripe.deliver()
    body, header = receiver.received[0]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, header, "whsec_another")


def test_a_delivered_event_leaves_the_queue(fake_stripe, receiver):
    new_customer("")
    fake_stripe.deliver()
    assert fake_stripe.deliver() == []
    assert fake_stripe.events[0]["pending_webhooks"] == 0


def test_a_refused_event_waits_for_another_attempt(fake_stripe, receiver):
    new_customer("")
    receiver.status = 500
    assert fake_stripe.deliver() == [500]
    receiver.status = 200
    assert fake_stripe.deliver() == [200]


def test_without_a_listener_nothing_is_lost(fake_stripe):
    fake_stripe.webhook_url = "http://127.0.0.1:9/"
    new_customer("")
    assert fake_stripe.deliver() == [0]
    assert len(fake_stripe.state.undelivered) == 1


def test_copies_of_each_event_arrive_in_parallel(fake_stripe, receiver):
    subscribe(new_customer())
    fake_stripe.deliver(copies=3, threads=8)
    assert sorted(receiver.ids) == sorted([event["id"] for event in fake_stripe.events] * 3)


def test_events_are_shuffled_by_a_seed(fake_stripe, receiver):
    subscribe(new_customer())
    fake_stripe.deliver(shuffle=1)
    in_order = [event["id"] for event in fake_stripe.events]
    assert receiver.ids != in_order
    assert sorted(receiver.ids) == sorted(in_order)


def test_the_delivery_thread_sends_without_a_call(receiver, monkeypatch):
    server = FakeStripe(webhook_url=receiver.url)
    server.start(delivering=True)
    monkeypatch.setattr(stripe, "api_base", server.url)
    new_customer("")
    wait_until(lambda: receiver.received)
    server.stop()


def test_an_update_has_the_previous_values(fake_stripe):
    subscription = subscribe(new_customer())
    stripe.Subscription.modify(subscription.id, cancel_at_period_end=True)
    event = fake_stripe.events[-1]
    assert event["type"] == "customer.subscription.updated"
    assert event["data"]["previous_attributes"]["cancel_at_period_end"] is False
    assert event["data"]["object"]["cancel_at_period_end"] is True


def test_a_price_change_has_the_previous_price(fake_stripe):
    old = new_price(1000)
    change(subscribe(new_customer(), old), new_price(3000))
    previous = fake_stripe.events[-1]["data"]["previous_attributes"]
    assert previous["items"]["data"][0]["price"]["id"] == old.id


def test_an_update_without_changes_emits_no_event(fake_stripe):
    customer = new_customer("", name="Ada")
    stripe.Customer.modify(customer.id, name="Ada")
    assert types(fake_stripe) == ["customer.created"]


def test_events_are_listed_by_type(fake_stripe):
    subscribe(new_customer())
    listed = stripe.Event.list(type="customer.subscription.*")
    assert [event.type for event in listed.data] == ["customer.subscription.created"]


def test_an_endpoint_gets_only_its_enabled_events(fake_stripe):
    with listening() as receiver:
        endpoint = stripe.WebhookEndpoint.create(url=receiver.url, enabled_events=["invoice.paid"])
        subscribe(new_customer())
        fake_stripe.deliver()
        body, header = receiver.received[0]
        event = stripe.Webhook.construct_event(body, header, endpoint.secret)
    assert (len(receiver.received), event.type) == (1, "invoice.paid")


def test_the_delivery_thread_retries(receiver, monkeypatch):
    receiver.status = 500
    server = FakeStripe(webhook_url=receiver.url)
    server.start(delivering=True)
    monkeypatch.setattr(stripe, "api_base", server.url)
    new_customer("")
    wait_until(lambda: receiver.received)
    receiver.status = 200
    wait_until(lambda: not server.state.undelivered)
    server.stop()
