"""The confidence sequence: the formula of the paper, and what a Brownian motion does to it."""

from math import log, sqrt

import numpy as np
import pytest

from growth.calculations.sequence import standard_errors


def published(t, planned, alpha=0.05):
    """Return the half-width of theorem 2.2 in standard errors, with their rho for `planned`."""
    rho = sqrt((-2 * log(alpha) + log(-2 * log(alpha)) + 1) / planned)
    tail = log(sqrt(t * rho**2 + 1) / alpha)
    return sqrt(2 * (t * rho**2 + 1) / (t**2 * rho**2) * tail) * sqrt(t)


@pytest.mark.parametrize("persons", [10, 500, 1_000, 50_000])
def test_it_is_the_formula_of_the_paper(persons):
    assert standard_errors(persons, 1_000) == pytest.approx(published(persons, 1_000))


def test_it_is_wider_than_a_single_look_and_nearly_narrowest_at_the_planned_size():
    at_the_end = standard_errors(1_000, 1_000)
    assert at_the_end == pytest.approx(3.035, abs=0.001)
    for planned in (100, 300, 3_000, 10_000):
        assert at_the_end < standard_errors(1_000, planned)


def test_a_walk_without_an_effect_leaves_it_in_at_most_5_percent():
    rng = np.random.default_rng(1)
    steps = np.arange(1, 2_001)
    walks = np.cumsum(rng.normal(size=(2_000, len(steps))), axis=1) / np.sqrt(steps)
    ever = (np.abs(walks) > standard_errors(steps, 1_000)).any(axis=1)
    naive = (np.abs(walks) > 1.96).any(axis=1)
    assert ever.mean() <= 0.05
    assert naive.mean() > 0.5
