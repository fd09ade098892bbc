"""All stored Stripe objects are compared with Stripe, and corrected."""

import io

import pytest
from django.core.management import CommandError, call_command

from analytics.models import Event
from billing.models import RevenueCustomer, StripeCustomer, StripeEvent
from billing.stripe import gateway, sync
from billing.stripe.gateway import StoreOutcome
from tests.billing.stripe_shop import Shop, create_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(stripe_account):
    return Shop(stripe_account)


def test_a_first_sync_imports_an_account_with_its_history(shop):
    create_person("ada")
    subscription = shop.subscribes(shop.customer("ada"))
    item = subscription["items"]["data"][0]["id"]
    shop.changes(subscription, items=[{"id": item, "price": shop.priced(5000)}])
    report = sync.sync()
    assert report.outcomes["subscription"] == {StoreOutcome.NEW: 1}
    assert RevenueCustomer.objects.get().mrr == 5000
    assert StripeCustomer.objects.get().distinct_id_id == "ada"
    assert Event.objects.filter(event="subscription_upgraded").count() == 1


def test_a_second_sync_corrects_nothing(shop):
    shop.subscribes(shop.customer())
    sync.sync()
    events = StripeEvent.objects.count()
    report = sync.sync()
    assert (report.corrected, report.missed_events) == ([], 0)
    assert report.outcomes["subscription"] == {StoreOutcome.UNCHANGED: 1}
    assert StripeEvent.objects.count() == events


def test_a_wrong_stored_object_is_corrected_and_reported(shop):
    subscription = shop.subscribes(shop.customer())
    sync.sync()
    stored = gateway.stored("subscription", subscription["id"])
    assert stored
    gateway.store(stored | {"status": "canceled"}, as_of=gateway.moment(), read_now=True)
    report = sync.sync()
    assert report.corrected == [("subscription", subscription["id"])]
    assert RevenueCustomer.objects.get().mrr == 2000


def test_a_customer_deleted_at_stripe_is_detected(shop):
    customer = shop.customer()
    sync.sync()
    shop.call("delete", f"/v1/customers/{customer}")
    sync.sync()
    stored = gateway.stored("customer", customer)
    assert stored
    assert stored["deleted"] is True


def test_an_object_missing_at_stripe_is_reported_and_kept(shop):
    strange = {"id": "prod_strange", "object": "product", "name": "Strange", "active": True}
    gateway.store(strange, as_of=gateway.moment())
    report = sync.sync()
    assert report.missing_at_stripe == [("product", "prod_strange")]
    assert gateway.stored("product", "prod_strange") == strange


def test_all_pages_are_read(shop):
    for number in range(103):
        shop.call("post", "/v1/products", name=f"Product {number}")
    assert sync.sync().outcomes["product"] == {StoreOutcome.NEW: 104}


def test_the_command_reports_what_it_did(shop):
    shop.subscribes(shop.customer())
    out = io.StringIO()
    call_command("sync_stripe", stdout=out)
    assert "subscription  1 new" in out.getvalue()


def test_without_stripe_the_command_names_the_missing_setting(settings):
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(CommandError, match="STRIPE_SECRET_KEY is empty"):
        call_command("sync_stripe")
