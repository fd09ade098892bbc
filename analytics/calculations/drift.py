"""Drift: how far a distribution has moved, by the population stability index (PSI).

PSI = sum over the bins of (actual - expected) x ln(actual / expected), of shares; above 0.25 a
distribution counts as changed (Siddiqi, Credit Risk Scorecards, 2006).
"""

from collections.abc import Mapping
from math import log

CHANGED = 0.25
SMALLEST_SAMPLE = 200  # on either side; of fewer, chance alone looks like drift
_ADDED = 0.5  # to every bin, so that an empty one is rare and not impossible


def psi(expected: Mapping[str, int], actual: Mapping[str, int]) -> dict[str, float] | None:
    """Return what each bin adds to the index, of counts by bin; None for too small a sample."""
    if min(sum(expected.values()), sum(actual.values())) < SMALLEST_SAMPLE:
        return None
    bins = sorted({*expected, *actual})
    before, after = _shares(expected, bins), _shares(actual, bins)
    return {one: (after[one] - before[one]) * log(after[one] / before[one]) for one in bins}


def _shares(counts: Mapping[str, int], bins: list[str]) -> dict[str, float]:
    total = sum(counts.values()) + _ADDED * len(bins)
    return {one: (counts.get(one, 0) + _ADDED) / total for one in bins}
