"""CAC, LTV:CAC and payback, computed by hand. Amounts are cents."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from common.calculations.statistics import Status
from growth.calculations.spend.acquisition import (
    Cost,
    Payers,
    Spending,
    cac,
    day_ranges,
    ltv_to_cac,
    payback,
    payback_interval,
)

MARCH_1 = date(2024, 3, 1)
OK = Status.OK


def days(*numbers):
    return [MARCH_1 + timedelta(days=number - 1) for number in numbers]


@pytest.mark.parametrize(
    ("spending", "customers", "status", "expected"),
    [
        (Spending(100_000), 10, OK, Fraction(10_000)),
        (Spending(100_000), 30, OK, Fraction(10_000, 3)),  # exact, not rounded
        (Spending(99_999), 11, OK, Fraction(99_999, 11)),
        (Spending(1), 10, OK, Fraction(1, 10)),
        (Spending(10**12), 10, OK, Fraction(10**11)),
        (Spending(0), 10, OK, Fraction(0)),  # explicit zeros are entries
        (Spending(100_000), 9, Status.LOW_SAMPLE, Fraction(100_000, 9)),
        (Spending(100_000), 1, Status.LOW_SAMPLE, Fraction(100_000)),
        (Spending(0), 1, Status.LOW_SAMPLE, Fraction(0)),
        (Spending(100_000), 0, Status.NO_DATA, None),
        (Spending(0), 0, Status.NO_DATA, None),
        (Spending(100_000, days(3)), 10, Status.NO_DATA, None),
        (Spending(0, days(*range(1, 32))), 10, Status.NO_DATA, None),
        (Spending(100_000, days(3)), 0, Status.NO_DATA, None),
        (Spending(100_000, held=["eur"]), 10, Status.HELD, Fraction(10_000)),
        (Spending(100_000, held=["eur"]), 9, Status.HELD, Fraction(100_000, 9)),
        (Spending(100_000, days(3), ["eur"]), 10, Status.NO_DATA, None),
    ],
)
def test_cac(spending, customers, status, expected):
    cost = cac(spending, customers)
    assert (cost.status, cost.cac) == (status, expected)
    assert bool(cost.reason) == (status is not OK)


def test_uncovered_days_are_named():
    reason = cac(Spending(100, days(1, 2, 3, 9)), 10).reason
    assert "4 days: 1 Mar 2024 to 3 Mar 2024, 9 Mar 2024. Enter 0" in reason


def test_held_currencies_are_named():
    assert "(EUR, GBP)" in cac(Spending(100, held=["eur", "gbp"]), 10).reason


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([1], "1 Mar 2024"),
        ([1, 3], "1 Mar 2024, 3 Mar 2024"),
        ([1, 2, 4, 5], "1 Mar 2024 to 2 Mar 2024, 4 Mar 2024 to 5 Mar 2024"),
        (
            [1, 3, 5, 7, 9, 11, 13],
            "1 Mar 2024, 3 Mar 2024, 5 Mar 2024, 7 Mar 2024, 9 Mar 2024 and 2 other ranges",
        ),
    ],
)
def test_days_are_written_as_ranges(numbers, text):
    assert day_ranges(days(*numbers)) == text


@pytest.mark.parametrize(
    ("ltv", "cost", "expected"),
    [
        (Fraction(40_000), Fraction(10_000), Fraction(4)),
        (Fraction(30_000), Fraction(10_000), Fraction(3)),
        (Fraction(10_000), Fraction(3), Fraction(10_000, 3)),
        (Fraction(5_000), Fraction(10_000), Fraction(1, 2)),
        (Fraction(0), Fraction(10_000), Fraction(0)),
        (None, Fraction(10_000), None),
        (Fraction(40_000), Fraction(0), None),  # nothing was spent: no value, not infinity
        (Fraction(40_000), None, None),
    ],
)
def test_ltv_to_cac(ltv, cost, expected):
    assert ltv_to_cac(ltv, Cost(OK, "", cost)) == expected


@pytest.mark.parametrize(
    ("cost", "arpa", "margin", "expected"),
    [
        (Fraction(12_000), Fraction(1_000), Fraction(1), Fraction(12)),
        (Fraction(12_000), Fraction(1_000), Fraction(4, 5), Fraction(15)),
        (Fraction(12_000), Fraction(1_000), Fraction(1, 2), Fraction(24)),
        (Fraction(500), Fraction(1_000), Fraction(1), Fraction(1, 2)),  # within the first month
        (Fraction(10_000), Fraction(3_000), Fraction(7, 10), Fraction(100, 21)),
        (Fraction(0), Fraction(1_000), Fraction(1), Fraction(0)),
        (Fraction(12_000), Fraction(1_000), Fraction(0), None),  # never pays off
        (Fraction(12_000), None, Fraction(1), None),
        (None, Fraction(1_000), Fraction(1), None),
    ],
)
def test_payback(cost, arpa, margin, expected):
    assert payback(cost, arpa, margin) == expected


def test_the_interval_of_payback_follows_from_how_much_mrr_differs():
    """50 customers at 10.00 and 50 at 20.00: mean 1500, variance 250000 x 100 / 99.

    The standard error is 500 / sqrt(99) = 50.252; 1.95996 of them are 98.49. CAC 120.00 is paid
    back after 12000 / 1598.49 = 7.507 to 12000 / 1401.51 = 8.562 months.
    """
    payers = Payers(100, 150_000, 50 * 1000**2 + 50 * 2000**2)
    interval = payback_interval(Fraction(12_000), payers, Fraction(1))
    assert (interval.low, interval.high) == (
        pytest.approx(7.507, abs=1e-3),
        pytest.approx(8.562, abs=1e-3),
    )


def test_a_margin_of_a_half_doubles_the_interval_of_payback():
    payers = Payers(100, 150_000, 50 * 1000**2 + 50 * 2000**2)
    whole, half = (
        payback_interval(Fraction(12_000), payers, margin)
        for margin in (Fraction(1), Fraction(1, 2))
    )
    assert (half.low, half.high) == (pytest.approx(2 * whole.low), pytest.approx(2 * whole.high))


def test_equal_customers_leave_no_doubt():
    interval = payback_interval(Fraction(12_000), Payers(30, 30_000, 30 * 1000**2), Fraction(1))
    assert (interval.low, interval.high) == (12, 12)


@pytest.mark.parametrize(
    ("cost", "payers", "margin"),
    [
        (Fraction(12_000), Payers(29, 29_000, 29 * 1000**2), Fraction(1)),  # too few
        (Fraction(12_000), Payers(0, 0, 0), Fraction(1)),
        (None, Payers(30, 30_000, 30 * 1000**2), Fraction(1)),
        (Fraction(12_000), Payers(30, 30_000, 30 * 1000**2), Fraction(0)),
        # One pays 300.00 and 29 pay 0.01: the interval of the mean holds 0.
        (Fraction(12_000), Payers(30, 30_029, 30_000**2 + 29), Fraction(1)),
    ],
)
def test_without_enough_to_go_by_payback_has_no_interval(cost, payers, margin):
    assert payback_interval(cost, payers, margin) is None
