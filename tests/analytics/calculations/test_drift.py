"""The drift index is always finite, and too little data is not reported as drift."""

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.drift import CHANGED, SMALLEST_SAMPLE, psi

counts = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 10_000))


def test_the_index_is_that_of_its_definition():
    parts = psi({"a": 5_000, "b": 5_000}, {"a": 7_000, "b": 3_000})
    assert sum(parts.values()) == pytest.approx(0.1695, abs=1e-3)


def test_the_same_distribution_has_not_moved():
    assert sum(psi({"a": 300, "b": 700}, {"a": 300, "b": 700}).values()) == 0


def test_p32_an_empty_bin_gives_a_large_but_finite_index():
    parts = psi({"a": 1_000}, {"b": 1_000})
    assert isfinite(sum(parts.values()))
    assert sum(parts.values()) > CHANGED


def test_p32_a_tiny_sample_is_not_drift():
    assert psi({"a": 10}, {"b": SMALLEST_SAMPLE}) is None


@given(counts, counts)
def test_p32_the_index_is_finite_and_never_negative(expected, actual):
    parts = psi(expected, actual)
    if parts is not None:
        assert all(isfinite(part) and part >= 0 for part in parts.values())
