"""Sizes that differ from the plan stop the verdict; persons of several arms are counted."""

import pytest
from scipy.stats import chisquare

from growth.calculations.sample_ratio import sample_ratio

PLAN = {"holdout": 0.1, "a": 0.45, "b": 0.45}


def test_the_p_value_is_chi_squares():
    assigned = {"holdout": 120, "a": 440, "b": 440}
    expected = chisquare([120, 440, 440], [100, 450, 450]).pvalue
    assert sample_ratio(assigned, PLAN).p_value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("holdout", "is_as_planned"), [(100, True), (130, True), (132, False), (70, True), (67, False)]
)
def test_p67_a_holdout_far_from_its_share_is_not_trusted(holdout, is_as_planned):
    ratio = sample_ratio(
        {"holdout": holdout, "treated": 1_000 - holdout}, {"holdout": 0.1, "treated": 0.9}
    )
    assert ratio.is_as_planned is is_as_planned


def test_p67_losing_a_tenth_of_the_treated_is_noticed():
    ratio = sample_ratio({"holdout": 2_000, "treated": 16_200}, {"holdout": 0.1, "treated": 0.9})
    assert not ratio.is_as_planned


def test_an_arm_that_was_not_to_get_anybody_and_did_is_not_trusted():
    assert not sample_ratio({"holdout": 1, "a": 999}, {"holdout": 0, "a": 1}).is_as_planned


@pytest.mark.parametrize("assigned", [{"holdout": 0, "a": 0}, {"holdout": 0, "a": 50}])
def test_without_a_holdout_or_persons_nothing_is_suspicious(assigned):
    assert sample_ratio(assigned, {"holdout": 0, "a": 1}).p_value == 1


def test_an_arm_that_is_not_in_the_plan_is_an_error():
    with pytest.raises(ValueError, match="not those planned"):
        sample_ratio({"holdout": 1, "c": 1}, PLAN)


def test_contaminated_persons_are_counted():
    ratio = sample_ratio({"holdout": 100, "a": 450, "b": 450}, PLAN, contaminated=12)
    assert ratio.contaminated == 12
