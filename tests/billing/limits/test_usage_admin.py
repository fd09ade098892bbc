"""Exceptions, and a person's usage, in the admin."""

from datetime import date

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User

from analytics.models import DistinctId
from billing.limits import usage_notices
from billing.models import LimitException, UsageMeter
from tests.billing.admin_pages import errors, text
from tests.billing.limited_usage import NOW, limit, plan, price, ran

EXCEPTIONS = "/admin/billing/limitexception/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(NOW, tick=False)


def usage_page(name="ada"):
    person_id = DistinctId.objects.get(pk=name).person_id
    return f"/admin/billing/persons/{person_id}/usage/"


class TestExceptions:
    def add(self, admin, **values):
        defaults = {"distinct_id": "ada", "ends_on": "2024-06-30", "reason": "Trial"}
        return admin.post(f"{EXCEPTIONS}add/", defaults | values)

    def test_an_exception_records_who_granted_it(self, admin):
        ran()
        self.add(admin, plan=plan("team").pk)
        granted = LimitException.objects.get()
        assert (granted.created_by.username, granted.ends_on) == ("eve", date(2024, 6, 30))
        assert "Team plan" in text(admin.get(EXCEPTIONS, {"state": "in_force"}))
        assert (
            "Team plan"
            not in text(admin.get(EXCEPTIONS, {"state": "over"})).split("changelist-form")[-1]
        )

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"distinct_id": "bob"}, "distinct_id"),
            ({"distinct_id": ""}, "distinct_id"),
            ({"ends_on": "2024-05-14"}, "ends_on"),
            ({"ends_on": "soon"}, "ends_on"),
            ({"reason": ""}, "reason"),
            ({"plan": ""}, "plan"),
            ({"plan": "", "amount": "5"}, "amount"),
        ],
    )
    def test_invalid_input_is_refused_by_field(self, admin, values, field):
        ran()
        assert field in errors(self.add(admin, **{"plan": plan("team").pk} | values))

    def test_it_is_for_a_plan_or_a_meter(self, admin):
        ran()
        both = {"plan": plan("team").pk, "meter": UsageMeter.objects.first().pk}
        assert "meter" in errors(self.add(admin, **both))

    def test_the_log_contains_no_names(self, admin):
        ran()
        self.add(admin, plan=plan("team").pk)
        entry = LogEntry.objects.get()
        assert "ada" not in entry.object_repr + entry.get_change_message()


class TestUsageOfAPerson:
    def test_the_persons_page_links_to_it(self, admin):
        ran()
        person_id = DistinctId.objects.get(pk="ada").person_id
        assert usage_page() in text(admin.get(f"/admin/analytics/person/{person_id}/change/"))

    def test_it_shows_usage_and_notices(self, admin, paying):
        limit(10)
        ran(12)
        usage_notices.notify(DistinctId.objects.get(pk="ada").person_id, now=NOW)
        page = text(admin.get(usage_page()))
        for part in ("Free plan", "120.0 %", "Blocked", "1 Jun 2024, 00:00", "100 % of 10"):
            assert part in page

    def test_it_explains_the_plan(self, admin, paying):
        ran()
        assert "Default plan: they pay for no plan." in text(admin.get(usage_page()))
        LimitException.objects.create(
            distinct_id_id="ada", plan=plan("team"), ends_on=NOW.date(), reason="Trial"
        )
        assert "Granted by an exception." in text(admin.get(usage_page()))
        price("price_e", plan="enterprise")
        paying.subscribes(DistinctId.objects.get(pk="ada").person_id, "price_e")
        assert "Paid for with price_e." in text(admin.get(usage_page()))

    def test_empty_lists_explain_themselves(self, admin):
        ran(event="seen")
        page = text(admin.get(usage_page()))
        assert "No exceptions granted." in page
        assert "No notices yet" in page

    def test_an_unmapped_price_is_pointed_out(self, admin, paying):
        ran()
        paying.subscribes(DistinctId.objects.get(pk="ada").person_id, "price_of_old")
        assert "price_of_old" in text(admin.get(usage_page()))

    def test_an_exception_is_granted_from_there(self, admin):
        ran(person="ada+x@example.com")
        page = text(admin.get(usage_page("ada+x@example.com")))
        address = f"{EXCEPTIONS}add/?distinct_id=ada%2Bx%40example.com"
        assert address in page
        assert 'value="ada+x@example.com"' in text(admin.get(address))

    def test_staff_without_permission_are_refused(self, client):
        ran()
        client.force_login(User.objects.create_user("staff", is_staff=True))
        assert client.get(usage_page()).status_code == 403

    def test_an_unknown_person_is_404(self, admin):
        assert admin.get("/admin/billing/persons/0/usage/").status_code == 404
