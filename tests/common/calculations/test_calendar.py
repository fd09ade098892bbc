from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.calculations.calendar import (
    LocalCalendar,
    month_after,
    month_before,
    month_end,
    week_start,
)

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe"]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)), st.sampled_from(ZONES))
def test_a_day_is_the_local_calendar_day(naive, zone):
    moment = naive.replace(tzinfo=UTC)
    assert LocalCalendar(zone).day(moment) == moment.astimezone(ZoneInfo(zone)).toordinal()


@given(st.dates())
def test_a_week_starts_on_its_iso_monday(day):
    assert week_start(day.toordinal()) == (day - timedelta(days=day.weekday())).toordinal()


@pytest.mark.parametrize(
    ("zone", "last"), [("UTC", date(2024, 3, 9)), ("Pacific/Auckland", date(2024, 3, 10))]
)
def test_p19_today_is_not_a_complete_day(zone, last):
    assert LocalCalendar(zone).last_complete_day(datetime(2024, 3, 10, 23, 59, tzinfo=UTC)) == last


@pytest.mark.parametrize(
    ("day", "before", "end", "after"),
    [
        (date(2024, 2, 29), date(2024, 1, 1), date(2024, 2, 29), date(2024, 3, 1)),
        (date(2024, 12, 31), date(2024, 11, 1), date(2024, 12, 31), date(2025, 1, 1)),
        (date(2025, 1, 1), date(2024, 12, 1), date(2025, 1, 31), date(2025, 2, 1)),
    ],
)
def test_months_begin_and_end_on_their_days(day, before, end, after):
    assert (month_before(day), month_end(day), month_after(day)) == (before, end, after)
