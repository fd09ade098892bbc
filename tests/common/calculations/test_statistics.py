"""Rates, their intervals and whether they count."""

from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.calculations.statistics import Rate, Status, middle, wilson_interval

# (numerator, denominator, low, high) as printed by R's binom.confint(method = "wilson").
REFERENCE = [
    (1, 10, 0.01787621, 0.4041500),
    (50, 100, 0.4038315, 0.5961685),
    (0, 10, 0.0, 0.2775328),
    (10, 10, 0.7224672, 1.0),
]


@pytest.mark.parametrize(("numerator", "denominator", "low", "high"), REFERENCE)
def test_wilson_intervals_equal_those_of_r(numerator, denominator, low, high):
    interval = wilson_interval(numerator, denominator)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-7)


@given(st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_lies_around_the_rate_and_within_0_and_1(rate):
    interval = wilson_interval(*rate)
    assert 0 <= interval.low <= rate[0] / rate[1] <= interval.high <= 1


@pytest.mark.parametrize(("numerator", "denominator"), [(2, 1), (-1, 1), (0, 0)])
def test_p11_an_invalid_rate_is_refused(numerator, denominator):
    with pytest.raises(ValueError, match="is not a rate"):
        wilson_interval(numerator, denominator)


def test_no_one_eligible_is_no_data_and_not_zero():
    rate = Rate(0, 0)
    assert (rate.value, rate.interval, rate.status) == (None, None, Status.NO_DATA)
    assert rate.reason


def test_29_people_are_a_low_sample_and_30_are_not():
    assert Rate(1, 29).status is Status.LOW_SAMPLE
    assert "29" in Rate(1, 29).reason
    assert Rate(1, 30).status is Status.OK
    assert Rate(1, 30).reason == ""


@given(st.lists(st.lists(st.integers(0, 9), max_size=5), max_size=6))
def test_the_median_is_the_mean_of_the_middle_values_in_their_buckets(buckets):
    buckets = [[10 * number + value for value in values] for number, values in enumerate(buckets)]
    where = middle([len(values) for values in buckets])
    values = [value for bucket in buckets for value in bucket]
    if where is None:
        assert not values
        return
    read = sorted(value for bucket in buckets[where.first : where.last + 1] for value in bucket)
    assert fmean(read[where.skipped :][: where.values]) == median(values)


def test_the_median_of_many_values_is_looked_for_in_a_single_bucket():
    assert middle([1000, 1000, 1000]) == (1, 1, 499, 2)
