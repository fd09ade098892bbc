"""Revenue per person assigned: one cap for both arms, intervals, randomisation."""

import numpy as np
import pytest

from growth.calculations.readings import Verdict
from growth.calculations.revenue import Payments, pooled_cap, revenue_effect
from tests.growth.calculations.campaigns import BEFORE, plan, progress


def effect(treated_paid, holdout_paid, moment=None, sizes=(900, 100), **changes):
    treated, holdout = (
        Payments(size, np.array(amounts, int))
        for size, amounts in zip(sizes, (treated_paid, holdout_paid), strict=True)
    )
    planned = plan(**({"effect": 100} | changes))
    return revenue_effect(treated, holdout, planned, moment or progress(), seed=1)


def test_the_cap_is_the_99th_percentile_of_the_payers_of_both_arms():
    assert pooled_cap(np.arange(1, 51), np.arange(51, 102)) == 100


def test_p69_the_cap_is_over_payers_not_over_all_persons():
    """Over the zeros of 1,000 persons with 9 payers the 99th percentile would be 0."""
    assert effect([1900] * 8, [4900]).cap > 1900


def test_p69_the_cap_is_pooled_not_per_arm():
    treated = [*range(2_000, 3_000), 500_000]
    result = effect(treated, range(1, 101), sizes=(5_000, 5_000))
    assert result.cap == pooled_cap(np.array(treated), np.arange(1, 101))
    assert float(result.capped.holdout.total) == sum(range(1, 101))


@pytest.mark.parametrize("side", [1, -1])
def test_p69_a_large_payer_of_either_arm_does_not_decide_the_effect(side):
    with_large, without = [*[2_000] * 200, 5_000_000], [2_000] * 200
    paid = (with_large, without)[::side]
    result = effect(paid[0], paid[1], sizes=(5_000, 5_000))
    assert side * result.uncapped.difference > 900
    assert abs(result.capped.difference) < 1
    assert result.capped.verdict is Verdict.NO_DIFFERENCE


def test_p69_both_versions_are_returned():
    result = effect([100] * 150 + [90_000], [100] * 150, sizes=(5_000, 5_000))
    assert float(result.uncapped.treated.total) == 105_000
    assert float(result.capped.treated.total) == 15_100


@pytest.mark.parametrize(
    ("treated", "holdout", "verdict"),
    [(400, 250, Verdict.WORKS), (250, 400, Verdict.HARMS), (300, 300, Verdict.NO_DIFFERENCE)],
)
def test_the_verdict_is_that_of_the_capped_amounts(treated, holdout, verdict):
    prices = np.array([1900, 4900])
    paid = [np.resize(prices, count) for count in (treated, holdout)]
    result = effect(paid[0], paid[1], sizes=(5_000, 5_000))
    assert result.capped.verdict is verdict
    assert (result.capped.p_value < 0.05) is (verdict is not Verdict.NO_DIFFERENCE)


def test_a_verdict_needs_randomisation_to_confirm_the_interval():
    reading = effect([2_000] * 90, [2_000] * 17).capped
    assert reading.interval.high < 0
    assert reading.p_value > 0.05
    assert reading.verdict is Verdict.NO_DIFFERENCE


@pytest.mark.parametrize(("treated", "holdout"), [(80, 10), (0, 0), (50, 0)])
def test_with_few_payers_there_is_no_interval(treated, holdout):
    reading = effect([1900] * treated, [1900] * holdout).capped
    assert (reading.interval, reading.p_value) == (None, None)
    assert reading.verdict is Verdict.TOO_EARLY


def test_the_missing_persons_are_those_until_10_payers_of_the_smaller_arm():
    assert effect([1900] * 72, [1900] * 8, effect=900).capped.more_persons == 250


def test_so_far_there_is_no_p_value():
    moment = progress(BEFORE)
    reading = effect([1900] * 800, [1900] * 300, moment, sizes=(5_000, 5_000), holdout=0.5).capped
    assert reading.p_value is None
    assert reading.verdict is Verdict.WORKS
