"""Newcombe's interval: published examples, statsmodels, exact coverage; its form for amounts."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep

from common.calculations.statistics import wilson_interval
from growth.calculations.arms import Arm, amounts_arm, rate_arm
from growth.calculations.intervals import difference, difference_interval, pooled_variance
from tests.growth.calculations.simulation import CELLS

# Newcombe 1998, "Interval estimation for the difference between independent proportions",
# table II, method 10: the intervals of eight published examples.
PUBLISHED = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0),
    (10, 10, 0, 10, 0.6075, 1.0),
]
COUNTS = [(0, 20), (1, 20), (20, 20), (3, 150), (75, 150), (40, 4_000), (3_999, 4_000)]


@pytest.mark.parametrize(("a", "m", "b", "n", "low", "high"), PUBLISHED)
def test_published_examples(a, m, b, n, low, high):
    interval = difference_interval(rate_arm(m, a), rate_arm(n, b))
    assert interval == pytest.approx((low, high), abs=0.00006)


@pytest.mark.parametrize(("treated", "holdout"), [*product(COUNTS, COUNTS)])
def test_rates_have_the_interval_of_statsmodels(treated, holdout):
    expected = confint_proportions_2indep(*treated, *holdout, method="newcomb", compare="diff")
    interval = difference_interval(rate_arm(*treated[::-1]), rate_arm(*holdout[::-1]))
    assert interval == pytest.approx(expected, abs=1e-12)


def test_many_runs_at_once_have_the_same_intervals():
    treated, holdout = np.array(COUNTS).T, np.array(COUNTS[::-1]).T
    together = difference_interval(rate_arm(*treated[::-1]), rate_arm(*holdout[::-1]))
    single = [
        difference_interval(rate_arm(*first[::-1]), rate_arm(*second[::-1]))
        for first, second in zip(COUNTS, COUNTS[::-1], strict=True)
    ]
    np.testing.assert_allclose(np.array(together).T, single)


def test_against_nothing_it_is_the_wilson_interval_of_every_kpi():
    low, high = difference_interval(rate_arm(150, 12), rate_arm(10**12, 0))
    wilson = wilson_interval(12, 150)
    assert (low, high) == pytest.approx((wilson.low, wilson.high), abs=1e-10)


def test_equal_amounts_scale_the_interval_of_their_rate():
    rate = difference_interval(rate_arm(900, 60), rate_arm(100, 4))
    paid = difference_interval(amounts(900, [1900] * 60), amounts(100, [1900] * 4))
    assert paid == pytest.approx(tuple(1900 * end for end in rate))


def test_amounts_that_differ_widen_the_interval():
    even = difference_interval(amounts(900, [100] * 60), amounts(100, [100] * 4))
    uneven = difference_interval(amounts(900, [50, 150] * 30), amounts(100, [50, 150] * 2))
    assert uneven[0] < even[0]
    assert uneven[1] > even[1]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_rates_are_covered_in_93_to_98_percent_exactly(cell):
    """By the probability of every outcome. With a handful of conversions none is that exact."""
    sizes = cell.persons - cell.controls, cell.controls
    counts = [np.arange(size + 1) for size in sizes]
    chances = [
        binom.pmf(count, size, rate)
        for count, size, rate in zip(counts, sizes, (cell.treated, cell.base), strict=True)
    ]
    likely = [chance > 1e-9 for chance in chances]
    treated = rate_arm(sizes[0], counts[0][likely[0]][:, None])
    holdout = rate_arm(sizes[1], counts[1][likely[1]])
    low, high = difference_interval(treated, holdout)
    truth = cell.treated - cell.base
    weights = np.outer(chances[0][likely[0]], chances[1][likely[1]])
    coverage = weights[(low <= truth + 1e-12) & (truth - 1e-12 <= high)].sum()
    conversions = sizes[0] * cell.treated + sizes[1] * cell.base
    assert 0.93 <= coverage <= (0.98 if conversions >= 5 else 1)


def test_the_pooled_variance_is_that_of_all_amounts():
    paid = np.array([100, 300, 500])
    all_persons = [*paid, *[0] * 7]
    variance = pooled_variance(amounts(6, paid[:2]), amounts(4, paid[2:]))
    assert variance == pytest.approx(np.var(all_persons))


def test_the_difference_is_per_person_assigned():
    assert difference(amounts(10, [100, 300]), amounts(4, [40])) == 30


def amounts(persons, paid):
    return amounts_arm(persons, np.array(paid))


@pytest.mark.parametrize(("persons", "reached"), [(10, 11), (10, -1)])
def test_no_rate_is_above_1_or_below_0(persons, reached):
    with pytest.raises(ValueError, match="not a rate"):
        rate_arm(persons, reached)


@pytest.mark.parametrize("paid", [[0], [-5], [1, 1, 1]])
def test_amounts_are_positive_and_at_most_one_per_person(paid):
    with pytest.raises(ValueError, match="Amounts are positive"):
        amounts(2, paid)


def test_an_arm_of_amounts_adds_them_up():
    assert amounts(10, [3, 4]) == Arm(persons=10, reached=2, total=7, squares=25)
