"""Plans, limits and usage meters in the admin."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import call_command

from analytics.models import DistinctId
from billing.limits import plans, usage_notices
from billing.models import Plan, PlanLimit, PlanPrice, UsageMeter
from tests.analytics.people_histories import at
from tests.billing.admin_pages import errors, text
from tests.billing.limited_usage import NOW, limit, plan, price, ran

PLANS = "/admin/billing/plan/"
LIMITS = "/admin/billing/planlimit/"
METERS = "/admin/billing/usagemeter/"
EXCEPTIONS = "/admin/billing/limitexception/"
NO_PRICES = {"prices-TOTAL_FORMS": "0", "prices-INITIAL_FORMS": "0"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(NOW, tick=False)


def a_limit(slug="free", meter="workflow_runs"):
    return PlanLimit.objects.get(plan__slug=slug, meter__slug=meter)


class TestPlans:
    def test_the_default_plans_are_created(self, admin):
        assert [row.slug for row in Plan.objects.all()] == ["free", "pro", "team", "enterprise"]
        assert "None: cannot be bought" in text(admin.get(PLANS))

    def test_changes_by_staff_survive_a_deploy(self):
        plan("team").delete()
        PlanLimit.objects.filter(plan__slug="free").update(amount=7)
        call_command("migrate", verbosity=0)
        assert not Plan.objects.filter(slug="team").exists()
        assert a_limit().amount == 7

    def save(self, admin, **changes):
        values = {
            "name": "Pro",
            "rank": "10",
            "offered": "on",
            "emails": "on",
            "features": "",
            **NO_PRICES,
        }
        return admin.post(f"{PLANS}{plan('pro').pk}/change/", values | changes)

    def test_features_are_lines(self, admin):
        self.save(admin, features="First\r\n\r\n Second, and more \r\n")
        assert plan("pro").features == ["First", "Second, and more"]

    def test_a_price_belongs_to_a_single_plan(self, admin):
        price("price_1", plan="team")
        rows = {"prices-TOTAL_FORMS": "1", "prices-0-price_id": "price_1"}
        response = self.save(admin, **rows)
        assert "Another plan already has this price." in text(response)

    @pytest.mark.parametrize("kind", ["prod", "sub", "cus"])
    def test_the_id_of_another_object_is_refused(self, admin, kind):
        rows = {"prices-TOTAL_FORMS": "1", "prices-0-price_id": f"{kind}_NffrFeUfNV2Hib"}
        assert "not the id of a price" in text(self.save(admin, **rows))

    @pytest.mark.parametrize("price_id", ["gold-monthly", "Gold 10 € / month", "plan_1", "10"])
    def test_b20_any_id_of_an_older_plan_is_accepted(self, admin, price_id):
        rows = {"prices-TOTAL_FORMS": "1", "prices-0-price_id": price_id}
        self.save(admin, **rows)
        assert PlanPrice.objects.get().price_id == price_id

    def test_the_history_contains_the_previous_value(self, admin):
        rows = {"prices-TOTAL_FORMS": "1", "prices-0-price_id": "price_1"}
        self.save(admin, name="Professional", features="E-mail support", **rows)
        message = LogEntry.objects.get().get_change_message()
        assert message == "Name: Pro → Professional; Stripe price price_1 added"
        assert PlanPrice.objects.get().plan == plan("pro")

    def test_the_form_shows_the_limits(self, admin):
        assert "5,000" in text(admin.get(f"{PLANS}{plan('pro').pk}/change/"))
        assert "no limits" in text(admin.get(f"{PLANS}{plan('enterprise').pk}/change/"))

    def test_a_new_plan_redirects_to_its_limits(self, admin):
        values = {"name": "Gold", "slug": "gold", "rank": "50", "features": "", **NO_PRICES}
        response = admin.post(f"{PLANS}add/", values)
        assert response.url == f"{PLANS}{plan('gold').pk}/change/"

    def test_ranks_are_unique(self, admin):
        assert "rank" in errors(self.save(admin, rank="20"))

    def act(self, admin, *slugs):
        chosen = [plan(slug).pk for slug in slugs]
        data = {"action": "make_default", "_selected_action": chosen}
        return text(admin.post(PLANS, data, follow=True))

    def test_another_plan_can_be_the_default(self, admin):
        ran()
        self.act(admin, "pro")
        assert [row.slug for row in Plan.objects.filter(is_default=True)] == ["pro"]
        assert plans.plan_of(DistinctId.objects.get(pk="ada").person_id).slug == "pro"

    def test_only_a_single_plan_can_become_the_default(self, admin):
        assert "Select a single plan" in self.act(admin, "pro", "team")

    def test_the_default_plan_cannot_be_deleted(self, admin):
        assert admin.post(f"{PLANS}{plan('free').pk}/delete/", {"post": "yes"}).status_code == 403
        assert admin.post(f"{PLANS}{plan('pro').pk}/delete/", {"post": "yes"}).status_code == 302


class TestLimits:
    VALUES = {"amount": "10", "hard": "on", "grace_percent": "0", "grace": "0"}

    def save(self, admin, **changes):
        values = self.VALUES | changes
        return admin.post(f"{LIMITS}{a_limit().pk}/change/", values)

    def test_saving_first_previews_who_would_have_been_blocked(self, admin):
        ran(12, at=at("2024-04-20"), properties={"$set": {"email": "ada@example.com"}})
        page = text(self.save(admin))
        assert "In April 2024 it would have blocked <strong>1 person</strong>" in page
        assert "The limit in force would have blocked 0" in page
        assert "ada@example.com" in page
        assert a_limit().amount == 100

    def test_it_is_saved_after_confirmation(self, admin):
        assert "0 people" in text(self.save(admin))
        response = self.save(admin, confirmed="1")
        assert response.url == f"{PLANS}{plan('free').pk}/change/"
        assert a_limit().amount == 10
        assert LogEntry.objects.get().get_change_message() == "Limit: 100 → 10"

    def test_a_new_limit_is_simulated_too(self, admin):
        ran(12, at=at("2024-04-20"))
        a_limit().delete()
        meter = UsageMeter.objects.get(slug="workflow_runs").pk
        values = self.VALUES | {"plan": plan("free").pk, "meter": meter}
        assert "no limit on this meter yet" in text(admin.post(f"{LIMITS}add/", values))
        admin.post(f"{LIMITS}add/", values | {"confirmed": "1"})
        assert a_limit().amount == 10

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("amount", "-1"),
            ("amount", "1.5"),
            ("amount", "many"),
            ("amount", ""),
            ("amount", "1" + "0" * 16),
            ("grace_percent", "1001"),
            ("grace", "-1"),
        ],
    )
    def test_an_invalid_amount_is_refused_by_field(self, admin, field, value):
        assert list(errors(self.save(admin, confirmed="1", **{field: value}))) == [field]

    def test_a_soft_limit_has_no_grace(self, admin):
        assert "grace" in errors(self.save(admin, hard="", grace="5", confirmed="1"))

    def test_a_plan_has_a_single_limit_per_meter(self, admin):
        meter = UsageMeter.objects.get(slug="events").pk
        response = admin.post(
            f"{LIMITS}add/", self.VALUES | {"plan": plan("free").pk, "meter": meter}
        )
        assert "already has a limit on this meter" in text(response)

    def test_read_only_staff_cannot_preview_a_limit(self, client):
        user = User.objects.create_user("reader", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_planlimit"))
        client.force_login(user)
        assert self.save(client).status_code == 403

    def test_the_list_says_what_happens_over_the_limit(self, admin):
        limit(10, grace=2)
        page = text(admin.get(LIMITS))
        assert "Allowed up to 12, then blocked" in page
        assert "Warning only" in page


class TestMeters:
    VALUES = {"name": "Exports", "slug": "exports", "event": "export", "period": "month"}

    def add(self, admin, **values):
        return admin.post(f"{METERS}add/", self.VALUES | values, follow=True)

    def test_a_meter_of_an_unseen_event_is_saved_with_a_warning(self, admin):
        assert "has been recorded yet" in text(self.add(admin, aggregation="count"))

    def test_a_meter_of_a_recorded_event_is_saved_without_a_warning(self, admin):
        ran(event="export")
        assert "has been recorded yet" not in text(self.add(admin, aggregation="count"))

    @pytest.mark.parametrize(
        ("aggregation", "property_"), [("sum", ""), ("distinct", ""), ("count", "size")]
    )
    def test_a_property_is_required_or_refused_by_aggregation(self, admin, aggregation, property_):
        response = self.add(admin, aggregation=aggregation, property=property_)
        assert list(errors(response)) == ["property"]

    def test_the_list_says_what_is_counted(self, admin):
        self.add(admin, aggregation="sum", property="size")
        assert "Sum of “size” in “export” events" in text(admin.get(METERS))


@pytest.mark.parametrize(
    "address", [PLANS, LIMITS, METERS, EXCEPTIONS, "/admin/billing/usagenotice/"]
)
def test_every_list_and_form_opens(admin, address):
    limit(1)
    ran(2)
    usage_notices.notify(DistinctId.objects.get(pk="ada").person_id, now=NOW)
    assert text(admin.get(address))
    if "notice" not in address:
        assert text(admin.get(f"{address}add/"))
