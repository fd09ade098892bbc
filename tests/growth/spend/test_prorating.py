"""Spend of a range, spread over its days: exactly, evenly, and every day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from growth.calculations.spend.prorating import days_of, per_day

MARCH_1 = date(2024, 3, 1)


@pytest.mark.parametrize(
    ("amount", "days", "expected"),
    [
        (0, 3, [0, 0, 0]),
        (9, 3, [3, 3, 3]),
        (10, 4, [2, 3, 2, 3]),
        (1, 3, [0, 0, 1]),
        (100_000, 1, [100_000]),
    ],
)
def test_an_amount_is_spread_evenly(amount, days, expected):
    last = MARCH_1 + timedelta(days=days - 1)
    assert list(per_day(amount, MARCH_1, last).values()) == expected


def test_a_leap_day_is_a_day():
    """2900 over the 29 days of February 2024 are 100 a day."""
    assert set(per_day(2900, date(2024, 2, 1), date(2024, 2, 29)).values()) == {100}


@given(
    amount=st.integers(0, 10**15),
    start=st.integers(-10_000, 10_000),
    days=st.integers(1, 366),
)
def test_sums_are_exact_every_day_is_covered_and_days_differ_by_at_most_a_unit(amount, start, days):
    first = MARCH_1 + timedelta(days=start)
    last = first + timedelta(days=days - 1)
    spread = per_day(amount, first, last)
    assert sum(spread.values()) == amount
    assert list(spread) == days_of(first, last)
    assert len(spread) == days
    assert max(spread.values()) - min(spread.values()) <= 1
