"""How small an effect can be seen, compared with statsmodels; and what is recommended."""

import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import power_proportions_2indep

from growth.calculations.power import (
    HOLDOUTS,
    persons_needed,
    power,
    recommended_holdout,
    smallest_visible,
)


@pytest.mark.parametrize("base", [0.01, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("effect", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("holdout", [0.05, 0.1, 0.5])
def test_the_power_is_that_of_statsmodels(base, effect, holdout):
    persons = 2_000
    expected = power_proportions_2indep(
        effect,
        base,
        persons * (1 - holdout),
        ratio=holdout / (1 - holdout),
        alpha=0.025,
        alternative="larger",  # seeing it as harm is not seeing it
    )
    assert power(base, effect, persons, holdout) == pytest.approx(expected.power, abs=1e-9)


@pytest.mark.parametrize(("base", "persons", "holdout"), [(0.05, 1_000, 0.1), (0.2, 300, 0.5)])
def test_the_smallest_visible_effect_is_seen_in_80_percent(base, persons, holdout):
    effect = smallest_visible(base, persons, holdout)
    assert effect is not None
    assert power(base, effect, persons, holdout) == pytest.approx(0.8)


def test_with_few_persons_no_effect_is_visible():
    assert smallest_visible(0.6, 20, 0.1) is None


@pytest.mark.parametrize(
    ("base", "persons", "holdout"), [(0, 1_000, 0.1), (1, 1_000, 0.1), (0.1, 5, 0.1), (0.1, 9, 0)]
)
def test_a_visible_effect_needs_a_base_rate_and_two_arms(base, persons, holdout):
    with pytest.raises(ValueError, match="held out"):
        smallest_visible(base, persons, holdout)


@pytest.mark.parametrize("holdout", [0.1, 0.5])
def test_the_persons_needed_are_those_of_statsmodels(holdout):
    ratio = holdout / (1 - holdout)
    treated = NormalIndPower().solve_power(0.02 / 0.3, power=0.8, alpha=0.05, ratio=ratio)
    expected = treated * (1 + ratio)
    assert persons_needed(0.09, 0.02, holdout) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("persons", "effect", "holdout"),
    [(100_000, 0.02, 0.05), (10_000, 0.02, 0.3), (6_000, 0.02, 0.5), (100, 0.001, 0.5)],
)
def test_the_smallest_holdout_that_shows_the_effect_is_recommended(persons, effect, holdout):
    assert recommended_holdout(0.1, persons, effect) == holdout


def test_the_recommended_holdout_shows_the_effect_and_the_next_smaller_does_not():
    recommended = recommended_holdout(0.1, 10_000, 0.02)
    assert power(0.1, 0.02, 10_000, recommended) >= 0.8
    assert power(0.1, 0.02, 10_000, HOLDOUTS[HOLDOUTS.index(recommended) - 1]) < 0.8
