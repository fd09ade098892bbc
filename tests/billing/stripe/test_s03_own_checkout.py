"""S03: a purchase is for whom our checkout names; an address that a buyer enters proves nothing."""

from itertools import permutations

import pytest
import requests

from analytics.models import Event, Person
from billing import tasks
from billing.limits import plans
from billing.models import Plan, StripeCustomer
from billing.stripe import gateway, link_suggestions, sessions, subscriptions
from tests.billing.stripe_shop import Shop, create_person, deliver
from tests.events import NOON

pytestmark = pytest.mark.django_db
ADDRESS = "billing@bigco.example"


@pytest.fixture
def shop(stripe_account, worker):
    shop = Shop(stripe_account)
    Plan.objects.get(slug="pro").prices.create(price_id=shop.price)
    create("thief", ADDRESS)
    create("buyer")
    return shop


def create(distinct_id, email=""):
    create_person(distinct_id, proved=True)
    proved = {"email": email} if email else {}
    Person.objects.filter(distinct_ids=distinct_id).update(properties=proved, proved=proved)


def person(distinct_id):
    return Person.objects.get(distinct_ids=distinct_id)


def plans_now():
    return {name: plans.plan_of(person(name).pk, now=NOON).slug for name in ("buyer", "thief")}


def links():
    return dict(StripeCustomer.objects.values_list("distinct_id", "proof"))


def enters(url, email=ADDRESS):
    """Pay on the page of a session, entering an address."""
    form = {"action": "pay", "email": email}
    assert requests.post(url, form, timeout=10, allow_redirects=False).status_code == 303


def link(shop):
    url = gateway.checkout_url(person("buyer"), shop.price)
    return url.removeprefix("http://localhost:8000")


def payment_link(shop, **more):
    """Return the address of a session that names no one, as of a payment link."""
    lines = [{"price": shop.price, "quantity": 1}]
    success = "https://example.com"
    more |= {"mode": "subscription", "line_items": lines, "success_url": success}
    return shop.call("post", "/v1/checkout/sessions", **more)["url"]


def delivered_by_turns(shop, client):
    """Deliver the events; yield after each."""
    for event in shop.stripe.events:
        deliver(client, shop.stripe, event)
        yield event["type"]


class TestOwnCheckout:
    def test_s03_what_a_mailed_link_sells_is_never_anothers_whatever_address_is_entered(
        self, shop, client
    ):
        enters(client.post(link(shop))["Location"])
        for _ in delivered_by_turns(shop, client):
            assert "thief" not in links()
            assert plans_now()["thief"] == "free"
        assert plans_now() == {"buyer": "pro", "thief": "free"}
        assert links() == {"buyer": "metadata"}
        with pytest.raises(subscriptions.SubscriptionConflict):
            sessions.portal_session(person("thief"))

    def test_s03_what_a_backends_checkout_sells_is_never_anothers(self, shop, client):
        line = sessions.checkout_line(shop.price, None)
        enters(sessions.checkout_session(person("buyer"), "buyer", [line])["url"])
        for _ in delivered_by_turns(shop, client):
            assert "thief" not in links()
        assert plans_now() == {"buyer": "pro", "thief": "free"}

    def test_s03_the_timeline_of_what_is_bought_is_the_buyers(self, shop, client):
        enters(client.post(link(shop))["Location"])
        shop.delivered(client)
        bought = Event.objects.filter(event__in=["payment_succeeded", "subscription_created"])
        assert set(bought.values_list("distinct_id", flat=True)) == {"buyer"}

    def test_s03_the_address_that_was_entered_is_at_stripe(self, shop, client):
        enters(client.post(link(shop))["Location"])
        shop.delivered(client)
        assert gateway.addresses_of([person("buyer").pk]) == {person("buyer").pk: ADDRESS}


class TestEnteredAddresses:
    def test_s03_a_payment_links_buyer_is_a_suggestion_whatever_arrives_first(self, shop, client):
        enters(payment_link(shop))
        for _ in delivered_by_turns(shop, client):
            assert links() == {}
        tasks.apply_pending_stripe_events()
        assert links() == {}
        [row] = link_suggestions.unlinked()
        assert "a buyer entered" in row.candidates[0].reason

    def test_s03_a_session_that_comes_late_ends_a_link_by_the_address_entered(
        self, shop, client, monkeypatch
    ):
        enters(payment_link(shop))
        with monkeypatch.context() as before:  # Stripe does not list the session yet
            before.setattr("billing.stripe.gateway.naming.every", lambda *_, **__: [])
            *others, completed = shop.stripe.events
            for event in others:
                deliver(client, shop.stripe, event)
            assert links() == {"thief": "email"}
        deliver(client, shop.stripe, completed)
        assert (links(), plans_now()["thief"]) == ({}, "free")

    def test_s03_while_stripe_cannot_be_asked_no_address_links(self, shop, client, settings):
        customer = shop.customer(email=ADDRESS)
        own = next(row for row in shop.stripe.events if row["data"]["object"]["id"] == customer)
        gateway.store(own["data"]["object"], as_of=gateway.moment())
        url, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
        tasks.apply_pending_stripe_events()
        assert links() == {}
        settings.STRIPE_API_BASE = url
        tasks.apply_pending_stripe_events()
        assert links() == {"thief": "email"}

    def test_s03_a_customer_that_the_account_does_not_have_keeps_no_other_from_its_link(
        self, shop, client
    ):
        create("other", "other@example.com")
        foreign = {"id": "cus_0", "object": "customer", "email": "other@example.com"}
        gateway.store(foreign, as_of=gateway.moment())
        shop.customer(email=ADDRESS)
        shop.delivered(client)
        tasks.apply_pending_stripe_events()
        assert links()["thief"] == "email"

    def test_s03_a_customer_that_the_companys_code_created_is_linked_after_a_checkout_too(
        self, shop, client
    ):
        customer = shop.customer(email=ADDRESS)
        enters(payment_link(shop, customer=customer))
        shop.delivered(client)
        assert (links(), plans_now()["thief"]) == ({"thief": "email"}, "pro")


@pytest.mark.parametrize("naming", ["customer", "subscription", "session"])
@pytest.mark.parametrize("order", list(permutations(["linked", "named"])))
def test_s03_metadata_replaces_an_address_in_every_order(shop, client, naming, order):
    named = {"metadata": {"distinct_id": "buyer"}}
    customer = shop.customer(email=ADDRESS)
    steps = {"linked": lambda: shop.delivered(client), "named": lambda: name(shop, customer)}

    def name(shop, customer):
        if naming == "customer":
            shop.subscribes(customer)
            shop.call("post", f"/v1/customers/{customer}", **named)
        elif naming == "subscription":
            shop.subscribes(customer, **named)
        else:
            enters(payment_link(shop, customer=customer, **named))

    for step in order:
        steps[step]()
    shop.delivered(client)
    assert links() == {"buyer": "metadata"}
    assert plans_now() == {"buyer": "pro", "thief": "free"}


@pytest.mark.parametrize("lookalike", ["\u212aim@bigco.example", "\u0130an@bigco.example"])
def test_s03_a_lookalike_of_a_customers_address_links_no_one(shop, client, lookalike):
    create("stranger", lookalike)
    for name in ("kim", "ian"):
        shop.customer(email=f"{name}@bigco.example")
    shop.delivered(client)
    assert links() == {}


def test_a_link_says_that_it_was_used(shop, client):
    url = link(shop)
    enters(client.post(url)["Location"])
    answer = client.post(url)  # before Stripe's events arrive
    assert answer.status_code == 200
    assert "This link buys nothing more" in answer.content.decode()
