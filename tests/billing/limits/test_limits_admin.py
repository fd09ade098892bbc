"""Plans, limits and usage meters in the admin."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.core.management import call_command

from analytics.models import DistinctId
from billing.limits import plans, usage_notices
from billing.models import Plan, PlanLimit, PlanPrice, UsageMeter
from tests.analytics.people_histories import at
from tests.billing.limited_usage import NOW, limit, price, ran

PLANS = "/admin/billing/plan/"
LIMITS = "/admin/billing/planlimit/"
METERS = "/admin/billing/usagemeter/"
EXCEPTIONS = "/admin/billing/limitexception/"
NO_PRICES = {"prices-TOTAL_FORMS": "0", "prices-INITIAL_FORMS": "0"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def admin(client, db):
    client.force_login(User.objects.create_superuser("eve"))
    return client


def text(response):
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def errors(response):
    return response.context["adminform"].form.errors


def plan(slug):
    return Plan.objects.get(slug=slug)


def a_limit(slug="free", meter="workflow_runs"):
    return PlanLimit.objects.get(plan__slug=slug, meter__slug=meter)


class TestPlans:
    def test_the_defaults_are_made_where_there_are_none(self, admin):
        assert [one.slug for one in Plan.objects.all()] == ["free", "pro", "team", "enterprise"]
        assert "None: nobody can buy it" in text(admin.get(PLANS))

    def test_what_staff_changed_or_deleted_survives_a_deploy(self):
        plan("team").delete()
        PlanLimit.objects.filter(plan__slug="free").update(amount=7)
        call_command("migrate", verbosity=0)
        assert not Plan.objects.filter(slug="team").exists()
        assert a_limit().amount == 7

    def save(self, admin, **changes):
        given = {
            "name": "Pro",
            "rank": "10",
            "offered": "on",
            "emails": "on",
            "features": "",
            **NO_PRICES,
        }
        return admin.post(f"{PLANS}{plan('pro').pk}/change/", given | changes)

    def test_features_are_lines(self, admin):
        self.save(admin, features="One\r\n\r\n Two, and more \r\n")
        assert plan("pro").features == ["One", "Two, and more"]

    def test_a_price_buys_one_plan(self, admin):
        price("price_1", plan="team")
        rows = {"prices-TOTAL_FORMS": "1", "prices-0-price_id": "price_1"}
        response = self.save(admin, **rows)
        assert "Another plan has this price already." in text(response)

    def test_what_is_no_price_is_refused(self, admin):
        rows = {"prices-TOTAL_FORMS": "1", "prices-0-price_id": "prod_1"}
        assert "A Stripe price id begins with price_." in text(self.save(admin, **rows))

    def test_the_history_says_what_it_was_before(self, admin):
        rows = {"prices-TOTAL_FORMS": "1", "prices-0-price_id": "price_1"}
        self.save(admin, name="Professional", features="E-mail support", **rows)
        message = LogEntry.objects.get().get_change_message()
        assert message == "Name: Pro → Professional; Stripe price price_1 added"
        assert PlanPrice.objects.get().plan == plan("pro")

    def test_the_form_shows_the_limits(self, admin):
        assert "5,000" in text(admin.get(f"{PLANS}{plan('pro').pk}/change/"))
        assert "no limits" in text(admin.get(f"{PLANS}{plan('enterprise').pk}/change/"))

    def test_a_new_plan_leads_to_its_limits(self, admin):
        given = {"name": "Gold", "slug": "gold", "rank": "50", "features": "", **NO_PRICES}
        response = admin.post(f"{PLANS}add/", given)
        assert response.url == f"{PLANS}{plan('gold').pk}/change/"

    def test_a_rank_is_one_plans(self, admin):
        assert "rank" in errors(self.save(admin, rank="20"))

    def act(self, admin, *slugs):
        chosen = [plan(slug).pk for slug in slugs]
        data = {"action": "make_default", "_selected_action": chosen}
        return text(admin.post(PLANS, data, follow=True))

    def test_another_plan_can_be_the_default(self, admin):
        ran()
        self.act(admin, "pro")
        assert [one.slug for one in Plan.objects.filter(is_default=True)] == ["pro"]
        assert plans.plan_of(DistinctId.objects.get(pk="ada").person_id).slug == "pro"

    def test_there_is_one_default(self, admin):
        assert "Choose one plan" in self.act(admin, "pro", "team")

    def test_the_default_plan_cannot_be_deleted(self, admin):
        assert admin.post(f"{PLANS}{plan('free').pk}/delete/", {"post": "yes"}).status_code == 403
        assert admin.post(f"{PLANS}{plan('pro').pk}/delete/", {"post": "yes"}).status_code == 302


class TestLimits:
    GIVEN = {"amount": "10", "hard": "on", "grace_percent": "0", "grace": "0"}

    def save(self, admin, **changes):
        given = self.GIVEN | changes
        return admin.post(f"{LIMITS}{a_limit().pk}/change/", given)

    def test_saving_shows_first_whom_it_would_have_blocked(self, admin):
        ran(12, at=at("2024-04-20"), properties={"$set": {"email": "ada@example.com"}})
        shown = text(self.save(admin))
        assert "In April 2024 it would have blocked <strong>1 person</strong>" in shown
        assert "The limit in force would have blocked 0" in shown
        assert "ada@example.com" in shown
        assert a_limit().amount == 100

    def test_it_is_saved_when_that_is_confirmed(self, admin):
        assert "0 persons" in text(self.save(admin))
        response = self.save(admin, confirmed="1")
        assert response.url == f"{PLANS}{plan('free').pk}/change/"
        assert a_limit().amount == 10
        assert LogEntry.objects.get().get_change_message() == "Limit: 100 → 10"

    def test_a_new_limit_is_simulated_too(self, admin):
        ran(12, at=at("2024-04-20"))
        a_limit().delete()
        meter = UsageMeter.objects.get(slug="workflow_runs").pk
        given = self.GIVEN | {"plan": plan("free").pk, "meter": meter}
        assert "no limit of this meter so far" in text(admin.post(f"{LIMITS}add/", given))
        admin.post(f"{LIMITS}add/", given | {"confirmed": "1"})
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
    def test_what_is_no_amount_is_refused_by_name(self, admin, field, value):
        assert list(errors(self.save(admin, confirmed="1", **{field: value}))) == [field]

    def test_a_soft_limit_has_no_grace(self, admin):
        assert "grace" in errors(self.save(admin, hard="", grace="5", confirmed="1"))

    def test_a_plan_has_one_limit_of_a_meter(self, admin):
        meter = UsageMeter.objects.get(slug="events").pk
        response = admin.post(
            f"{LIMITS}add/", self.GIVEN | {"plan": plan("free").pk, "meter": meter}
        )
        assert "has a limit of this meter already" in text(response)

    def test_who_may_only_look_learns_nothing_of_history(self, client):
        user = User.objects.create_user("reader", is_staff=True)
        user.user_permissions.add(Permission.objects.get(codename="view_planlimit"))
        client.force_login(user)
        assert self.save(client).status_code == 403

    def test_the_list_says_what_happens_beyond(self, admin):
        limit(10, grace=2)
        shown = text(admin.get(LIMITS))
        assert "Let through up to 12, then blocked" in shown
        assert "Warned, never blocked" in shown


class TestMeters:
    GIVEN = {"name": "Exports", "slug": "exports", "event": "export", "period": "month"}

    def add(self, admin, **given):
        return admin.post(f"{METERS}add/", self.GIVEN | given, follow=True)

    def test_a_meter_of_an_unknown_event_is_saved_with_a_warning(self, admin):
        assert "has been recorded so far" in text(self.add(admin, aggregation="count"))

    def test_a_meter_of_a_known_event_is_saved_without(self, admin):
        ran(event="export")
        assert "has been recorded so far" not in text(self.add(admin, aggregation="count"))

    @pytest.mark.parametrize(
        ("aggregation", "property_"), [("sum", ""), ("distinct", ""), ("count", "size")]
    )
    def test_a_property_is_for_those_that_need_one(self, admin, aggregation, property_):
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
