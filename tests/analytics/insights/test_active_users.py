"""Active users, as the API answers it."""

import pytest

from tests.analytics.people_histories import did
from tests.api import get

pytestmark = pytest.mark.django_db


def periods(granularity, **parameters):
    parameters = {"as_of": "2024-06-30"} | parameters
    return get("analytics/active-users", granularity=granularity, **parameters)["periods"]


@pytest.fixture
def history():
    did("ada", ("used", "2024-03-10 12:00"), ("used", "2024-04-10 12:00"))
    did("ben", ("used", "2024-03-11 12:00"), ("used", "2024-05-11 12:00"))
    did("cleo", ("used", "2024-05-01 12:00"), ("used", "2024-05-02 12:00"))


def test_days_without_activity_are_0_and_not_missing(history):
    days = periods("day", from_="2024-03-09", to="2024-03-12")
    assert [day["active"] for day in days] == [0, 1, 1, 0]


def test_trailing_days_reach_back_before_the_range(history):
    [day] = periods("day", from_="2024-03-17", to="2024-03-17")
    assert (day["active"], day["trailing_7"], day["trailing_30"]) == (0, 1, 2)


def test_weeks_begin_on_monday(history):
    weeks = periods("week", from_="2024-03-10", to="2024-03-11")
    assert [(week["start"], week["end"]) for week in weeks] == [
        ("2024-03-04", "2024-03-10"),
        ("2024-03-11", "2024-03-17"),
    ]


@pytest.mark.usefixtures("history")
def test_p12_growth_accounting_reconciles_with_active_persons():
    months = periods("month")
    assert [month["active"] for month in months] == [2, 1, 2, 0]
    before = 0
    for month in months:
        growth = month["growth_accounting"]
        assert growth["new"] + growth["retained"] + growth["resurrected"] == month["active"]
        assert growth["churned"] + growth["retained"] == before
        before = month["active"]


def test_a_returning_person_is_resurrected_and_not_new(history):
    may = periods("month", from_="2024-05-01", to="2024-05-31")[0]["growth_accounting"]
    assert may == {"new": 1, "retained": 0, "resurrected": 1, "churned": 1}


def test_stickiness_is_over_all_days_of_the_month(history):
    [may] = periods("month", from_="2024-05-01", to="2024-05-31")
    assert may["stickiness"] == pytest.approx(3 / 31 / 2)


def test_p19_a_month_that_is_not_over_is_incomplete_and_has_no_growth(history):
    *_, may = periods("month", as_of="2024-05-30")
    assert (may["active"], may["complete"]) == (2, False)
    assert (may["growth_accounting"], may["stickiness"], may["growth"]) == (None, None, None)


def test_growth_from_zero_is_unknown(history):
    assert periods("month")[0]["growth"] is None


def test_the_range_begins_with_the_first_activity(history):
    assert periods("day")[0]["start"] == "2024-03-10"


def test_an_empty_product_has_a_single_empty_day():
    assert [day["active"] for day in periods("day")] == [0]
