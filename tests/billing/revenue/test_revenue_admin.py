"""Revenue in the admin: waterfall, movements with Stripe's objects, rates and settings."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User

from analytics.models import Person
from billing.admin.revenue import waterfall
from billing.models import FxRate, MrrMovement, RevenueSettings
from billing.revenue import ledger, movements
from tests.billing.admin_pages import text
from tests.billing.stripe_json import Store, item, price, subscription

NOW = datetime(2024, 7, 1, 9, tzinfo=UTC)
PAGE = "/admin/billing/revenue/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe(monkeypatch, time_machine):
    time_machine.move_to(NOW, tick=False)
    return Store().install(monkeypatch)


@pytest.fixture
def admin(client):
    client.force_login(User.objects.create_superuser("eve"))
    Person.objects.create(first_seen_at=NOW)
    return client


def paid(stripe, amount=123456, currency="usd"):
    stripe_json = subscription(item(price(amount, currency=currency)), created="2024-05-10")
    stripe.record("created", "2024-05-10", stripe_json, event_id="evt_a")
    ledger.recount({"cus_1"}, now=NOW)


def test_the_page_shows_the_waterfall_and_its_numbers(admin, stripe):
    paid(stripe)
    page = text(admin.get(PAGE))
    assert page.count("1,234.56 USD") >= 3
    assert 'pl-kind-new" x=' in page
    assert "May 2024" in page
    assert "gross margin is not set" in page


def test_the_waterfall_goes_up_from_the_opening_and_down_to_the_closing(stripe):
    """1000 + 200 - 300 = 900, in whole units: bars 0-1000, 1000-1200, 1200-900, 0-900."""
    month = movements.MovementPeriod(
        date(2024, 5, 1), date(2024, 5, 31), opening=100000, closing=90000, new=20000, churn=30000
    )
    chart = waterfall([month], currency="usd")
    drawn = [(part.kind, part.bar.height) for part in chart.parts if part.bar.height]
    assert [kind for kind, _ in drawn] == ["open", "new", "churn", "open"]
    stays, new, churn, left = (height for _, height in drawn)
    assert stays / new == pytest.approx(5, rel=0.01)
    assert churn / left == pytest.approx(1 / 3, rel=0.01)


def test_an_empty_ledger_is_explained(admin, stripe):
    assert "No MRR yet" in text(admin.get(PAGE))


def test_todays_movements_are_in_todays_waterfall(admin, stripe):
    stripe.subscriptions["sub_1"] = subscription(created="2024-07-01T08:00")
    ledger.recount({"cus_1"})
    page = text(admin.get(PAGE))
    assert "Today so far" in page
    assert "10.00 USD" in page
    assert "10.00 USD" not in text(admin.get(PAGE, {"as_of": "2024-06-30"}))


def test_an_invalid_day_is_an_error_in_the_form(admin, stripe):
    assert "is not over" in text(admin.get(PAGE, {"as_of": "2024-07-01"}))


def test_it_needs_the_permission(client, stripe):
    reader = User.objects.create_user("reader", is_staff=True)
    client.force_login(reader)
    assert client.get(PAGE).status_code == 403
    assert client.get(f"{PAGE}movements.csv").status_code == 403
    reader.user_permissions.add(Permission.objects.get(codename="view_mrrmovement"))
    assert client.get(PAGE).status_code == 200


def test_a_movement_links_to_its_stripe_objects(admin, stripe):
    paid(stripe)
    row = MrrMovement.objects.get()
    page = text(admin.get(f"/admin/billing/mrrmovement/{row.pk}/change/"))
    assert "https://dashboard.stripe.com/subscriptions/sub_1" in page
    assert "https://dashboard.stripe.com/events/evt_a" in page
    assert "https://dashboard.stripe.com/customers/cus_1" in page


@pytest.mark.parametrize("model", ["mrrmovement", "cashentry", "heldobject", "fxrate"])
def test_every_list_opens_empty_and_filled(admin, stripe, model):
    address = f"/admin/billing/{model}/"
    assert admin.get(address).status_code == 200
    paid(stripe)
    assert admin.get(address, {"q": "cus"}).status_code == 200


def test_movements_can_be_downloaded_as_csv(admin, stripe):
    paid(stripe)
    lines = text(admin.get(f"{PAGE}movements.csv", {"from": "2024-05-01"}))
    assert "2024-05-10,cus_1,new,123456,usd,123456,,0,123456,sub_1 evt_a" in lines
    assert "cus_1" not in text(admin.get(f"{PAGE}movements.csv", {"from": "2024-06-01"}))


def test_adding_a_missing_rate_releases_the_movement(admin, stripe):
    paid(stripe, 1000, "eur")
    assert "10.00 EUR" in text(admin.get(PAGE))
    values = {"day": "2024-05-09", "currency": "EUR", "into": "usd", "rate": "1.1"}
    response = admin.post("/admin/billing/fxrate/add/", values, follow=True)
    assert "Updated movements: 1." in text(response)
    assert MrrMovement.objects.get().amount == 1100
    assert "11.00 USD" in text(admin.get(PAGE))


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"currency": "zzz"}, "currency"), ({"rate": "0"}, "rate"), ({"currency": "usd"}, "into")],
)
def test_an_invalid_rate_is_refused_by_field(admin, stripe, changes, field):
    values = {"day": "2024-05-09", "currency": "eur", "into": "usd", "rate": "1.1"} | changes
    response = admin.post("/admin/billing/fxrate/add/", values)
    assert field in response.context["adminform"].form.errors
    assert not FxRate.objects.exists()


def test_a_new_reporting_currency_is_announced_and_the_next_job_rebuilds(admin, stripe):
    paid(stripe)
    row = RevenueSettings.objects.get()
    FxRate.objects.create(day="2024-05-10", currency="usd", into="eur", rate=Decimal("0.5"))
    address = f"/admin/billing/revenuesettings/{row.pk}/change/"
    values = {"reporting_currency": "eur", "gross_margin_percent": "80"}
    assert "USD -&gt; EUR" in text(admin.post(address, values, follow=True))
    ledger.recount_due(now=NOW)
    assert "617.28 EUR" in text(admin.get(PAGE))


def test_the_dashboard_shows_mrr_and_churn_once_there_is_any(admin, stripe):
    dashboard = "/admin/operational/"
    assert "dashboard-mrr" not in text(admin.get(dashboard))
    paid(stripe)
    page = text(admin.get(dashboard))
    assert "1,234.56 USD" in page
    assert "dashboard-churn" in page


def test_o19_churn_on_the_dashboard_and_on_the_revenue_page_names_its_day(admin, stripe):
    paid(stripe)
    dashboard, revenue = text(admin.get("/admin/operational/")), text(admin.get(PAGE))
    assert "Churn, 30 days to 30 Jun 2024" in dashboard
    assert "MRR at the end of 30 Jun 2024" in dashboard
    assert "Churn, 30 days to 1 Jul 2024 so far" in revenue
    assert "Churn, 30 days to 30 Jun 2024" in text(admin.get(f"{PAGE}?as_of=2024-06-30"))
