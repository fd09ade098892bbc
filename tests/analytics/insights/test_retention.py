"""Retention, as the API answers it."""

import pytest

from tests.analytics.people_histories import did
from tests.api import get

pytestmark = pytest.mark.django_db


def retention(**parameters):
    parameters = {"days": "1", "as_of": "2024-06-30"} | parameters
    [day] = get("analytics/retention", **parameters)["days"]
    return day["eligible"], day["retained"]


def test_p06_days_are_those_of_the_time_zone(settings):
    settings.PLUMBLINE_TIME_ZONE = "America/Los_Angeles"
    did("ada", ("signed_up", "2024-05-02 03:00"), ("used", "2024-05-02 17:00"))  # 1 May, 20:00
    assert retention(from_="2024-05-01", to="2024-05-01") == (1, 1)
    assert retention(from_="2024-05-02", to="2024-05-02") == (0, 0)


def test_p06_a_day_counts_once_it_is_over_in_the_time_zone(settings, time_machine):
    settings.PLUMBLINE_TIME_ZONE = "America/Los_Angeles"
    did("ada", ("signed_up", "2024-05-01 20:00"))
    time_machine.move_to("2024-05-03T06:59Z")  # 2 May, 23:59
    assert retention(as_of="2024-05-01") == (0, 0)
    time_machine.move_to("2024-05-03T07:00Z")
    assert retention(as_of="2024-05-02") == (1, 0)


def test_p07_a_late_signup_is_retained_after_midnight_and_the_definition_says_so():
    did("ada", ("signed_up", "2024-05-01 23:45"), ("used", "2024-05-02 00:05"))
    answer = get("analytics/retention", days="1", as_of="2024-06-30")
    assert answer["days"][0]["retained"] == 1
    assert "exactly the N-th calendar day" in answer["definition"]
    assert "UTC" in answer["definition"]
    assert answer["time_zone"] == "UTC"


def test_p08_cohorts_without_retained_persons_count():
    did("ada", ("signed_up", "2024-05-01 12:00"), ("used", "2024-05-02 12:00"))
    did("ben", ("signed_up", "2024-05-10 12:00"))
    assert retention() == (2, 1)


def test_p09_the_first_event_is_the_first_ever_not_the_first_in_the_window():
    did("ada", ("used", "2024-04-01 12:00"), ("used", "2024-05-01 12:00"))
    assert retention(cohort="first_event", from_="2024-05-01") == (0, 0)


def test_p11_a_person_counts_once_at_any_activity():
    used = [("used", f"2024-05-02 {hour:02}:00") for hour in range(24)]
    did("ada", ("signed_up", "2024-05-01 12:00"), ("signed_up", "2024-05-01 13:00"), *used)
    assert retention() == (1, 1)


def test_only_matured_cohorts_count():
    did("ada", ("signed_up", "2024-05-01 12:00"))
    did("ben", ("signed_up", "2024-05-02 12:00"))
    assert retention(days="7", as_of="2024-05-08") == (1, 0)


def test_active_on_another_day_is_not_retained():
    did("ada", ("signed_up", "2024-05-01 12:00"), ("used", "2024-05-07 12:00"))
    assert retention(days="7") == (1, 0)


def test_no_eligible_persons_means_no_data():
    [day] = get("analytics/retention", days="1", as_of="2024-06-30")["days"]
    assert (day["rate"], day["interval"], day["status"]) == (None, None, "no_data")
    assert day["reason"]


def test_a_rate_has_its_interval_and_status():
    did("ada", ("signed_up", "2024-05-01 12:00"), ("used", "2024-05-02 12:00"))
    [day] = get("analytics/retention", days="1", as_of="2024-06-30")["days"]
    assert (day["rate"], day["status"]) == (1.0, "low_sample")
    assert day["interval"]["low"] == pytest.approx(0.2065, abs=1e-4)


def test_by_default_the_last_complete_day_counts(time_machine):
    time_machine.move_to("2024-05-03T10:00Z")
    assert get("analytics/retention")["as_of"] == "2024-05-02"


def test_days_come_in_the_requested_order():
    days = get("analytics/retention", days="30, 1,7", as_of="2024-06-30")["days"]
    assert [day["day"] for day in days] == [30, 1, 7]


def test_weeks_that_are_not_over_are_omitted():
    did("ada", ("signed_up", "2024-05-01 12:00"), ("used", "2024-05-08 12:00"))
    rows = get("analytics/retention/weekly", as_of="2024-05-11")["rows"]
    assert rows == [
        {"week": "2024-04-29", "size": 1, "weeks": [{"week": 0, "retained": 1, "rate": 1.0}]}
    ]
    assert len(get("analytics/retention/weekly", as_of="2024-05-12")["rows"][0]["weeks"]) == 2


def test_a_cohort_week_that_is_not_over_has_no_weeks():
    did("ada", ("signed_up", "2024-05-01 12:00"))
    [row] = get("analytics/retention/weekly", as_of="2024-05-04")["rows"]
    assert (row["size"], row["weeks"]) == (1, [])


def test_the_matrix_has_the_weeks_that_the_range_touches():
    did("ada", ("signed_up", "2024-05-01 12:00"))
    did("ben", ("signed_up", "2024-05-08 12:00"))
    did("cleo", ("signed_up", "2024-05-15 12:00"))
    answer = get(
        "analytics/retention/weekly", from_="2024-05-10", to="2024-05-14", as_of="2024-06-30"
    )
    assert [row["week"] for row in answer["rows"]] == ["2024-05-06", "2024-05-13"]
