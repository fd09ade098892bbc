"""Placebo campaigns: assignment without a message, whose p-values show our own false alarms.

Where assignment, goals and statistics are right, the p-values are uniform from 0 to 1, and 5 % of
them are below 0.05.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.calculations.statistics import Rate
from growth.calculations.arms import Arm
from growth.calculations.intervals import ALPHA
from growth.calculations.randomisation import randomisation_p
from growth.calculations.tails import kolmogorov_tail


@dataclass(frozen=True, slots=True)
class Placebos:
    """The p-values of placebos: how many are false alarms, and whether they are uniform."""

    p_values: tuple[float, ...]
    false_alarms: Rate  # p below 0.05, with its interval
    uniform_p: float | None  # Kolmogorov-Smirnov's p-value; None without placebos


def placebo_p(treated: Arm, holdout: Arm, *, seed: int) -> float:
    """Return a placebo's p-value of a rate, exactly uniform: ties are broken at random by seed."""
    tie = np.random.default_rng(seed).random()
    return randomisation_p(
        np.ones(int(treated.reached), np.int64),
        np.ones(int(holdout.reached), np.int64),
        (int(treated.persons), int(holdout.persons)),
        seed=seed + 1,
        tie=tie,
    )


def summary(p_values: Sequence[float]) -> Placebos:
    """Return what the p-values of finished placebos say."""
    alarms = sum(p_value < ALPHA for p_value in p_values)
    uniform_p = uniformity(p_values) if p_values else None
    return Placebos(tuple(p_values), Rate(alarms, len(p_values)), uniform_p)


def uniformity(p_values: Sequence[float]) -> float:
    """Return the p-value of Kolmogorov-Smirnov's test that the values are uniform from 0 to 1."""
    size = len(p_values)
    steps = np.arange(size + 1) / size
    ordered = np.sort(p_values)
    distance = max((steps[1:] - ordered).max(), (ordered - steps[:-1]).max())
    return kolmogorov_tail(float(distance), size)
