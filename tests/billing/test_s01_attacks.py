"""S01, S03: what a stranger with the public key tries in a paying customer's name, in whole."""

import pytest

from analytics.models import DistinctId, Person, ProjectKey
from billing.limits import usage_notices
from billing.models import Plan, PlanPrice, StripeCustomer
from billing.stripe import gateway
from tests.api import staff_client
from tests.billing.limited_usage import NOW, claim, claimed, identify, limit, ran
from tests.billing.stripe_shop import Shop, create_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_account, worker):
    shop = Shop(stripe_account)
    PlanPrice.objects.create(plan=Plan.objects.get(slug="pro"), price_id=shop.price)
    return shop


@pytest.fixture
def victim(shop, client):
    """A subscriber whose id only Stripe has proved."""
    create_person("victim")
    customer = shop.customer("victim", email="victim@example.com")
    shop.subscribes(customer)
    shop.delivered(client)
    return customer


def post(path, distinct_id, **body):
    body = {"distinct_id": distinct_id} | body
    return staff_client().post(f"/api/billing/{path}", body, format="json")


def plan_of(distinct_id):
    return post("usage/check", distinct_id, meter="workflow_runs").json()["current_plan"]


def claims_to_be(victim, attacker="mallory"):
    """Say with the public key, by each way, that two ids are one person."""
    claimed(event="$identify", person=victim, other_id=attacker)
    claimed(event="$create_alias", person=victim, other_id=attacker)
    claimed(event="$merge_dangerously", person=victim, other_id=attacker)
    claimed(event="$merge_dangerously", person=attacker, other_id=victim)


def test_s01_a_stranger_gets_neither_plan_nor_portal_of_a_subscriber(victim):
    claimed(person="mallory")
    claims_to_be("victim")
    assert (plan_of("victim"), plan_of("mallory")) == ("pro", "free")
    assert post("stripe/portal-session", "victim").status_code == 200
    assert post("stripe/portal-session", "mallory").status_code == 409
    assert post("stripe/change-plan", "mallory", quantity=2).status_code == 409


def test_s01_an_id_claimed_before_its_subscriber_was_proved_is_split_off(shop, client):
    claimed(person="mallory")
    claims_to_be("victim")
    shop.subscribes(shop.customer("victim"))
    shop.delivered(client)
    assert (plan_of("victim"), plan_of("mallory")) == ("pro", "free")
    assert post("stripe/portal-session", "mallory").status_code == 409


def test_s01_a_stranger_cannot_redirect_a_subscribers_mail(victim, mail_server):
    limit(10, plan="pro")
    claim("mallory@example.com", "victim")
    claims_to_be("victim")
    claim("mallory@example.com", "victim", key=ProjectKey.objects.create(name="Web").pk)
    ran(9, person="victim")
    usage_notices.notify_all(now=NOW)
    recipients = {address for mail in mail_server.messages for address in mail.recipients}
    assert recipients == {"victim@example.com"}


def test_s01_a_trusted_keys_claim_does_not_redirect_a_proved_address(shop, mail_server):
    key = ProjectKey.objects.create(name="Web", mail_claimed_addresses=True)
    limit(10)
    identify("victim@example.com", "victim")
    claim("mallory@example.com", "victim", key=key.pk)
    ran(9, person="victim")
    usage_notices.notify_all(now=NOW)
    [message] = mail_server.messages
    assert message.recipients == ["victim@example.com"]


def test_s03_a_buyer_cannot_join_a_subscriber(victim, shop, client):
    session = shop.call(
        "post",
        "/v1/checkout/sessions",
        mode="subscription",
        line_items=[{"price": shop.price, "quantity": 1}],
        client_reference_id="victim",
        customer_email="victim@example.com",
        success_url="https://example.com",
    )
    shop.pays(session)
    shop.delivered(client)
    claim("mallory@example.com", "mallory")
    assert StripeCustomer.objects.get().pk == victim


def test_s03_a_linked_customer_stays_with_its_person_when_claims_are_split_off(shop, client):
    claimed(person="victim")
    claims_to_be("victim")
    customer = shop.customer("mallory")
    shop.subscribes(customer)
    shop.delivered(client)
    identify("victim@example.com", "victim")
    mallory = Person.objects.get(distinct_ids="mallory")
    assert gateway.persons_of([customer]) == {customer: mallory.pk}
    assert DistinctId.objects.get(pk="victim").person_id != mallory.pk
    assert (plan_of("victim"), plan_of("mallory")) == ("free", "pro")
