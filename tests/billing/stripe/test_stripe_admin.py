"""Staff see Stripe's events, retry failed ones, and link customers to persons."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from analytics.models import Event, Person
from billing.models import RevenueCustomer, StripeCustomer, StripeEvent
from billing.stripe import events
from tests.billing.admin_pages import text
from tests.billing.stripe_shop import Shop, create_person

pytestmark = pytest.mark.django_db
EVENTS = reverse("admin:billing_stripeevent_changelist")
CUSTOMERS = reverse("admin:billing_stripecustomer_changelist")


@pytest.fixture
def shop(stripe_account, worker):
    return Shop(stripe_account)


def test_dj_stripe_s_own_pages_are_not_offered():
    assert not [model for model in admin.site._registry if model._meta.app_label == "djstripe"]


def test_an_event_is_shown_with_its_payload(shop, client, admin_client):
    shop.subscribes(shop.customer())
    shop.delivered(client)
    assert "customer.subscription.created" in text(admin_client.get(EVENTS))
    event = StripeEvent.objects.get(type="customer.subscription.created")
    page = admin_client.get(reverse("admin:billing_stripeevent_change", args=[event.pk]))
    assert "Payload" in text(page)
    assert event.object_id in text(page)


def test_staff_can_retry_a_failed_event(shop, client, admin_client, settings):
    shop.subscribes(shop.customer())
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    shop.delivered(client)
    settings.STRIPE_API_BASE = shop.stripe.url
    failed = StripeEvent.objects.filter(state="failed")
    assert failed.exists()
    form = {"action": "retry", "_selected_action": list(failed.values_list("pk", flat=True))}
    assert "Events to be retried" in text(admin_client.post(EVENTS, form, follow=True))
    assert not failed.exists()
    assert RevenueCustomer.objects.get().mrr == 2000


def test_an_applied_event_is_not_retried(shop, client):
    shop.subscribes(shop.customer())
    shop.delivered(client)
    assert events.retry(list(StripeEvent.objects.values_list("pk", flat=True))) == 0


def test_staff_can_link_a_customer_to_a_person(shop, client, admin_client):
    create_person("ada")
    customer = shop.customer()
    shop.subscribes(customer)
    shop.delivered(client)
    form = {"customer_id": customer, "distinct_id": "ada", "confirmed": "1"}
    admin_client.post(reverse("admin:billing_stripecustomer_add"), form)
    assert StripeCustomer.objects.get().pk == customer
    assert Event.objects.filter(event="subscription_created").count() == 1
    assert "ada" in text(admin_client.get(CUSTOMERS))


def test_an_unknown_person_is_refused(admin_client):
    form = {"customer_id": "cus_1", "distinct_id": "unknown"}
    answer = admin_client.post(reverse("admin:billing_stripecustomer_add"), form)
    assert "No person has the distinct id" in text(answer)


def test_a_persons_usage_page_shows_their_subscriptions(shop, client, admin_client):
    create_person("ada")
    person = Person.objects.get(distinct_ids="ada")
    page = reverse("billing:person-usage", args=[person.pk])
    assert "Not linked to a Stripe customer" in text(admin_client.get(page))
    subscription = shop.subscribes(shop.customer("ada"))
    shop.delivered(client)
    page_text = text(admin_client.get(page))
    assert subscription["id"] in page_text
    assert "Pro" in page_text


def test_read_only_staff_cannot_retry(client, django_user_model):
    reader = django_user_model.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_stripeevent"))
    StripeEvent.objects.create(
        event_id="evt_1", type="x", state="failed", happened_at=timezone.now(), payload={}
    )
    client.force_login(reader)
    assert "Retry the selected events" not in text(client.get(EVENTS))
