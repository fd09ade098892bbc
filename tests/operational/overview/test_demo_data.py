import pytest
from django.contrib.auth.models import User

from analytics.ingestion import ingest
from analytics.models import Counter, ErasedId, Person
from analytics.people.persons import count_demo_persons
from billing.models import ErasedCustomer, StripeCustomer
from operational.models import KpiReading
from tests.demo_company import load_demo
from tests.events import record
from tests.operational.kpi_data import NOW

URL = "/admin/operational/demo/remove/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo_company(time_machine):
    time_machine.move_to(NOW, tick=False)
    load_demo(persons=60, days=60)


def test_the_dashboard_labels_demo_data_and_offers_to_remove_it(admin_client, demo_company):
    markup = admin_client.get("/admin/operational/").content.decode()
    assert "Demo data." in markup
    assert f'href="{URL}"' in markup


def test_removing_needs_a_confirmation(admin_client, demo_company):
    markup = admin_client.get(URL).content.decode()
    assert f"removes {count_demo_persons()} demo people" in markup
    assert count_demo_persons() > 0


def test_removing_leaves_no_demo_data(admin_client, demo_company):
    assert admin_client.post(URL).url == "/admin/operational/"
    left = [
        Person.objects.count(),
        KpiReading.objects.count(),
        *Counter.objects.filter(value__gt=0),
    ]
    assert left == [0, 0]


def test_s08_removing_does_not_keep_the_demo_from_being_loaded_again(admin_client, demo_company):
    assert StripeCustomer.objects.exists()
    admin_client.post(URL)
    assert not StripeCustomer.objects.exists()
    assert not ErasedCustomer.objects.exists()
    assert not ErasedId.objects.exists()


def test_removing_keeps_and_remeasures_real_data(admin_client, demo_company):
    ingest.store([record("signed_up", "ada", NOW.replace(month=3, day=20))])
    days = KpiReading.objects.values("day").distinct().count()
    admin_client.post(URL)
    reading = KpiReading.objects.get(kpi="d7_retention", day="2026-03-31")
    assert Person.objects.get().distinct_ids.get().distinct_id == "ada"
    assert KpiReading.objects.values("day").distinct().count() == days
    assert (reading.denominator, reading.first_value) == (1, 0)


def test_removing_requires_the_permission_to_delete_persons(client, demo_company):
    client.force_login(User.objects.create_user("reader", is_staff=True))
    assert client.post(URL).status_code == 403
    assert "Remove demo data" not in client.get("/admin/operational/").content.decode()
    assert count_demo_persons() > 0


def test_anonymous_users_cannot_remove_it(client, demo_company):
    client.post(URL)
    assert count_demo_persons() > 0
