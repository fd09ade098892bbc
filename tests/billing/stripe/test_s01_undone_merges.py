"""S01: what two merged persons could have bought is not paid for the other after the undo."""

from datetime import timedelta

import pytest
from django.utils import timezone

from analytics.models import Person, PersonMerge
from analytics.people import manual_merging, unmerging
from billing import tasks
from billing.models import Plan, PlanPrice
from billing.stripe import gateway
from tests.billing.stripe_shop import Shop, create_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_account, worker):
    create_person("ada", proved=True)
    create_person("bob", proved=True)
    shop = Shop(stripe_account)
    PlanPrice.objects.create(plan=Plan.objects.get(slug="pro"), price_id=shop.price)
    return shop


def person(distinct_id):
    return Person.objects.get(distinct_ids=distinct_id)


def merge():
    other = person("bob")
    manual_merging.merge(person("ada").pk, "bob", other_id=other.pk, by="staff")


def undo():
    unmerging.undo(PersonMerge.objects.get().pk, by="staff", now=timezone.now())
    tasks.apply_pending_stripe_events()


def statuses():
    sessions = gateway.call("get", "/v1/checkout/sessions", limit=100)["data"]
    return {session["metadata"]["distinct_id"]: session["status"] for session in sessions}


def link(shop, distinct_id):
    return gateway.checkout_url(person(distinct_id), shop.price).removeprefix(
        "http://localhost:8000"
    )


@pytest.mark.parametrize("distinct_id", ["ada", "bob"])
def test_s01_a_checkout_of_two_merged_persons_cannot_be_paid_after_the_undo(shop, ask, distinct_id):
    shop.customer("ada")
    merge()
    assert ask("checkout-session", plan="pro", distinct_id=distinct_id).status_code == 200
    undo()
    assert statuses() == {distinct_id: "expired"}


def test_s01_a_checkout_from_before_the_merge_cannot_be_paid_after_the_undo(shop, ask):
    ask("checkout-session", plan="pro", distinct_id="bob")
    merge()
    undo()
    assert statuses() == {"bob": "expired"}


def test_a_checkout_from_after_the_undo_stays_open(shop, ask, time_machine):
    merge()
    undo()
    time_machine.move_to(timezone.now() + timedelta(minutes=5), tick=False)
    ask("checkout-session", plan="pro", distinct_id="bob")
    tasks.apply_pending_stripe_events()
    assert statuses() == {"bob": "open"}


def test_a_merge_alone_leaves_checkouts_open(shop, ask):
    ask("checkout-session", plan="pro", distinct_id="bob")
    merge()
    tasks.apply_pending_stripe_events()
    assert statuses() == {"bob": "open"}


def test_s01_a_link_made_while_two_persons_were_merged_sells_nothing_after_the_undo(shop, client):
    merge()
    url = link(shop, "ada")
    assert client.get(url).status_code == 200
    undo()
    assert client.get(url).status_code == client.post(url).status_code == 404
    assert statuses() == {}


def test_a_link_made_after_the_undo_sells(shop, client, time_machine):
    merge()
    undo()
    time_machine.move_to(timezone.now() + timedelta(minutes=5), tick=False)
    assert [client.get(link(shop, who)).status_code for who in ("ada", "bob")] == [200, 200]
