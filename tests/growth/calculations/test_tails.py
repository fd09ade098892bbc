"""Tails of distributions, compared with SciPy's."""

import numpy as np
import pytest
from scipy.stats import chi2, kstest

from growth.calculations.placebos import uniformity
from growth.calculations.tails import chi_square_tail, kolmogorov_tail


@pytest.mark.parametrize("degrees", range(1, 12))
@pytest.mark.parametrize("value", [0.0, 0.1, 1, 3.84, 10.83, 50])
def test_chi_square(value, degrees):
    assert chi_square_tail(value, degrees) == pytest.approx(chi2.sf(value, degrees), rel=1e-9)


@pytest.mark.parametrize("size", [20, 100, 1_000])
def test_kolmogorov_smirnov(size):
    for seed in range(20):
        values = np.random.default_rng(seed).random(size) ** (1 + seed / 40)
        expected = kstest(values, "uniform").pvalue
        assert uniformity(values) == pytest.approx(expected, abs=0.01, rel=0.05)


def test_a_sample_that_fits_perfectly_has_the_p_value_1():
    assert kolmogorov_tail(0.0001, 100) == 1
