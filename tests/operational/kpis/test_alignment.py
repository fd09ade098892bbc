from datetime import timedelta

import pytest

from operational.calculations.alignment import Band
from operational.calculations.catalogue import CATALOGUE
from operational.kpis import goals, readings
from operational.kpis.alignment import alignment_score
from operational.models import KpiReading
from tests.operational.kpi_data import AS_OF, NOW, a_filled_project

pytestmark = pytest.mark.django_db

WEEK_AGO = AS_OF - timedelta(days=7)
COUNTED = ("d7_retention", "activation_rate", "d30_retention", "signup_activation", "growth_mom")


def reading(kpi, value, **values):
    status = "no_data" if value is None else "ok"
    KpiReading.objects.create(
        **{
            "kpi": kpi,
            "day": WEEK_AGO,
            "value": value,
            "status": status,
            "formula_version": CATALOGUE[kpi].formula_version,
            "goal_version": 1,
            "recorded_at": NOW,
            "first_recorded_at": NOW,
            "basis": "active_users" if kpi == "growth_mom" else "",
        }
        | values
    )


def trend_of_a_week():
    return alignment_score(as_of=AS_OF).trend[0]


def test_the_score_weighs_the_kpis_that_count():
    a_filled_project()
    alignment = alignment_score(as_of=AS_OF)
    points = 20 * 88 + 15 * 75 + 15 * 100 + 10 * 80 + 10 * 100 * 0.1 / 0.15
    assert alignment.score == pytest.approx(points / 70)
    assert (alignment.coverage, alignment.provisional) == (0.70, False)
    assert alignment.band is Band.ON_TRACK


def test_kpis_without_data_leave_the_score_and_say_why():
    a_filled_project()
    uncounted = [part for part in alignment_score(as_of=AS_OF).contributions if not part.counted]
    assert [part.kpi for part in uncounted] == ["ltv_cac", "churn_rate", "viral_coefficient"]
    assert all(part.reason_not_counted for part in uncounted)


def test_p34_an_empty_project_has_no_score():
    alignment = alignment_score(as_of=AS_OF)
    assert (alignment.score, alignment.coverage) == (None, 0)
    assert alignment.band is Band.INSUFFICIENT_DATA


def test_statuses_passed_in_are_not_measured_again(django_assert_num_queries):
    statuses = readings.read_kpis(as_of=AS_OF)
    with django_assert_num_queries(1):
        alignment_score(as_of=AS_OF, statuses=statuses)


def test_the_trend_looks_back_7_14_30_60_and_90_days():
    days_ago = [point.days_ago for point in alignment_score(as_of=AS_OF).trend]
    assert days_ago == [7, 14, 30, 60, 90]


def test_a_day_without_readings_has_no_trend_and_says_how_to_get_one():
    point = trend_of_a_week()
    assert (point.then, point.change) == (None, None)
    assert "backfill_kpis" in point.note


def test_the_trend_compares_the_kpis_counted_on_both_days():
    a_filled_project()
    for kpi, value in zip(COUNTED, (0.125, 0.30, None, 0.20, 0.1), strict=True):
        reading(kpi, value)
    point = trend_of_a_week()
    assert point.compared_kpis == (COUNTED[0], COUNTED[1], COUNTED[3], COUNTED[4])
    assert point.change == pytest.approx(20 * (88 - 50) / 55)
    assert point.note == "Excluded because not counted then: D30 retention."


def test_a_kpi_that_no_longer_counts_is_named():
    reading("d7_retention", 0.2)
    point = trend_of_a_week()
    assert point.change is None
    assert (
        point.note == "No KPI counts on both days. Excluded because not counted now: D7 retention."
    )


def test_a_held_reading_does_not_count_then():
    a_filled_project()
    reading("d7_retention", 0.2, status="held")
    assert trend_of_a_week().compared_kpis == ()


def test_a_changed_goal_is_named():
    a_filled_project()
    reading("d7_retention", 0.25)
    goals.set_goal(kpi="d7_retention", target=0.5, weight=20)
    assert "Changed since then, goals of: D7 retention." in trend_of_a_week().note


def test_both_days_are_scored_with_todays_target():
    a_filled_project()
    reading("d7_retention", 0.25)
    goals.set_goal(kpi="d7_retention", target=0.5, weight=20)
    point = trend_of_a_week()
    assert (point.then, point.now) == (pytest.approx(50), pytest.approx(44))


def test_a_changed_formula_and_a_changed_basis_are_named():
    a_filled_project()
    reading("d7_retention", 0.25, formula_version=2)
    reading("growth_mom", 0.1, basis="signups")
    note = trend_of_a_week().note
    assert "formula of: D7 retention." in note
    assert "basis of: Growth month over month." in note
