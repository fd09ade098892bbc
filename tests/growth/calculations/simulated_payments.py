"""Simulated payments: plan prices and a long tail, capped at each look."""

from dataclasses import replace
from math import erfc, exp, log, sqrt

import numpy as np

from growth.calculations import sufficiency
from growth.calculations.arms import Arm
from growth.calculations.randomisation import randomisation_p
from growth.calculations.revenue import CAP, pooled_cap
from tests.growth.calculations.simulation import LOOKS, arrivals, read

PLAN_PRICES = np.array([1900.0, 4900.0, 19900.0])
PLAN_SHARES = np.array([0.6, 0.3, 0.1])
TAIL_MEDIAN, TAIL_SIGMA = 2000.0, 1.5  # of log-normal payments


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
    """Return the results of campaigns whose goal is revenue, capped at each look.

    Without an effect, randomisation must confirm "works"; with one only the interval counts.
    """
    sizes = (cell.persons - cell.controls, cell.controls)
    drawn = [
        Payers(size, rate, kind, runs, rng)
        for size, rate in zip(sizes, (cell.treated, cell.base), strict=True)
    ]
    looks = range(LOOKS - 1, LOOKS) if cell.has_effect else range(LOOKS)
    sums = np.array([capped_sums(drawn, at) for at in looks])  # look, arm, power, run
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

    def until(self, at):
        """Return the amounts paid by then, and 0 for those to come."""
        count = self.count[:, at, None]
        return np.where(np.arange(count.max()) < count, self.amounts[:, : count.max()], 0)


def capped_sums(drawn, at):
    """Return for each arm the sums and the sums of squares, capped at the pooled percentile."""
    amounts = [payers.until(at) for payers in drawn]
    counts = sum(payers.count[:, at] for payers in drawn)
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
    return replace(results, works=works)
