"""Erasure removes personal data from stored Stripe objects; revenue stays correct."""

import json

import pytest

from analytics.models import Person
from analytics.privacy import erasure
from billing.models import RevenueCustomer, StripeCustomer, StripeEvent
from billing.revenue import ledger_check
from billing.stripe import gateway
from tests.billing.stripe_shop import Shop, create_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(stripe_account, worker, client):
    shop = Shop(stripe_account)
    create_person("ada")
    customer = shop.customer("ada", email="ada@example.com", name="Ada Lovelace")
    shop.subscribes(customer)
    shop.delivered(client)
    return customer


def test_no_stored_data_names_an_erased_person(ada):
    erasure.erase([Person.objects.get(distinct_ids="ada").pk])
    kept = [event.payload for event in StripeEvent.objects.filter(customer_id=ada)]
    kept += [gateway.stored("customer", ada), *gateway.invoices([ada])]
    text = json.dumps(kept)
    assert len(kept) > 3
    for trace in ("ada@example.com", "Lovelace", '"ada"'):
        assert trace not in text
    assert not StripeCustomer.objects.exists()


def test_the_revenue_of_an_erased_person_stays(ada):
    erasure.erase([Person.objects.get(distinct_ids="ada").pk])
    assert RevenueCustomer.objects.get().mrr == 2000
    assert ledger_check.check() == []


def test_another_customer_keeps_their_name(ada, stripe_account, client):
    shop = Shop(stripe_account)
    create_person("ben")
    ben = shop.customer("ben", email="ben@example.com")
    shop.delivered(client)
    erasure.erase([Person.objects.get(distinct_ids="ada").pk])
    stored = gateway.stored("customer", ben)
    assert stored
    assert stored["email"] == "ben@example.com"
