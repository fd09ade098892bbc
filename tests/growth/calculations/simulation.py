"""Simulated campaigns: many runs at once, with persons arriving on 60 days and a look on each."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.stats import binom

from growth.calculations import sufficiency
from growth.calculations.arms import Arm, rate_arm
from growth.calculations.intervals import difference_interval
from growth.calculations.sequence import standard_errors

LOOKS = 60


@dataclass(frozen=True)
class Cell:
    base: float
    treated: float
    persons: int
    holdout: float

    @property
    def controls(self):
        return round(self.persons * self.holdout)

    @property
    def has_effect(self):
        return self.treated != self.base

    @property
    def seed(self):
        percents = [round(100 * part) for part in (self.base, self.treated, self.holdout)]
        return [*percents, self.persons]

    def __str__(self):
        return f"{self.base}-{self.treated}-{self.persons}-{self.holdout}"


CELLS = [
    Cell(base, treated, persons, holdout)
    for base, changed in ((0.01, 0.03), (0.05, 0.10), (0.20, 0.30))
    for treated in (base, changed)
    for persons in (200, 1_000, 5_000)
    for holdout in (0.1, 0.5)
]


@dataclass(frozen=True)
class Results:
    """Of each run: the final interval, if it is read, and those so far, one for each look."""

    arms: list  # with the looks as the last axis
    low: np.ndarray
    high: np.ndarray
    is_read: np.ndarray
    works: np.ndarray
    low_so_far: np.ndarray  # infinite before burn-in
    high_so_far: np.ndarray

    @property
    def ever_works(self):
        return self.works | (self.low_so_far > 0).any(axis=1)

    def covering(self, truth):
        return int(np.sum((self.low <= truth) & (truth <= self.high) & self.is_read))

    def covering_at_all_looks(self, truth):
        return int(np.sum(((self.low_so_far <= truth) & (truth <= self.high_so_far)).all(axis=1)))


def rates(cell, runs, rng, z=None):
    """Return the results of campaigns whose goal is a rate; looks are the last axis."""
    arms = []
    for size, rate in ((cell.persons - cell.controls, cell.treated), (cell.controls, cell.base)):
        persons, daily = arrivals(size)
        arms.append(rate_arm(persons, np.cumsum(rng.binomial(daily, rate, (runs, LOOKS)), axis=1)))
    return read(arms, cell.persons, z=z)


def arrivals(size):
    """Return the persons by each look, and how many of them are new."""
    persons = np.round(np.linspace(0, size, LOOKS + 1)).astype(int)
    return persons[1:], np.diff(persons)


def read(arms, planned, final=sufficiency.RATE, burn_in=sufficiency.BURN_IN, z=None):
    treated, holdout = arms
    if z is None:
        z = standard_errors(treated.persons + holdout.persons, planned)
    with np.errstate(divide="ignore", invalid="ignore"):  # an arm without persons yet
        so_far = difference_interval(treated, holdout, z)
    is_valid = enough(treated, holdout, burn_in)
    last_treated, last_holdout = map(at_the_end, arms)
    low, high = difference_interval(last_treated, last_holdout)
    is_read = enough(last_treated, last_holdout, final)
    return Results(
        arms,
        low,
        high,
        is_read,
        works=(low > 0) & is_read,
        low_so_far=np.where(is_valid, so_far[0], -np.inf),
        high_so_far=np.where(is_valid, so_far[1], np.inf),
    )


def at_the_end(arm):
    """Return the arm at the last look."""
    return Arm(*(getattr(arm, figure.name)[..., -1] for figure in fields(arm)))


def enough(treated, holdout, minimum):
    """Say what `missing_persons` says of an arm's sums, for all runs at once."""
    both = treated.reached + holdout.reached
    part = holdout.persons / (treated.persons + holdout.persons)
    return (
        (holdout.persons >= minimum.controls)
        & (np.minimum(treated.reached, holdout.reached) >= minimum.reached_in_each)
        & (both * np.minimum(part, 1 - part) >= minimum.reached_per_smaller)
    )


def fewest(runs, share):
    """Return how few successes are plausible: below it, one series in a million."""
    return int(binom.ppf(1e-6, runs, share))


def most(runs, share):
    return int(binom.ppf(1 - 1e-6, runs, share))
