"""Simulated campaigns: many runs at once, with persons arriving on 60 days and a look on each."""

from dataclasses import dataclass, fields, replace
from math import erfc, exp, log, sqrt

import numpy as np
from scipy.stats import binom

from growth.calculations import sufficiency
from growth.calculations.arms import Arm, rate_arm
from growth.calculations.intervals import difference_interval
from growth.calculations.randomisation import randomisation_p
from growth.calculations.revenue import CAP, pooled_cap
from growth.calculations.sequence import standard_errors

LOOKS = 60
PLAN_PRICES = np.array([1900.0, 4900.0, 19900.0])
PLAN_SHARES = np.array([0.6, 0.3, 0.1])
TAIL_MEDIAN, TAIL_SIGMA = 2000.0, 1.5  # of log-normal payments


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
    """Of each run: the final interval, if it is read, and which readings said "works"."""

    arms: list  # with the looks as the last axis
    low: np.ndarray
    high: np.ndarray
    is_read: np.ndarray
    works: np.ndarray
    so_far_works: np.ndarray
    ever_works: np.ndarray

    def covering(self, truth):
        return int(np.sum((self.low <= truth) & (truth <= self.high) & self.is_read))


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
        low, _ = difference_interval(treated, holdout, z)
    is_valid = enough(treated, holdout, burn_in)
    last_treated, last_holdout = map(at_the_end, arms)
    final_low, final_high = difference_interval(last_treated, last_holdout)
    is_read = enough(last_treated, last_holdout, final)
    works = (final_low > 0) & is_read
    so_far_works = ((low > 0) & is_valid).any(axis=1)
    return Results(arms, final_low, final_high, is_read, works, so_far_works, works | so_far_works)


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


def payments(kind, shape, rng):
    if kind == "plans":
        return rng.choice(PLAN_PRICES, p=PLAN_SHARES, size=shape)
    return np.ceil(np.exp(rng.normal(log(TAIL_MEDIAN), TAIL_SIGMA, shape)))


def mean_payment(kind):
    """Return the mean of a payment capped at the 99th percentile of the distribution."""
    if kind == "plans":
        return float(PLAN_PRICES @ PLAN_SHARES)
    normal_cap = 2.3263478740408408
    below = erfc(-(normal_cap - TAIL_SIGMA) / sqrt(2)) / 2
    cap = TAIL_MEDIAN * exp(normal_cap * TAIL_SIGMA)
    return TAIL_MEDIAN * exp(TAIL_SIGMA**2 / 2) * below + cap * (1 - CAP)


def revenue(kind, cell, runs, rng):
    """Return the results of campaigns whose goal is revenue, capped anew at each look.

    Without an effect, randomisation must confirm "works"; with one only the interval counts.
    """
    sizes = (cell.persons - cell.controls, cell.controls)
    drawn = [
        Payers(size, rate, kind, runs, rng)
        for size, rate in zip(sizes, (cell.treated, cell.base), strict=True)
    ]
    looks = range(LOOKS - 1, LOOKS) if cell.has_effect else range(LOOKS)
    sums = np.array([capped_sums(drawn, look) for look in looks])  # look, arm, power, run
    arms = [
        Arm(payers.persons[looks], payers.count[:, looks], *sums[:, number].transpose(1, 2, 0))
        for number, payers in enumerate(drawn)
    ]
    minimum, burn_in = sufficiency.REVENUE, sufficiency.REVENUE_BURN_IN
    results = read(arms, cell.persons, minimum, burn_in)
    return results if cell.has_effect else confirmed(results, drawn, sizes)


class Payers:
    """The payers of an arm by run, in the order of their arrival."""

    def __init__(self, size, rate, kind, runs, rng):
        self.persons, daily = arrivals(size)
        self.count = np.cumsum(rng.binomial(daily, rate, (runs, LOOKS)), axis=1)
        self.amounts = payments(kind, (runs, max(1, self.count.max())), rng)

    def until(self, look):
        """Return the amounts paid by then, and 0 for those to come."""
        count = self.count[:, look, None]
        return np.where(np.arange(count.max()) < count, self.amounts[:, : count.max()], 0)


def capped_sums(drawn, look):
    """Return for each arm the sums and the sums of squares, capped at the pooled percentile."""
    amounts = [payers.until(look) for payers in drawn]
    counts = sum(payers.count[:, look] for payers in drawn)
    cap = row_caps(np.concatenate(amounts, axis=1), counts)[:, None]
    capped = [np.minimum(array, cap) for array in amounts]
    return [(array.sum(axis=1), np.einsum("ij,ij->i", array, array)) for array in capped]


def row_caps(amounts, counts):
    """Return the percentile of each row's first `counts` amounts by size, rounded down."""
    top = min(amounts.shape[1], int((1 - CAP) * amounts.shape[1]) + 3)
    counts = np.maximum(counts, 1)
    if not top:
        return np.zeros(len(amounts))
    ordered = np.sort(np.partition(amounts, -top, axis=1)[:, -top:], axis=1)
    position = CAP * (counts - 1)
    below = np.floor(position).astype(int)
    ends = np.stack([below, np.minimum(below + 1, counts - 1)], axis=1) + top - counts[:, None]
    low, high = np.take_along_axis(ordered, ends, axis=1).T
    return np.floor(low + (position - below) * (high - low) + 1e-9)


def confirmed(results, drawn, sizes):
    """Drop final readings that randomisation does not confirm."""
    works = results.works.copy()
    amounts = [payers.until(-1) for payers in drawn]
    for run in np.flatnonzero(works):
        paid = [array[run][array[run] > 0] for array in amounts]
        treated, holdout = (np.minimum(array, pooled_cap(*paid) or 0) for array in paid)
        works[run] = randomisation_p(treated, holdout, sizes, seed=int(run)) < 0.05
    return replace(results, works=works, ever_works=works | results.so_far_works)


def fewest(runs, share):
    """Return how few successes are plausible: below it, one series in a million."""
    return int(binom.ppf(1e-6, runs, share))


def most(runs, share):
    return int(binom.ppf(1 - 1e-6, runs, share))
