"""CAC, payback and LTV:CAC from the ledger, spend and persons. Amounts are cents."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from analytics.models import Person
from billing.revenue import ledger
from common.calculations.statistics import Status
from growth.models import ChannelAlias
from growth.spend import acquisition, aliases, quality_checks, recording
from operational.kpis import goals, sources
from tests.growth.spend.company import AS_OF, NOW, WINDOW_FROM, line, person, record, subscribe

DAYS = {"first": WINDOW_FROM, "last": AS_OF}


def measure(as_of=AS_OF):
    return sources.measure("ltv_cac", as_of=as_of, goal=goals.in_force()["ltv_cac"])


@pytest.mark.usefixtures("customers", "spent")
def test_ltv_cac_of_a_company():
    """MRR 39 x 1000 + 11 x 2000 + 2 x 1000 = 63000 of 52 customers.

    Churn: 1 of 40 + 39 + 40 customers (the ends of 1 April, 1 May, 31 May): 1 / 119, below the
    floor of 1.67 %. LTV = 63000 / 52 / 0.0167 = 72547. CAC = 1300000 / 13 = 100000.
    """
    total = acquisition.overall(as_of=AS_OF)
    assert (total.new_customers, total.cost.cac) == (13, 100_000)
    ltv = Fraction(63_000, 52) / Fraction(167, 10_000)
    assert total.ratio == ltv / 100_000
    result = measure()
    assert (result.status, result.value) == (Status.OK, pytest.approx(0.72547, abs=1e-5))
    assert (result.numerator, result.denominator) == (pytest.approx(72_547, abs=1), 100_000)
    assert (result.window_from, result.window_to) == (WINDOW_FROM, AS_OF)


@pytest.mark.usefixtures("customers", "spent")
def test_payback_of_a_company():
    """100000 / (63000 / 52) = 82.54 months."""
    report = acquisition.report(as_of=AS_OF)
    assert report.payback == Fraction(100_000 * 52, 63_000)
    assert report.payback_interval.low < report.payback < report.payback_interval.high


@pytest.mark.usefixtures("customers", "spent")
def test_a_day_without_an_entry_makes_cac_unavailable_and_is_named():
    recording.delete(channel="google", first=date(2024, 5, 3), last=date(2024, 5, 4))
    result = measure()
    assert (result.status, result.value) == (Status.NO_DATA, None)
    assert "2 days: 3 May 2024 to 4 May 2024" in result.reason


@pytest.mark.usefixtures("customers", "spent")
def test_an_explicit_0_covers_a_day():
    day = date(2024, 5, 3)
    recording.delete(channel="google", first=day, last=day)
    record(line(0, "2024-05-03", channel="nothing"))
    assert measure().status is Status.OK


@pytest.mark.usefixtures("customers", "spent")
def test_entries_that_share_days_add_up():
    record(line(90_000, "2024-04-02", "2024-06-30", channel="bing"))
    assert acquisition.overall(as_of=AS_OF).cost.cac == Fraction(1_390_000, 13)


@pytest.mark.usefixtures("customers", "spent")
def test_spend_outside_the_window_does_not_count():
    record(line(999, "2024-04-01"), line(999, "2024-07-01"))
    assert acquisition.overall(as_of=AS_OF).spending.amount == 1_300_000


@pytest.mark.usefixtures("customers", "spent")
def test_a_past_day_has_its_own_window():
    result = measure(AS_OF - timedelta(days=1))
    assert "1 day: 1 Apr 2024" in result.reason
    record(line(0, "2024-04-01"))
    result = measure(AS_OF - timedelta(days=1))
    assert (result.status, result.window_to) == (Status.OK, date(2024, 6, 29))


@pytest.mark.usefixtures("customers", "spent")
def test_before_the_new_customers_there_is_no_cac():
    record(line(100, "2024-03-01", "2024-04-01"))
    result = measure(date(2024, 5, 29))
    assert "there were no new customers" in result.reason


@pytest.mark.usefixtures("customers", "spent")
def test_a_missing_exchange_rate_holds_the_kpi():
    record(line(100, "2024-06-01", channel="bing", currency="eur"))
    result = measure()
    assert (result.status, result.denominator) == (Status.HELD, 100_000)
    assert "(EUR)" in result.reason


@pytest.mark.usefixtures("customers")
def test_where_nothing_was_spent_there_is_no_ratio():
    record(line(0, "2024-04-02", "2024-06-30"))
    result = measure()
    assert (result.status, result.value) == (Status.NO_DATA, None)
    assert "nothing was spent" in result.reason


@pytest.mark.usefixtures("customers")
def test_without_spend_the_kpi_says_so():
    assert "no marketing and sales spend is recorded" in measure().reason


@pytest.mark.usefixtures("spent")
def test_without_billing_the_kpi_says_so(stripe):
    assert "No MRR yet" in measure().reason


@pytest.mark.usefixtures("spent")
def test_fewer_than_10_new_customers_are_a_low_sample(stripe):
    subscribe(stripe, 0)
    for number in range(1, 10):
        subscribe(stripe, number, since="2024-06-05")
    ledger.rebuild(now=NOW)
    result = measure()
    assert (result.status, result.reason) == (
        Status.LOW_SAMPLE,
        "Only 9 new customers; at least 10 are needed.",
    )


@pytest.mark.usefixtures("spent")
def test_who_came_back_is_not_new(stripe):
    subscribe(stripe, 0)
    subscribe(stripe, 1, until="2024-02-01")
    again = {"id": "sub_again", "customer": "cus_1"}
    stripe.record("created", "2024-06-05", stripe.subscriptions["sub_0"] | again)
    ledger.rebuild(now=NOW)
    assert acquisition.overall(as_of=AS_OF).new_customers == 0


@pytest.mark.usefixtures("spent")
def test_the_people_behind_it_are_the_new_customers(customers):
    people = sources.people("ltv_cac", as_of=AS_OF, group="denominator")
    assert {row.pk for row in people} == set(customers.persons.values())
    assert not sources.people("ltv_cac", as_of=AS_OF, group="numerator").exists()


@pytest.mark.usefixtures("customers", "spent")
def test_channels_have_their_own_numbers_and_the_unattributed_are_shown():
    """Google: CAC 1300000 / 11, ARPA 2000, LTV 2000 / 0.0167 = 119760, so LTV:CAC 1.0133."""
    report = acquisition.report(as_of=AS_OF)
    (google,) = report.channels
    assert (google.name, google.spent, google.new_customers) == ("google", 1_300_000, 11)
    assert (google.cost.cac, google.arpa) == (Fraction(1_300_000, 11), 2000)
    assert google.ratio == Fraction(2000) / Fraction(167, 10_000) / Fraction(1_300_000, 11)
    assert google.payback == Fraction(1_300_000, 11) / 2000
    assert report.unattributed == 2


@pytest.mark.usefixtures("customers", "spent")
def test_a_channel_below_10_new_customers_is_a_low_sample_and_one_without_spend_has_no_ratio():
    Person.objects.filter(pk__in=Person.objects.order_by("pk").values("pk")[:2]).update(
        properties={"$initial_utm_source": "friends"}
    )
    parts = {part.name: part for part in acquisition.report(as_of=AS_OF).channels}
    assert parts["google"].cost.status is Status.LOW_SAMPLE
    assert (parts["friends"].new_customers, parts["friends"].ratio) == (2, None)


@pytest.mark.parametrize(
    "more",
    [
        {"before": timedelta(minutes=-6)},
        {"before": timedelta(days=91)},
        {"once": False},
        {"source": ""},
    ],
)
@pytest.mark.usefixtures("spent")
def test_a_touch_that_does_not_count_leaves_a_customer_unattributed(stripe, more):
    subscribe(stripe, 0)
    subscribe(stripe, 1, since="2024-06-05")
    stripe.persons["cus_1"] = person("2024-06-01", **{"source": "google"} | more).pk
    ledger.rebuild(now=NOW)
    report = acquisition.report(as_of=AS_OF)
    assert (report.unattributed, report.channels[0].new_customers) == (1, 0)


@pytest.mark.usefixtures("spent")
def test_who_paid_before_its_touch_is_unattributed(stripe):
    subscribe(stripe, 0)
    subscribe(stripe, 1, since="2024-06-05")
    stripe.persons["cus_1"] = person("2024-06-08", source="google").pk
    ledger.rebuild(now=NOW)
    assert acquisition.report(as_of=AS_OF).unattributed == 1


@pytest.mark.usefixtures("spent")
def test_signup_months_have_their_own_numbers(stripe):
    """June: 900.00 in 30 days of 13,000.00 in 90; 10 customers at 20.00."""
    subscribe(stripe, 0)
    for number in range(1, 11):
        subscribe(stripe, number, 2000, since="2024-06-05")
        stripe.persons[f"cus_{number}"] = person("2024-06-01").pk
    ledger.rebuild(now=NOW)
    (june,) = acquisition.report(as_of=AS_OF).cohorts
    assert (june.month, june.new_customers, june.arpa) == (date(2024, 6, 1), 10, 2000)
    spent = sum(1_300_000 * (n + 1) // 90 - 1_300_000 * n // 90 for n in range(60, 90))
    assert (june.spent, june.cost.cac) == (spent, Fraction(spent, 10))


@pytest.mark.usefixtures("customers", "spent")
def test_an_alias_moves_what_was_recorded_under_that_name():
    record(line(500, "2024-06-01", channel="gads"))
    recording.delete(channel="google", first=date(2024, 6, 1), last=date(2024, 6, 1))
    assert aliases.save(ChannelAlias(alias="gads", channel="google")) == 1
    assert [part.name for part in acquisition.report(as_of=AS_OF).channels] == ["google"]


@pytest.mark.usefixtures("spent")
class TestQualityChecks:
    def run(self, check):
        finding = check.run(now=NOW)
        return finding.verdict, finding.affected

    def test_covered_days_pass(self):
        assert self.run(quality_checks.SpendCoverage()) == ("pass", 0)

    def test_uncovered_days_are_a_warning(self):
        recording.delete(channel="google", first=date(2024, 6, 1), last=date(2024, 6, 2))
        assert self.run(quality_checks.SpendCoverage()) == ("warning", 2)

    def test_held_spend_is_a_warning(self):
        assert self.run(quality_checks.HeldSpend()) == ("pass", 0)
        record(line(1, "2024-06-01", "2024-06-03", channel="bing", currency="eur"))
        assert self.run(quality_checks.HeldSpend()) == ("warning", 3)


def test_without_spend_there_is_nothing_to_check(db):
    assert {check.run(now=NOW).verdict for check in quality_checks.CHECKS} == {"no_data"}
