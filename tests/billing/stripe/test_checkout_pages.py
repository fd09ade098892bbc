"""The checkout links that people follow to Stripe."""

from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from analytics.models import Person
from billing.stripe import gateway
from tests.billing.stripe_shop import Shop, create_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_account, worker):
    create_person("ada")
    return Shop(stripe_account)


def link(shop, price=""):
    person = Person.objects.get(distinct_ids="ada")
    url = gateway.checkout_url(person, price or shop.price)
    return url.removeprefix("http://localhost:8000")


def client_page(url):
    return requests.get(url, timeout=10).text


def sessions():
    return gateway.call("get", "/v1/checkout/sessions", limit=100)["data"]


def test_a_link_redirects_to_stripes_checkout(shop, client):
    answer = client.get(link(shop))
    (session,) = sessions()
    assert (answer.status_code, answer["Location"]) == (302, session["url"])
    assert session["client_reference_id"] == "ada"


def test_creating_a_link_needs_no_query_and_no_call(shop, django_assert_num_queries, settings):
    person = Person.objects.get(distinct_ids="ada")
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with django_assert_num_queries(0):
        assert gateway.checkout_url(person, "price_1")


def test_subscribers_are_redirected_to_the_portal(shop, client):
    shop.subscribes(shop.customer("ada"))
    shop.delivered(client)
    assert "/p/session/" in client.get(link(shop))["Location"]
    assert sessions() == []


def test_prefetching_creates_no_session(shop, client):
    assert client.head(link(shop)).status_code == 200
    assert client.get(link(shop), headers={"Sec-Purpose": "prefetch"}).status_code == 200
    assert sessions() == []


def test_a_forged_or_expired_link_is_explained(shop, client, time_machine):
    url = link(shop)
    assert client.get(url.replace("checkout/", "checkout/x")).status_code == 404
    time_machine.move_to(timezone.now() + timedelta(days=31))
    answer = client.get(url)
    assert answer.status_code == 404
    assert "no longer valid" in answer.content.decode()


def test_a_deleted_price_is_404(shop, client):
    assert client.get(link(shop, "price_gone")).status_code == 404


def test_an_unavailable_stripe_is_explained(shop, client, settings):
    gateway.refresh("price", shop.price)
    url = link(shop)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    answer = client.get(url)
    assert answer.status_code == 503
    assert "You were not charged" in answer.content.decode()


def test_a_subscription_created_meanwhile_is_a_503(shop, client, monkeypatch):
    seen = iter([[], [{"id": "sub_1"}]])
    monkeypatch.setattr("billing.stripe.subscriptions.current", lambda _: next(seen))
    assert client.get(link(shop)).status_code == 503
    assert sessions() == []


def test_the_portal_is_that_of_the_paying_customer(shop, client):
    paying = shop.customer("ada")
    shop.subscribes(paying)
    shop.customer("ada")  # a newer customer without a subscription
    shop.delivered(client)
    session = client.get(link(shop))["Location"]
    assert gateway.persons_of([paying])
    assert "/p/session/" in session
    page = client_page(session)
    assert "There is no subscription" not in page


def test_without_stripe_there_is_no_link(db, settings):
    settings.STRIPE_SECRET_KEY = ""
    assert gateway.checkout_url(Person(pk=1), "price_1") == ""


def test_people_come_back_to_our_page(client, db):
    assert "Thank you" in client.get("/billing/checkout/done/").content.decode()
    assert "You were not charged" in client.get("/billing/checkout/canceled/").content.decode()
