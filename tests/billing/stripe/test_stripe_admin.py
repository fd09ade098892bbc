"""Staff see what Stripe told, try again what failed, and say who is who."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from analytics.models import Event, Person
from billing.models import RevenueCustomer, StripeCustomer, StripeEvent
from billing.stripe import events
from tests.billing.stripe_shop import Shop, known

pytestmark = pytest.mark.django_db
EVENTS = reverse("admin:billing_stripeevent_changelist")
CUSTOMERS = reverse("admin:billing_stripecustomer_changelist")


@pytest.fixture
def shop(stripe_account, worker):
    return Shop(stripe_account)


def text(answer):
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_dj_stripe_s_own_pages_are_not_offered():
    assert not [model for model in admin.site._registry if model._meta.app_label == "djstripe"]


def test_an_event_is_shown_as_stripe_sent_it(shop, client, admin_client):
    shop.subscribes(shop.customer())
    shop.delivered(client)
    assert "customer.subscription.created" in text(admin_client.get(EVENTS))
    event = StripeEvent.objects.get(type="customer.subscription.created")
    page = admin_client.get(reverse("admin:billing_stripeevent_change", args=[event.pk]))
    assert "As Stripe sent it" in text(page)
    assert event.object_id in text(page)


def test_a_failed_event_is_tried_again_by_hand(shop, client, admin_client, settings):
    shop.subscribes(shop.customer())
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    shop.delivered(client)
    settings.STRIPE_API_BASE = shop.stripe.url
    failed = StripeEvent.objects.filter(state="failed")
    assert failed.exists()
    chosen = {"action": "try_again", "_selected_action": list(failed.values_list("pk", flat=True))}
    assert "Tried again soon" in text(admin_client.post(EVENTS, chosen, follow=True))
    assert not failed.exists()
    assert RevenueCustomer.objects.get().mrr == 2000


def test_what_is_applied_is_not_applied_again(shop, client):
    shop.subscribes(shop.customer())
    shop.delivered(client)
    assert events.try_again(list(StripeEvent.objects.values_list("pk", flat=True))) == 0


def test_staff_say_who_a_customer_is(shop, client, admin_client):
    known("ada")
    customer = shop.customer()
    shop.subscribes(customer)
    shop.delivered(client)
    form = {"customer_id": customer, "distinct_id": "ada"}
    admin_client.post(reverse("admin:billing_stripecustomer_add"), form)
    assert StripeCustomer.objects.get().pk == customer
    assert Event.objects.filter(event="subscription_created").count() == 1
    assert "ada" in text(admin_client.get(CUSTOMERS))


def test_a_person_nobody_knows_is_refused(admin_client):
    form = {"customer_id": "cus_1", "distinct_id": "nobody"}
    answer = admin_client.post(reverse("admin:billing_stripecustomer_add"), form)
    assert "Nobody is known by the distinct id" in text(answer)


def test_a_person_s_page_shows_what_they_have_at_stripe(shop, client, admin_client):
    known("ada")
    person = Person.objects.get(distinct_ids="ada")
    page = reverse("billing:person-usage", args=[person.pk])
    assert "They are no customer there" in text(admin_client.get(page))
    subscription = shop.subscribes(shop.customer("ada"))
    shop.delivered(client)
    shown = text(admin_client.get(page))
    assert subscription["id"] in shown
    assert "Pro" in shown


def test_readers_may_look_but_not_try_again(client, django_user_model):
    from django.contrib.auth.models import Permission  # noqa: PLC0415

    reader = django_user_model.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_stripeevent"))
    StripeEvent.objects.create(
        event_id="evt_1", type="x", state="failed", happened_at=timezone.now(), payload={}
    )
    client.force_login(reader)
    assert "Try the selected events again" not in text(client.get(EVENTS))
