"""Reading revenue through the API, the command and the KPIs. Amounts are cents."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from analytics.models import Person
from billing.models import FxRate, MrrDay, MrrMovement
from billing.revenue import customer_churn, ledger
from billing.revenue import settings as revenue_settings
from common.calculations.statistics import Status
from operational.kpis import goals, sources
from tests import api
from tests.billing.stripe_json import Store, item, price, subscription

NOW = datetime(2024, 7, 1, 9, tzinfo=UTC)
AS_OF = date(2024, 6, 30)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stripe(monkeypatch, time_machine):
    time_machine.move_to(NOW, tick=False)
    return Store().install(monkeypatch)


def customer(stripe, number, amount=1000, *, since="2024-01-01", until=None, **more):
    stripe_json = subscription(item(price(amount)), created=since, **more)
    stripe_json |= {"id": f"sub_{number}", "customer": f"cus_{number}"}
    stripe.record("created", since, stripe_json)
    if until:
        over = subscription(item(price(amount)), created=since, status="canceled", ended_at=until)
        stripe.record(
            "deleted", until, over | {"id": stripe_json["id"], "customer": stripe_json["customer"]}
        )


@pytest.fixture
def company(stripe):
    """Forty customers at 10.00 since January: 2 left in June, 1 in May; another joined in June."""
    for number in range(40):
        until = {0: "2024-06-10", 1: "2024-06-20", 2: "2024-05-15"}.get(number)
        customer(stripe, number, until=until)
    customer(stripe, 40, 5000, since="2024-06-05")
    customer(stripe, 41, 700, since="2024-06-05", until="2024-06-25")
    ledger.rebuild(now=NOW)


def test_mrr_customers_and_arpa(company):
    """37 x 1000 + 5000 = 42000 of 38 customers: 1105.26."""
    answer = api.get("billing/revenue/mrr")
    assert (answer["mrr"], answer["customers"], answer["arpa"]) == (42000, 38, 1105)
    assert (answer["currency"], answer["as_of"]) == ("usd", "2024-06-30")
    assert [day["mrr"] for day in answer["days"][3:6]] == [39000, 44700, 44700]


def test_a_past_day_has_mrr_but_nothing_at_risk(company):
    """40 x 1000 at the end of April."""
    answer = api.get("billing/revenue/mrr", as_of="2024-04-30")
    assert (answer["mrr"], answer["customers"]) == (40000, 40)
    assert (answer["at_risk"], answer["scheduled_churn"]) == (None, None)


def test_movements_by_month_add_up(company):
    """39000 + 5700 - (2000 + 700) = 42000 in June; (5700) / (2700) = 2.11."""
    months = api.get("billing/revenue/movements", from_="2024-05-01")["periods"]
    assert [(row["opening"], row["closing"]) for row in months] == [(40000, 39000), (39000, 42000)]
    june = months[-1]
    assert (june["new"], june["churn"], june["churned_customers"]) == (5700, 2700, 3)
    assert june["quick_ratio"] == pytest.approx(5700 / 2700)
    assert june["complete"]


def test_movements_by_day(company):
    query = {"granularity": "day", "from_": "2024-06-20", "to": "2024-06-20"}
    (day,) = api.get("billing/revenue/movements", **query)["periods"]
    assert (day["opening"], day["churn"], day["closing"]) == (43700, 1000, 42700)


def test_an_unfinished_month_is_incomplete(company):
    (month,) = api.get("billing/revenue/movements", as_of="2024-06-15", from_="2024-06-01")[
        "periods"
    ]
    assert (month["complete"], month["churn"]) == (False, 1000)


def test_churn_is_the_share_of_customers_lost_in_30_days(company):
    """2 of the 39 at the end of May; joining and leaving in June counts in neither."""
    answer = api.get("billing/revenue/churn")
    assert (answer["left"], answer["customers_before"]) == (2, 39)
    assert answer["rate"] == pytest.approx(2 / 39)
    assert (answer["joined_and_left"], answer["window_from"]) == (1, "2024-06-01")
    assert answer["gross_mrr_churn"] == pytest.approx(2000 / 39000)
    assert (answer["mrr_lost"], answer["mrr_gained_and_lost"]) == (2000, 700)


def test_a_customer_who_returns_within_the_window_did_not_churn(stripe):
    customer(stripe, 1, until="2024-06-10")
    customer(stripe, 1, 900, since="2024-06-20")
    stripe.events[-1]["data"]["object"]["id"] = "sub_again"
    ledger.rebuild(now=NOW)
    assert customer_churn.last_30_days(as_of=AS_OF).rate.numerator == 0


def test_ltv(company):
    """Churn (2 + 1 + 0) / (39 + 40 + 40) = 3 / 119; ARPA 42000 / 38; LTV 43842."""
    answer = api.get("billing/revenue/ltv")
    assert (answer["left"], answer["customers_before"]) == (3, 119)
    assert answer["ltv"] == round(42000 / 38 / (3 / 119))
    assert (answer["capped"], answer["gross_margin"], answer["margin_is_set"]) == (False, 1, False)


def test_the_gross_margin_is_a_factor_of_ltv(company):
    settings = revenue_settings.current()
    settings.gross_margin_percent = Decimal(80)
    settings.save()
    answer = api.get("billing/revenue/ltv")
    assert answer["ltv"] == round(0.8 * 42000 / 38 / (3 / 119))
    assert answer["margin_is_set"]


def test_cohorts_by_signup_month(stripe):
    """Signed up in January: 1000 until it ends; the other signup month is unknown."""
    person = Person.objects.create(signup_at=datetime(2024, 1, 5, tzinfo=UTC))
    stripe.persons["cus_1"] = person.pk
    customer(stripe, 1, since="2024-02-01", until="2024-04-10")
    customer(stripe, 2, 300, since="2024-05-01")
    ledger.rebuild(now=NOW)
    january, without_signup = api.get("billing/revenue/cohorts")["cohorts"]
    assert (january["signup_month"], january["won"]) == ("2024-01-01", 1)
    assert [month["mrr"] for month in january["months"]] == [1000, 1000, 0, 0, 0]
    assert (without_signup["signup_month"], len(without_signup["months"])) == (None, 2)


def test_an_empty_ledger_has_unknown_numbers(stripe):
    assert api.get("billing/revenue/mrr")["arpa"] is None
    assert api.get("billing/revenue/churn")["rate"] is None
    assert api.get("billing/revenue/ltv")["ltv"] is None
    assert api.get("billing/revenue/cohorts")["cohorts"] == []


@pytest.mark.parametrize("name", ["mrr", "movements", "churn", "ltv", "cohorts"])
def test_reading_takes_at_most_10_queries_and_no_stripe_json(company, name):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        api.get(f"billing/revenue/{name}", as_of="2024-05-20")
    assert 0 < len(queries) <= 10
    assert not [query for query in queries if "djstripe" in query["sql"]]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"as_of": "2024-07-01"}, "as_of"),
        ({"from_": "2024-06-02", "to": "2024-06-01"}, "to"),
        ({"from_": "1999-01-01"}, "from"),
        ({"from_": "yesterday"}, "from"),
    ],
)
def test_an_invalid_parameter_is_named(stripe, parameters, field):
    assert field in str(api.refused("billing/revenue/mrr", **parameters))


@pytest.mark.parametrize("name", ["mrr", "movements", "churn", "ltv", "cohorts"])
def test_reading_revenue_needs_a_token(client, name):
    assert client.get(f"/api/billing/revenue/{name}").status_code == 401


def run(*arguments, **options):
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def test_the_command_prints_the_responses_of_the_api(company):
    report = json.loads(run("revenue", as_of=AS_OF, json=True))
    for name, body in report.items():
        assert body == api.get(f"billing/revenue/{name}", as_of=str(AS_OF))
    assert "420.00 USD" in run("revenue")


def test_the_command_fails_if_the_ledger_does_not_add_up(company):
    assert "adds up" in run("revenue", check=True)
    MrrDay.objects.update(churn=1)
    with pytest.raises(CommandError, match="does not add up"):
        run("revenue", check=True, stderr=StringIO())


def test_imported_rates_release_held_amounts(stripe, tmp_path):
    stripe_json = subscription(item(price(1000, currency="eur")))
    stripe.record("created", "2024-01-01", stripe_json)
    ledger.recount({"cus_1"}, now=NOW)
    file = tmp_path / "rates.csv"
    file.write_text("day,currency,into,rate\n2024-01-01,EUR,usd,1.1\n2024-01-02,eur,usd,1.2\n")
    assert "Exchange rates stored: 2. Updated movements: 1." in run("import_fx_rates", str(file))
    assert MrrMovement.objects.get().amount == 1100


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2024-01-01,zzz,usd,1.1", "Line 2, currency"),
        ("2024-01-01,eur,usd,-1", "Line 2, rate"),
        ("2024-01-01,eur,usd,many", "Line 2, rate"),
        ("1.1.2024,eur,usd,1.1", "Line 2, day"),
        ("2024-01-01,usd,usd,1", "Line 2, into"),
    ],
)
def test_an_invalid_rate_is_named_and_none_is_stored(stripe, tmp_path, line, problem):
    file = tmp_path / "rates.csv"
    file.write_text(f"day,currency,into,rate\n{line}\n2024-01-02,eur,usd,1.2\n")
    with pytest.raises(CommandError, match=problem):
        run("import_fx_rates", str(file))
    assert not FxRate.objects.exists()


class TestKpis:
    def measure(self, slug, as_of=AS_OF):
        return sources.measure(slug, as_of=as_of, goal=goals.in_force()[slug])

    def test_churn_rate(self, company):
        result = self.measure("churn_rate")
        assert (result.numerator, result.denominator, result.status) == (2, 39, Status.OK)
        assert (result.window_from, result.window_to) == (date(2024, 6, 1), AS_OF)

    def test_few_customers_are_a_low_sample(self, stripe):
        customer(stripe, 1)
        ledger.rebuild(now=NOW)
        assert self.measure("churn_rate").status is Status.LOW_SAMPLE

    def test_a_missing_exchange_rate_holds_churn(self, company, stripe):
        stripe_json = subscription(item(price(1000, currency="eur")))
        stripe.record("created", "2024-01-01", stripe_json | {"customer": "cus_eur"})
        ledger.recount({"cus_eur"}, now=NOW)
        result = self.measure("churn_rate")
        assert result.status is Status.HELD
        assert "EUR" in result.reason

    def test_churn_has_gross_mrr_churn_and_scheduled_churn_as_related_figures(self, company):
        figures = {
            row.name: row.measurement for row in sources.related_figures("churn_rate", as_of=AS_OF)
        }
        assert figures["Gross MRR churn"].value == pytest.approx(2000 / 39000)
        assert figures["Scheduled churn, of MRR"].value == 0
        assert figures["Joined and left in the window"].value == 1

    def test_ltv_is_reported_and_cac_is_missing(self, company):
        result = self.measure("ltv_cac")
        assert (result.status, result.value) == (Status.NO_DATA, None)
        assert "LTV is 438.42 USD" in result.reason
        assert "spend" in result.reason

    @pytest.mark.parametrize(("basis", "value"), [("mrr", 3000 / 39000), ("customers", -1 / 39)])
    def test_growth_compares_the_ends_of_the_last_two_months(self, company, basis, value):
        """42000 / 39000 - 1; 38 / 39 - 1."""
        goals.set_goal(kpi="growth_mom", target=0.15, weight=10, basis=basis)
        result = self.measure("growth_mom")
        assert (result.value, result.basis) == (pytest.approx(value), basis)

    def test_the_persons_behind_churn(self, company, stripe):
        start = datetime(2024, 1, 1, tzinfo=UTC)
        people = [Person.objects.create(signup_at=start + timedelta(days=n)) for n in range(3)]
        stripe.persons = {
            f"cus_{number}": row.pk for number, row in zip((0, 2, 5), people, strict=True)
        }

        def ids_of(group):
            return [*sources.people("churn_rate", as_of=AS_OF, group=group).order_by("pk")]

        assert ids_of("numerator") == [people[0]]
        assert ids_of("denominator") == [people[0], people[2]]
        assert ids_of("missed") == [people[2]]
