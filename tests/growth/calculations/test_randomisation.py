"""P-values from the assignment alone."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import hypergeom

from growth.calculations.randomisation import randomisation_p

NONE = np.array([], int)


def test_it_is_the_share_of_all_assignments_that_differ_as_much():
    amounts, treated = np.array([1, 2, 4, 8, 16, 32]), [2, 4, 5]
    seen = amounts[treated].sum()
    sums = [amounts[list(drawn)].sum() for drawn in combinations(range(6), 3)]
    exact = 2 * np.mean([value >= seen for value in sums])
    holdout = np.delete(amounts, treated)
    p = randomisation_p(amounts[treated], holdout, (3, 3), seed=1, draws=50_000)
    assert p == pytest.approx(exact, abs=0.01)


def test_persons_without_an_amount_are_assigned_too():
    p = randomisation_p(np.array([10, 10]), NONE, (100, 900), seed=1, draws=50_000)
    assert p == pytest.approx(2 * 0.1 * 99 / 999, abs=0.003)


def test_equal_amounts_give_fishers_tail():
    ones = np.ones(30, int)
    p = randomisation_p(ones[:20], ones[20:], (500, 500), seed=1, draws=50_000)
    assert p == pytest.approx(2 * hypergeom.sf(19, 1_000, 500, 30), abs=0.005)


def test_the_same_seed_gives_the_same_p_value():
    rng = np.random.default_rng(5)
    arms = rng.integers(1, 99, 40), rng.integers(1, 99, 30)
    first, second, other = (randomisation_p(*arms, (200, 200), seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first == pytest.approx(other, abs=0.05)


@pytest.mark.parametrize(("treated", "holdout"), [(0, 30), (30, 0)])
def test_no_p_value_is_smaller_than_its_draws_allow(treated, holdout):
    paid = np.full(treated, 9), np.full(holdout, 9)
    assert randomisation_p(paid[0], paid[1], (500, 500), seed=1, draws=999) == 2 / 1_000


def test_without_any_amount_nothing_is_improbable():
    assert randomisation_p(NONE, NONE, (500, 500), seed=1) == 1


def test_many_amounts_are_drawn_in_chunks():
    amounts = np.arange(1, 3_001)
    p = randomisation_p(amounts[::2], amounts[1::2], (5_000, 5_000), seed=1, draws=3_000)
    assert p > 0.5
