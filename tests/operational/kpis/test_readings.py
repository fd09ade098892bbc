from dataclasses import asdict
from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test.utils import override_settings

from analytics.models import Counter
from analytics.rollups import definitions
from common.calculations.statistics import Status
from operational.calculations.kpi import Severity
from operational.kpis import goals, readings, sources
from operational.kpis.sources.base import NotConnected
from operational.models import KpiReading
from operational.tasks import record_kpi_readings
from tests.operational.kpi_data import AS_OF, NOW, a_filled_project, active_users, signups

pytestmark = pytest.mark.django_db


def read(slug):
    return next(status for status in readings.read_kpis(as_of=AS_OF) if status.kpi.slug == slug)


def record(day=AS_OF, now=NOW):
    readings.record_readings(days=[day], now=now)


def recorded(slug, day=AS_OF):
    return KpiReading.objects.get(kpi=slug, day=day)


def test_a_kpi_is_judged_by_the_goal_in_force():
    a_filled_project()
    status = read("activation_rate")
    assert status.attainment == 0.3 / 0.4
    assert status.score == pytest.approx(75)
    assert status.severity is Severity.OK


def test_a_low_sample_has_a_value_but_no_score_or_severity():
    signups(AS_OF - timedelta(days=10), 29, activated=1)
    status = read("activation_rate")
    assert status.measurement.value == 1 / 29
    assert (status.score, status.severity) == (None, None)


def test_p34_a_new_empty_project_has_no_data_and_no_score():
    for status in readings.read_kpis(as_of=AS_OF):
        assert status.measurement.status is Status.NO_DATA
        assert status.measurement.reason
        assert (status.score, status.attainment, status.severity) == (None, None, None)


def test_numbers_built_under_other_definitions_are_held_with_the_reason():
    a_filled_project()
    definitions.adopt(definitions.configured())
    with override_settings(PLUMBLINE_ACTIVATION_EVENT="paid"):
        status = read("d7_retention")
    assert (status.measurement.status, status.score) == (Status.HELD, None)
    assert status.measurement.value == 0.22
    assert "rebuild_rollups" in status.measurement.reason


def test_a_kpi_without_data_is_not_held():
    definitions.adopt(definitions.configured())
    with override_settings(PLUMBLINE_ACTIVATION_EVENT="paid"):
        assert read("churn_rate").measurement.status is Status.NO_DATA


@override_settings(PLUMBLINE_PASSIVE_EVENTS=["signed_up", "badge_earned"])
def test_passive_events_are_excluded_from_kpis_that_count_activity():
    assert "events that do not count as activity: badge_earned, signed_up" in (
        read("d7_retention").measurement.exclusions
    )
    assert len(read("activation_rate").measurement.exclusions) == 2


def test_a_reading_stores_everything_that_explains_it():
    a_filled_project()
    record()
    reading, measurement = recorded("d7_retention"), read("d7_retention").measurement
    assert (reading.numerator, reading.denominator, reading.value) == (22, 100, 0.22)
    assert (reading.low, reading.high) == tuple(asdict(measurement.interval).values())
    assert (reading.window_from, reading.window_to) == (date(2026, 2, 23), date(2026, 3, 24))
    assert (reading.formula_version, reading.goal_version) == (1, 1)
    assert reading.exclusions == list(measurement.exclusions)


def test_restating_keeps_the_first_value():
    a_filled_project()
    record()
    Counter.objects.filter(name="signup_retained", number=7).update(value=30)
    record(now=NOW + timedelta(hours=1))
    reading = recorded("d7_retention")
    assert (reading.value, reading.first_value) == (0.30, 0.22)
    assert (reading.recorded_at, reading.first_recorded_at) == (NOW + timedelta(hours=1), NOW)


def test_restating_keeps_the_goal_that_was_in_force_at_first():
    active_users(date(2026, 2, 1), 200)
    active_users(date(2026, 3, 1), 220)
    record()
    goals.set_goal(kpi="growth_mom", target=0.15, weight=10, basis="signups")
    record(now=NOW + timedelta(hours=1))
    reading = recorded("growth_mom")
    assert (reading.goal_version, reading.basis, reading.value) == (1, "active_users", 0.1)


def test_the_first_value_is_the_first_value_with_data():
    record()
    a_filled_project()
    record(now=NOW + timedelta(hours=1))
    reading = recorded("d7_retention")
    assert (reading.first_value, reading.first_recorded_at) == (0.22, NOW + timedelta(hours=1))


def test_recording_twice_keeps_one_reading_per_kpi_and_day():
    record()
    record()
    assert KpiReading.objects.filter(day=AS_OF).count() == 8


def test_p19_an_incomplete_day_is_not_recorded():
    with pytest.raises(ValueError, match="not complete"):
        record(day=AS_OF + timedelta(days=1))


def test_p19_an_incomplete_day_cannot_be_requested():
    with pytest.raises(ValidationError, match="last complete day is 2026-03-31"):
        definitions.complete_day(AS_OF + timedelta(days=1), now=NOW)


@override_settings(PLUMBLINE_TIME_ZONE="Pacific/Kiritimati")
def test_p19_a_day_is_complete_at_its_end_in_the_time_zone():
    assert definitions.complete_day(None, now=NOW.replace(hour=9, minute=59)) == date(2026, 3, 31)
    assert definitions.complete_day(None, now=NOW.replace(hour=10)) == date(2026, 4, 1)


@time_machine.travel(NOW)
def test_the_task_records_the_last_complete_day_and_restates_the_65_before():
    record_kpi_readings()
    readings = KpiReading.objects.filter(kpi="d7_retention").order_by("day")
    days = readings.values_list("day", flat=True)
    assert (days[0], days.last(), len(days)) == (AS_OF - timedelta(days=65), AS_OF, 66)


def test_the_history_of_every_kpi_is_one_query(django_assert_num_queries):
    readings.record_readings(days=[AS_OF - timedelta(days=1), AS_OF], now=NOW)
    with django_assert_num_queries(1):
        histories = readings.histories(first=AS_OF - timedelta(days=5), last=AS_OF)
    assert [reading.day for reading in histories["d7_retention"]] == [
        AS_OF - timedelta(days=1),
        AS_OF,
    ]


def test_the_history_of_a_kpi_has_only_its_own_readings():
    record()
    (reading,) = readings.history(kpi="churn_rate", first=AS_OF, last=AS_OF)
    assert reading.kpi == "churn_rate"


class Broken(NotConnected):
    def measure(self, **_):
        raise RuntimeError("odd")


def test_a_kpi_that_cannot_be_measured_is_held_and_the_others_are_measured(company, monkeypatch):
    record()
    before = recorded("d7_retention").value
    broken = {**sources._sources(), "d7_retention": Broken("events")}
    monkeypatch.setattr(sources, "_sources", lambda: broken)
    held = read("d7_retention").measurement
    assert (held.status, held.reason) == ("held", "It could not be measured: RuntimeError: odd.")
    assert read("activation_rate").measurement.counts
    record()
    assert before is not None
    assert recorded("d7_retention").value == before
