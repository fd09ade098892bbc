"""Placebo campaigns: their p-values are uniform, and say how many false alarms we raise."""

import numpy as np
import pytest

from growth.calculations.arms import rate_arm
from growth.calculations.placebos import placebo_p, summary, uniformity
from tests.growth.calculations.simulation import fewest, most


def p_values(campaigns, base, persons, lift=0.0):
    rng = np.random.default_rng(7)
    return [
        placebo_p(
            rate_arm(persons, int(rng.binomial(persons, base + lift))),
            rate_arm(persons // 9, int(rng.binomial(persons // 9, base))),
            seed=seed,
        )
        for seed in range(campaigns)
    ]


@pytest.mark.parametrize("runs", [300, pytest.param(2_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("base", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("persons", [180, 4_500])
def test_p_values_of_placebos_are_uniform(base, persons, runs):
    drawn = p_values(runs, base, persons)
    alarms = summary(drawn).false_alarms
    assert uniformity(drawn) > 0.001
    assert fewest(runs, 0.05) <= alarms.numerator <= most(runs, 0.05)


def test_an_assignment_that_has_an_effect_is_not_uniform():
    assert uniformity(p_values(300, 0.05, 4_500, lift=0.02)) < 0.001


def test_the_false_alarms_are_those_below_5_percent():
    placebos = summary([0.049, 0.05, 0.5, 0.9])
    assert (placebos.false_alarms.numerator, placebos.false_alarms.denominator) == (1, 4)


def test_without_placebos_nothing_is_uniform():
    placebos = summary([])
    assert (placebos.uniform_p, placebos.false_alarms.value) == (None, None)


def test_without_a_conversion_a_placebo_has_a_p_value_by_chance_alone():
    drawn = [placebo_p(rate_arm(90, 0), rate_arm(10, 0), seed=seed) for seed in range(200)]
    assert uniformity(drawn) > 0.001


def test_a_placebo_keeps_its_p_value():
    arms = rate_arm(900, 45), rate_arm(100, 6)
    assert placebo_p(*arms, seed=3) == placebo_p(*arms, seed=3)
