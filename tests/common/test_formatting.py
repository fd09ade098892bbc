"""How numbers, money, days and durations are written for people."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from django.template import Context, Template
from django.utils.timezone import override

from common import formatting
from common.calculations.statistics import Interval
from common.formatting import Unit


@pytest.mark.parametrize(
    "write",
    [
        formatting.number,
        formatting.decimals,
        formatting.percent,
        formatting.change,
        formatting.points,
        formatting.duration,
        formatting.day_month,
        formatting.full_day,
        formatting.elapsed,
        formatting.moment,
        formatting.exact_moment,
        formatting.utc_moment,
        *(lambda value, unit=unit: formatting.figure(value, unit) for unit in Unit),
        lambda value: formatting.interval(value, Unit.RATE),
        lambda value: formatting.money(value, "usd"),
    ],
)
def test_an_unknown_value_is_a_dash_and_never_zero(write):
    assert write(None) == "–"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1234, "1,234"),
        (12_345.0, "12,345"),
        (Decimal("0.50"), "0.5"),
        (Decimal(1000), "1,000"),
        (1 / 3, "0.333333"),
        (-5, "−5"),
    ],
)
def test_a_number_has_thousands_and_no_needless_decimals(value, text):
    assert formatting.number(value) == text


def test_a_noun_follows_its_number():
    counts = [formatting.counted(count, "event") for count in (0, 1, 1234)]
    assert counts == ["0 events", "1 event", "1,234 events"]
    assert formatting.counted(1, "address", "addresses") == "1 address"
    assert formatting.counted(2, "address", "addresses") == "2 addresses"


def test_rates_are_percentages():
    assert formatting.percent(0.0523) == "5.2 %"
    assert formatting.percent(Fraction(1, 8), 0) == "12 %"
    assert [formatting.change(growth) for growth in (0.0523, -0.1)] == ["+5.2 %", "−10.0 %"]


@pytest.mark.parametrize(
    ("difference", "text"), [(2.34, "+2.3"), (-2.34, "−2.3"), (0.04, "±0.0"), (-0.04, "±0.0")]
)
def test_a_difference_of_points_has_a_sign(difference, text):
    assert formatting.signed_points(difference) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.221, Unit.RATE, "22.1 %"),
        (-0.221, Unit.CHANGE, "−22.1 %"),
        (3.2, Unit.RATIO, "3.20"),
        (5.38, Unit.HOURS, "5.4 h"),
        (1234.0, Unit.COUNT, "1,234"),
    ],
)
def test_a_figure_has_its_unit(value, unit, text):
    assert formatting.figure(value, unit) == text


def test_an_interval_has_its_percent_sign_once():
    assert formatting.interval(Interval(0.199, 0.259), Unit.RATE) == "19.9 – 25.9 %"
    assert formatting.interval(Interval(1.5, 2.5), Unit.HOURS) == "1.5 h – 2.5 h"


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (123450, "usd", "1,234.50 USD"),
        (-5, "usd", "−0.05 USD"),
        (1235, "jpy", "1,235 JPY"),
        (1235, "kwd", "1.235 KWD"),
        (Fraction(12345, 10), "usd", "12.35 USD"),
    ],
)
def test_money_has_the_decimals_of_its_currency(amount, currency, text):
    assert formatting.money(amount, currency) == text


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=45), "45 s"),
        (timedelta(hours=3, minutes=20, seconds=5), "3 h 20 min"),
        (timedelta(days=2, hours=5), "2 d 5 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(time, text):
    assert formatting.duration(time) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.36, "0.4 s"), (9, "9.0 s"), (75, "1 min 15 s")])
def test_the_time_a_job_took_has_a_decimal_below_a_minute(seconds, text):
    assert formatting.elapsed(timedelta(seconds=seconds)) == text


def test_days_and_months():
    day = date(2026, 11, 8)
    assert formatting.day_month(day) == "8 Nov"
    assert formatting.full_day(day) == "8 Nov 2026"
    assert formatting.long_day(day) == "8 November 2026"
    assert formatting.short_month(day) == "Nov 2026"
    assert formatting.month_year(day) == "November 2026"


def test_a_moment_is_written_in_its_own_zone_or_in_utc():
    time = datetime(2026, 4, 1, 11, 0, 7, tzinfo=timezone(timedelta(hours=2)))
    assert formatting.moment(time) == "1 Apr 2026, 11:00"
    assert formatting.exact_moment(time) == "1 Apr 2026, 11:00:07"
    assert formatting.utc_moment(time) == formatting.utc_moment(time.astimezone(UTC))
    assert formatting.utc_moment(time) == "2026-04-01 09:00 UTC"


def test_pages_write_moments_in_the_time_zone_in_force():
    time = datetime(2026, 3, 31, 23, 30, 7, tzinfo=UTC)
    page = "{% load numbers %}{{ time|moment }}; {{ time|exact_moment }}; {{ time|full_day }}"
    with override("Europe/Berlin"):
        text = Template(page).render(Context({"time": time}))
    assert text == "1 Apr 2026, 01:30; 1 Apr 2026, 01:30:07; 1 Apr 2026"


def test_an_error_is_its_kind_and_its_first_line():
    assert formatting.error_line(OSError("No space left\non device")) == "OSError: No space left"
    assert formatting.error_line(ValueError("x" * 1000)) == f"ValueError: {'x' * 488}"
