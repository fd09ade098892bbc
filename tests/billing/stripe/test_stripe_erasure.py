"""Erasure removes personal data from stored Stripe objects; revenue stays correct."""

import json
from typing import Any

import pytest

from analytics.calculations.records import Proof
from analytics.ingestion import ingest
from analytics.models import Person
from analytics.people import exclusions
from analytics.privacy import erasure
from billing.models import RevenueCustomer, StripeCustomer, StripeEvent
from billing.revenue import ledger, ledger_check
from billing.stripe import applying, gateway, loading, sync
from tests.billing.stripe_shop import Shop, create_person
from tests.events import NOON, record

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


def erase_ada():
    erasure.erase([Person.objects.get(distinct_ids="ada").pk])


def stored_text(customer):
    kept = [gateway.stored("customer", customer), *gateway.invoices([customer])]
    kept += StripeEvent.objects.values_list("payload", flat=True)
    return json.dumps(kept)


def test_s08_later_events_bring_neither_names_nor_a_link_back(ada, stripe_account, client):
    erase_ada()
    shop = Shop(stripe_account)
    create_person("ben")
    details: dict[str, Any] = {
        "name": "Ada Byron",
        "email": "ada2@example.com",
        "metadata": {"distinct_id": "ben"},
    }
    shop.call("post", f"/v1/customers/{ada}", **details)
    assert set(shop.delivered(client)) == {200}
    assert "Byron" not in stored_text(ada)
    assert "ada2@" not in stored_text(ada)
    assert not StripeCustomer.objects.exists()


def test_s08_a_sync_brings_no_name_back_and_changes_no_figure(ada):
    erase_ada()
    report = sync.sync()
    assert ("customer", ada) not in report.corrected
    assert "Lovelace" not in stored_text(ada)
    assert RevenueCustomer.objects.get().mrr == 2000
    assert ledger_check.check() == []


def test_s08_the_revenue_of_an_erased_test_person_stays_excluded(ada):
    person = Person.objects.get(distinct_ids="ada")
    exclusions.decide([person.pk], excluded=True)
    ledger.recount([ada])
    erase_ada()
    ledger.recount_due(now=NOON)
    assert RevenueCustomer.objects.get().excluded
    assert ledger_check.check() == []


def test_s08_an_event_that_arrives_before_its_customer_is_erased_is_applied_after(ada, client):
    """It waits, is anonymized with the others, and applied without names."""
    StripeEvent.objects.update(state="waiting", due_at=NOON)
    erase_ada()
    applying.apply_due(now=gateway.moment())
    assert "Lovelace" not in stored_text(ada)
    assert not StripeCustomer.objects.exists()


def person_with_address(distinct_id, email, *, proved):
    create_person(distinct_id)
    facts = {"properties": {"email": email}, "proved": {"email": email} if proved else {}}
    Person.objects.filter(distinct_ids=distinct_id).update(**facts)
    return Person.objects.get(distinct_ids=distinct_id).pk


@pytest.mark.parametrize(("proved", "stays"), [(True, False), (False, True)])
def test_s08_an_unlinked_customer_is_erased_by_a_proved_address(
    stripe_account, worker, client, proved, stays
):
    shop = Shop(stripe_account)
    customer = shop.customer(email="cleo@example.com", name="Cleo Example")
    shop.delivered(client)
    cleo = person_with_address("cleo-1", "cleo@example.com", proved=proved)
    receipt = erasure.erase([cleo])
    assert ("Cleo Example" in stored_text(customer)) is stays
    assert any(customer in call.call + call.note for call in receipt.elsewhere)


def test_s08_claims_clean_no_stripe_objects_of_others(stripe_account, worker, client):
    shop = Shop(stripe_account)
    customer = shop.customer("customer-2041", name="Cleo Example")
    shop.delivered(client)
    guest = {"id": "cs_8", "object": "checkout.session", "customer": None}
    loading.load([json.dumps(guest | {"customer_email": "cfo@bigcorp.example"})])
    claims = {"$set": {"email": "cfo@bigcorp.example"}}
    claim = record("$identify", "att-customer", other_id="customer-2041", properties=claims)
    ingest.store([claim])
    ingest.store([record("signed_up", "att-customer", proof=Proof.PROVED)])
    assert Person.objects.get().distinct_ids.count() == 2
    erasure.erase([Person.objects.get(distinct_ids="att-customer").pk])
    session = gateway.stored("checkout.session", "cs_8") or {}
    assert session["customer_email"] == "cfo@bigcorp.example"
    assert "Cleo Example" in stored_text(customer)
