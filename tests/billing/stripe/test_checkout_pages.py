"""The links that persons follow to Stripe."""

from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from analytics.models import Person
from billing.stripe import gateway
from tests.billing.stripe_shop import Shop, known

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_account, worker):
    known("ada")
    return Shop(stripe_account)


def link(shop, price=""):
    person = Person.objects.get(distinct_ids="ada")
    url = gateway.checkout_url(person, price or shop.price)
    return url.removeprefix("http://localhost:8000")


def client_page(url):
    return requests.get(url, timeout=10).text


def sessions():
    return gateway.call("get", "/v1/checkout/sessions", limit=100)["data"]


def test_a_link_leads_to_stripe_s_checkout(shop, client):
    answer = client.get(link(shop))
    (session,) = sessions()
    assert (answer.status_code, answer["Location"]) == (302, session["url"])
    assert session["client_reference_id"] == "ada"


def test_making_a_link_costs_no_query_and_no_call(shop, django_assert_num_queries, settings):
    person = Person.objects.get(distinct_ids="ada")
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with django_assert_num_queries(0):
        assert gateway.checkout_url(person, "price_1")


def test_who_subscribes_already_comes_to_the_portal(shop, client):
    shop.subscribes(shop.customer("ada"))
    shop.delivered(client)
    assert "/p/session/" in client.get(link(shop))["Location"]
    assert sessions() == []


def test_who_only_looks_makes_no_session(shop, client):
    assert client.head(link(shop)).status_code == 200
    assert client.get(link(shop), headers={"Sec-Purpose": "prefetch"}).status_code == 200
    assert sessions() == []


def test_a_link_that_is_not_ours_or_too_old_is_explained(shop, client, time_machine):
    url = link(shop)
    assert client.get(url.replace("checkout/", "checkout/x")).status_code == 404
    time_machine.move_to(timezone.now() + timedelta(days=31))
    answer = client.get(url)
    assert answer.status_code == 404
    assert "no longer valid" in answer.content.decode()


def test_a_price_that_is_gone_is_no_error_of_ours(shop, client):
    assert client.get(link(shop, "price_gone")).status_code == 404


def test_stripe_out_of_reach_is_explained(shop, client, settings):
    gateway.refresh("price", shop.price)
    url = link(shop)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    answer = client.get(url)
    assert answer.status_code == 503
    assert "Nothing was bought" in answer.content.decode()


def test_who_subscribes_while_they_follow_the_link_is_asked_to_try_again(shop, client, monkeypatch):
    seen = iter([[], [{"id": "sub_1"}]])
    monkeypatch.setattr("billing.stripe.subscriptions.living", lambda _: next(seen))
    assert client.get(link(shop)).status_code == 503
    assert sessions() == []


def test_the_portal_is_that_of_the_customer_who_pays(shop, client):
    paying = shop.customer("ada")
    shop.subscribes(paying)
    shop.customer("ada")  # a newer one, who has nothing
    shop.delivered(client)
    session = client.get(link(shop))["Location"]
    assert gateway.persons_of([paying])
    assert "/p/session/" in session
    shown = client_page(session)
    assert "There is no subscription" not in shown


def test_there_is_no_link_without_stripe(db, settings):
    settings.STRIPE_SECRET_KEY = ""
    assert gateway.checkout_url(Person(pk=1), "price_1") == ""


def test_people_come_back_to_a_page_of_ours(client, db):
    assert "Thank you" in client.get("/billing/checkout/done/").content.decode()
    assert "Nothing was bought" in client.get("/billing/checkout/cancelled/").content.decode()
