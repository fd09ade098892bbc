"""Compare what the API answers with what the raw events say."""

from datetime import date, timedelta

from analytics.insights import active_users
from analytics.rollups import definitions
from tests import raw_sql
from tests.api import get


def compare_everything(*, first: date, as_of: date) -> None:
    """Assert that every number from the counters follows from the raw events."""
    in_force = definitions.in_force()
    for cohort in ("signup", "first_event"):
        compare_day_retention(in_force, cohort=cohort, as_of=as_of)
        compare_weekly_matrix(in_force, cohort=cohort, as_of=as_of)
    compare_activation(in_force, first=first, as_of=as_of)
    compare_active_users(in_force, first=first, as_of=as_of)


def compare_day_retention(in_force, *, cohort, as_of):
    numbers = [0, 1, 7, 14, 30, 60, 90]
    days = get("analytics/retention", cohort=cohort, days=",".join(map(str, numbers)), as_of=as_of)[
        "days"
    ]
    for number, day in zip(numbers, days, strict=True):
        expected = raw_sql.day_retention(in_force, cohort=cohort, day=number, as_of=as_of)
        assert (day["eligible"], day["retained"]) == expected, number


def compare_weekly_matrix(in_force, *, cohort, as_of):
    rows = get("analytics/retention/weekly", cohort=cohort, weeks=12, as_of=as_of)["rows"]
    assert [
        (date.fromisoformat(row["week"]), row["size"], [week["retained"] for week in row["weeks"]])
        for row in rows
    ] == raw_sql.weekly_matrix(in_force, cohort=cohort, weeks=12, as_of=as_of)


def compare_activation(in_force, *, first, as_of):
    report = get("analytics/activation", from_=first, as_of=as_of)["overall"]
    week, day = as_of - timedelta(days=7), as_of - timedelta(days=1)
    eligible, activated, _, median = raw_sql.activation(in_force, first=first, last=week)
    assert (report["eligible"], report["activated"]) == (eligible, activated)
    assert report["median_seconds"] == (
        None if median is None else max(median.total_seconds(), 0.0)
    )
    eligible, _, quickly, _ = raw_sql.activation(in_force, first=first, last=day)
    quick = report["within_24_hours"]
    assert (quick["eligible"], quick["activated"]) == (eligible, quickly)


def compare_active_users(in_force, *, first, as_of):
    days = active_users.active_days(first=first, last=as_of, as_of=as_of)
    weeks = active_users.active_weeks(first=first, last=as_of, as_of=as_of)
    months = active_users.active_months(first=first, last=as_of, as_of=as_of)
    for granularity, periods in (("day", days), ("week", weeks), ("month", months)):
        expected = raw_sql.active(in_force, granularity=granularity)
        for period in periods:
            assert period.active == expected.get(period.start, 0), period
    for window in (7, 30):
        expected = raw_sql.trailing_active(in_force, days=window, first=first, last=as_of)
        for day in days:
            assert getattr(day, f"trailing_{window}") == expected.get(day.start, 0), day
    accounting = raw_sql.growth_accounting(in_force)
    for month in months:
        growth = month.growth_accounting
        if growth is not None:
            assert (growth.new, growth.retained, growth.resurrected, growth.churned) == (
                accounting.get(month.start, (0, 0, 0, 0))
            )
