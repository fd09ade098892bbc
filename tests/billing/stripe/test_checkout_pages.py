"""S01: the checkout links of e-mails and prompts, which everyone who gets hold of them can open."""

from datetime import timedelta
from itertools import chain, repeat

import pytest
import requests
from django.test import Client
from django.utils import timezone

from analytics.models import DistinctId, Person
from billing.models import Plan, PlanPrice, StripeCustomer
from billing.stripe import gateway
from tests.billing.stripe_shop import Shop, create_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_account, worker):
    create_person("ada", proved=True)
    return Shop(stripe_account)


def link(shop, price=""):
    person = Person.objects.get(distinct_ids="ada")
    url = gateway.checkout_url(person, price or shop.price)
    return url.removeprefix("http://localhost:8000")


def sessions():
    return gateway.call("get", "/v1/checkout/sessions", limit=100)["data"]


def subscribed(shop, client):
    """Let ada subscribe, with personal data at Stripe."""
    shop.subscribes(shop.customer("ada", email="ada@example.com", name="Ada Lovelace"))
    shop.delivered(client)


def test_a_link_offers_the_plan_and_its_button_leads_to_stripes_checkout(shop, client):
    PlanPrice.objects.create(plan=Plan.objects.get(slug="pro"), price_id=shop.price)
    page = client.get(link(shop)).content.decode()
    assert "Upgrade to Pro" in page
    assert "Continue to checkout" in page
    answer = client.post(link(shop))
    (session,) = sessions()
    assert (answer.status_code, answer["Location"]) == (302, session["url"])
    assert session["metadata"]["distinct_id"] == "ada"


def test_s01_opening_a_link_creates_no_session(shop, client):
    for _ in range(2):
        client.get(link(shop))
        client.head(link(shop))
    assert sessions() == []


def test_s01_pressing_the_button_again_leads_to_the_same_session(shop, client):
    url = link(shop)
    assert len({client.post(url)["Location"] for _ in range(3)}) == 1
    assert len(sessions()) == 1


def test_s01_the_button_needs_no_cookie(shop):
    assert Client(enforce_csrf_checks=True).post(link(shop)).status_code == 302


def test_s01_the_form_may_lead_to_stripe(shop, client):
    policy = client.get(link(shop))["Content-Security-Policy"]
    assert "form-action 'self' https:" in policy


def test_s01_the_checkout_of_a_link_shows_no_stored_customer(shop, client):
    shop.customer("ada", email="ada@example.com", name="Ada Lovelace")
    shop.delivered(client)
    location = client.post(link(shop))["Location"]
    (session,) = sessions()
    buyer = gateway.fetch("customer", session["customer"])
    assert buyer is not None
    assert (buyer["email"], buyer["name"], session["customer_email"]) == (None, None, None)
    page = requests.get(location, timeout=10).text
    assert "ada@example.com" not in page
    assert "Lovelace" not in page


def test_what_is_bought_through_a_link_is_the_persons(shop, client):
    client.post(link(shop))
    (session,) = sessions()
    shop.pays(session)
    shop.delivered(client)
    assert StripeCustomer.objects.get().distinct_id_id == "ada"


def test_s01_what_is_bought_goes_to_a_proved_id_not_to_a_claimed_one(shop, client):
    person = Person.objects.get(distinct_ids="ada")
    DistinctId.objects.create(pk="0-claimed", person=person)
    client.post(link(shop))
    assert sessions()[0]["metadata"]["distinct_id"] == "ada"


def test_s01_a_person_who_is_only_claimed_cannot_be_sold_anything(shop, client):
    url = link(shop)
    DistinctId.objects.update(proved=False)
    assert client.post(url).status_code == 404
    assert sessions() == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_s01_a_link_never_opens_the_portal_of_a_subscriber(shop, client, method):
    subscribed(shop, client)
    answer = getattr(client, method)(link(shop))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "You already have a subscription" in page
    assert f"{shop.stripe.url}/p/login/fake" in page
    assert sessions() == []
    for trace in ("/p/session/", "ada", "Lovelace", "cus_", "sub_"):
        assert trace not in page


@pytest.mark.parametrize("configuration", [{"login_page": {"enabled": False, "url": None}}, {}])
def test_s01_without_a_log_in_page_at_stripe_a_subscriber_is_sent_to_the_product(
    shop, client, monkeypatch, configuration, settings
):
    settings.PLUMBLINE_CHECKOUT_RETURN_URL = "https://product.example.com"
    subscribed(shop, client)
    answer = {"data": [configuration]}
    with monkeypatch.context() as patched:
        patched.setattr("billing.stripe.gateway.links.call", lambda *_, **__: answer)
        page = client.get(link(shop)).content.decode()
    assert "log in to the product" in page
    assert "https://product.example.com" in page


def test_s01_a_subscriber_is_sent_to_the_product_while_stripe_is_unavailable(
    shop, client, settings
):
    subscribed(shop, client)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    assert "log in to the product" in client.get(link(shop)).content.decode()


@pytest.mark.parametrize(("hours", "status"), [(71, 200), (73, 410)])
def test_s01_a_link_is_valid_for_72_hours(shop, client, time_machine, hours, status):
    url = link(shop)
    time_machine.move_to(timezone.now() + timedelta(hours=hours))
    answer = client.get(url)
    assert answer.status_code == status
    assert ("has expired" in answer.content.decode()) == (status == 410)


def test_s01_a_forged_link_is_explained(shop, client):
    answer = client.get(link(shop).replace("checkout/", "checkout/x"))
    assert answer.status_code == 404
    assert "log in to the product" in answer.content.decode()


def test_creating_a_link_needs_no_query_and_no_call(shop, django_assert_num_queries, settings):
    person = Person.objects.get(distinct_ids="ada")
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with django_assert_num_queries(0):
        assert gateway.checkout_url(person, "price_1")


def test_a_deleted_price_is_404(shop, client):
    assert client.get(link(shop, "price_gone")).status_code == 404


def test_an_unavailable_stripe_is_explained(shop, client, settings):
    gateway.refresh("price", shop.price)
    url = link(shop)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    answer = client.post(url)
    assert answer.status_code == 503
    assert "You were not charged" in answer.content.decode()


def test_a_subscription_created_meanwhile_is_said(shop, client, monkeypatch):
    seen = chain([[]], repeat([{"id": "sub_1"}]))
    monkeypatch.setattr("billing.stripe.subscriptions.current", lambda _: next(seen))
    assert "You already have a subscription" in client.post(link(shop)).content.decode()
    assert sessions() == []


def test_without_stripe_there_is_no_link(db, settings):
    settings.STRIPE_SECRET_KEY = ""
    assert gateway.checkout_url(Person(pk=1), "price_1") == ""


def test_people_come_back_to_our_page(client, db):
    assert "Thank you" in client.get("/billing/checkout/done/").content.decode()
    assert "You were not charged" in client.get("/billing/checkout/canceled/").content.decode()
