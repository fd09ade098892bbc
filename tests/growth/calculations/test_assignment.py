"""Keyed assignment: stable, with the planned shares, independent between experiments."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2_contingency, chisquare, kstest

from growth.calculations.assignment import (
    HOLDOUT,
    ArmSplit,
    experiment_key,
    global_holdout_key,
    share,
)

SECRET = b"a secret of the tests"
PERSONS = [str(number) for number in range(20_000)]
IMPROBABLE = 1e-4  # a p-value that a right assignment has once in 10,000 keys


def shares(key):
    return np.array([share(key, person) for person in PERSONS])


def quarters(key):
    return (shares(key) * 4).astype(int)


def independence(first, second):
    """Return the p-value of chi-square's test that two assignments know nothing of each other."""
    counts = np.zeros((4, 4))
    np.add.at(counts, (quarters(first), quarters(second)), 1)
    return chi2_contingency(counts).pvalue


def test_a_share_stays_the_same_forever():
    key = experiment_key(SECRET, "campaign 7")
    assert share(key, "42") == 0.21540838186458255


def test_shares_are_uniform_from_0_to_below_1():
    drawn = shares(experiment_key(SECRET, "campaign 7"))
    assert drawn.min() >= 0
    assert drawn.max() < 1
    assert kstest(drawn, "uniform").pvalue > IMPROBABLE


@pytest.mark.parametrize("other", ["campaign 8", "campaign 7/step 1", "campaign 77", ""])
def test_experiments_are_independent(other):
    keys = experiment_key(SECRET, "campaign 7"), experiment_key(SECRET, other)
    assert independence(*keys) > IMPROBABLE


def test_the_check_of_independence_detects_the_same_assignment():
    key = experiment_key(SECRET, "campaign 7")
    assert independence(key, key) < IMPROBABLE


@pytest.mark.parametrize("experiment", ["campaign 7", "global_holdout", ""])
def test_the_global_holdout_is_independent_of_experiments(experiment):
    keys = global_holdout_key(SECRET), experiment_key(SECRET, experiment)
    assert independence(*keys) > IMPROBABLE


def test_another_secret_assigns_differently():
    keys = experiment_key(SECRET, "campaign 7"), experiment_key(b"another", "campaign 7")
    assert independence(*keys) > IMPROBABLE


@pytest.mark.parametrize(
    ("holdout", "variants"), [(0.1, {"a": 1}), (0.5, {"a": 1, "b": 1}), (0.0, {"a": 3, "b": 1})]
)
def test_arms_have_the_planned_shares(holdout, variants):
    split = ArmSplit(holdout, variants)
    key = experiment_key(SECRET, "campaign 7")
    counts = Counter(split.arm(share(key, person)) for person in PERSONS)
    planned = {arm: part * len(PERSONS) for arm, part in split.shares.items() if part}
    assert counts.keys() == planned.keys()
    assert chisquare([counts[arm] for arm in planned], [*planned.values()]).pvalue > IMPROBABLE


@pytest.mark.parametrize(
    ("at", "arm"),
    [(0.0, HOLDOUT), (0.0999999, HOLDOUT), (0.1, "a"), (0.5499, "a"), (0.5501, "b"), (0.9999, "b")],
)
def test_the_holdout_has_the_lowest_shares(at, arm):
    assert ArmSplit(0.1, {"a": 1, "b": 1}).arm(at) == arm


def test_a_further_variant_moves_no_person_into_or_out_of_the_holdout():
    before, after = ArmSplit(0.1, {"a": 1}), ArmSplit(0.1, {"a": 1, "b": 2})
    for at in np.linspace(0, 1, 1_000, endpoint=False):
        assert (before.arm(at) == HOLDOUT) == (after.arm(at) == HOLDOUT)


def test_without_a_holdout_every_person_is_in_a_variant():
    assert ArmSplit(0, {"a": 1}).arm(0.0) == "a"


def test_the_highest_share_has_an_arm_whatever_rounding_does():
    split = ArmSplit(0.1, {str(number): 1 for number in range(9)})
    highest = 1 - 2**-53
    assert sum(split.shares.values()) <= highest
    assert split.arm(highest) == "8"


@pytest.mark.parametrize("holdout", [-0.1, 1, 1.5])
def test_a_holdout_is_a_share(holdout):
    with pytest.raises(ValueError, match="not a share"):
        ArmSplit(holdout, {"a": 1})


@pytest.mark.parametrize("variants", [{}, {"a": 0}, {"a": -1}, {HOLDOUT: 1}])
def test_variants_have_weights_and_names_of_their_own(variants):
    with pytest.raises(ValueError, match="not variants"):
        ArmSplit(0.1, variants)
