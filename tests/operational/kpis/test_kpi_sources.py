from datetime import UTC, date, datetime, timedelta

import pytest
from django.test.utils import override_settings

from common.calculations.statistics import Status
from operational.calculations.catalogue import CATALOGUE
from operational.kpis import goals, sources
from operational.kpis.sources.growth import last_two_months
from tests.operational.kpi_data import AS_OF, active_users, noon, person, signups

pytestmark = pytest.mark.django_db


def measure(slug, as_of=AS_OF):
    return sources.measure(slug, as_of=as_of, goal=goals.in_force()[slug])


def people(slug, group):
    return set(sources.people(slug, as_of=AS_OF, group=group))


def growth_measured_on(basis):
    goals.set_goal(kpi="growth_mom", target=0.15, weight=10, basis=basis)


@pytest.mark.parametrize(
    ("slug", "youngest"),
    [("d7_retention", 7), ("activation_rate", 7), ("d30_retention", 30), ("signup_activation", 1)],
)
def test_a_rate_counts_the_signups_of_30_days_that_are_old_enough(slug, youngest):
    last = AS_OF - timedelta(days=youngest)
    for day in (last - timedelta(days=30), last + timedelta(days=1)):
        signups(day, 1000)
    signups(last - timedelta(days=29), 40)
    signups(last, 60)
    measurement = measure(slug)
    assert measurement.denominator == 100
    assert (measurement.window_from, measurement.window_to) == (last - timedelta(days=29), last)


def test_retention_counts_the_people_active_on_the_day():
    signups(AS_OF - timedelta(days=40), 100, retained={6: 90, 30: 15, 31: 80})
    signups(AS_OF - timedelta(days=20), 100, retained={6: 90, 7: 25, 8: 80})
    assert measure("d7_retention").value == 25 / 100
    assert measure("d30_retention").value == 15 / 100


def test_activation_counts_within_7_days_and_within_24_hours():
    signups(AS_OF - timedelta(days=10), 100, activated=40, quickly=25)
    assert measure("activation_rate").value == 0.40
    assert measure("signup_activation").value == 0.25


def test_p19_growth_excludes_the_current_month():
    for month, persons in ((1, 100), (2, 120), (3, 5)):
        active_users(date(2026, month, 1), persons)
    assert measure("growth_mom", as_of=date(2026, 3, 30)).value == 0.2


def test_a_month_counts_from_the_end_of_its_last_day():
    (before, now) = last_two_months(date(2026, 3, 31))
    assert before == (date(2026, 2, 1), date(2026, 2, 28))
    assert now == (date(2026, 3, 1), date(2026, 3, 31))


def test_growth_across_the_turn_of_the_year():
    (before, now) = last_two_months(date(2026, 1, 15))
    assert (before[0], now[0]) == (date(2025, 11, 1), date(2025, 12, 1))


def test_growth_can_be_measured_on_signups():
    growth_measured_on("signups")
    signups(date(2026, 2, 10), 100)
    signups(date(2026, 3, 10), 130)
    measurement = measure("growth_mom")
    assert (measurement.value, measurement.basis) == (0.3, "signups")


@pytest.mark.parametrize("basis", ["customers", "mrr"])
def test_growth_based_on_billing_has_no_data_and_says_why(basis):
    growth_measured_on(basis)
    measurement = measure("growth_mom")
    assert measurement.status is Status.NO_DATA
    assert basis in measurement.reason


@pytest.mark.parametrize("slug", ["ltv_cac", "churn_rate", "viral_coefficient"])
def test_a_kpi_without_a_connected_source_has_no_data_and_says_why(slug):
    measurement = measure(slug)
    assert (measurement.status, measurement.value) == (Status.NO_DATA, None)
    assert measurement.reason


def test_the_people_of_retention_are_those_who_signed_up_and_came_back_or_not():
    day = noon(AS_OF - timedelta(days=20))
    stayed, left = person(day, active_days=[0, 7]), person(day, active_days=[0, 6, 8])
    person(day, active_days=[0, 7], excluded=True)
    person(noon(AS_OF - timedelta(days=6)), active_days=[0, 7])
    assert people("d7_retention", "numerator") == {stayed}
    assert people("d7_retention", "missed") == {left}
    assert people("d7_retention", "denominator") == {stayed, left}


@override_settings(PLUMBLINE_TIME_ZONE="America/New_York")
def test_p06_retention_uses_the_days_of_the_time_zone():
    late = person(datetime(2026, 3, 12, 3, tzinfo=UTC), active_days=[6])  # the 11th in New York
    assert people("d7_retention", "numerator") == {late}


def test_the_people_of_activation_allow_for_clock_skew_and_end_with_the_window():
    day = noon(AS_OF - timedelta(days=20))
    delays = [timedelta(minutes=-6), timedelta(minutes=-5), timedelta(days=1), timedelta(days=7)]
    early, skewed, quick, slow = (person(day, activated_after=delay) for delay in delays)
    never = person(day)
    late = person(day, activated_after=timedelta(days=7, seconds=1))
    assert people("activation_rate", "numerator") == {skewed, quick, slow}
    assert people("signup_activation", "numerator") == {skewed, quick}
    assert people("activation_rate", "missed") == {early, never, late}


def test_the_people_of_growth_are_the_active_ones_of_both_months_and_those_lost():
    start = noon(date(2026, 2, 10))
    kept, lost = person(start, active_days=[0, 40]), person(start, active_days=[1])
    won = person(noon(date(2026, 3, 5)), active_days=[0])
    assert people("growth_mom", "numerator") == {kept, won}
    assert people("growth_mom", "denominator") == {kept, lost}
    assert people("growth_mom", "missed") == {lost}


@pytest.mark.parametrize("slug", CATALOGUE)
@pytest.mark.parametrize("group", ["numerator", "denominator", "missed"])
def test_every_kpi_returns_its_people(slug, group):
    assert people(slug, group) == set()


def test_the_activation_rate_has_the_median_time_to_activation():
    day = noon(AS_OF - timedelta(days=20))
    for hours in (1, 2, 30):
        person(day, activated_after=timedelta(hours=hours))
    (figure,) = sources.related_figures("activation_rate", as_of=AS_OF)
    assert (figure.measurement.value, figure.unit) == (2.0, "hours")


def test_related_retention_days_use_their_own_cohorts():
    signups(AS_OF - timedelta(days=65), 50, retained={60: 5})
    figures = {
        figure.name: figure.measurement
        for figure in sources.related_figures("d30_retention", as_of=AS_OF)
    }
    assert figures["D60 retention"].value == 0.1
    assert figures["D90 retention"].status is Status.NO_DATA
