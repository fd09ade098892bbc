"""Drift: how far a distribution has moved, by the population stability index (PSI).

PSI = sum over the bins of (actual - expected) x ln(actual / expected), of shares; above 0.25 a
distribution counts as changed (Siddiqi, Credit Risk Scorecards, 2006).
"""

from collections.abc import Mapping
from math import log

CHANGED = 0.25
SMALLEST_SAMPLE = 200  # on either side; with fewer, chance alone looks like drift
_ADDED = 0.5  # to every bin, so that an empty bin counts as rare, not as impossible


def psi(expected: Mapping[str, int], actual: Mapping[str, int]) -> dict[str, float] | None:
    """Return each bin's contribution to the index, from counts by bin; None for small samples."""
    if min(sum(expected.values()), sum(actual.values())) < SMALLEST_SAMPLE:
        return None
    bins = sorted({*expected, *actual})
    before, after = _shares(expected, bins), _shares(actual, bins)
    return {bin_: (after[bin_] - before[bin_]) * log(after[bin_] / before[bin_]) for bin_ in bins}


def _shares(counts: Mapping[str, int], bins: list[str]) -> dict[str, float]:
    total = sum(counts.values()) + _ADDED * len(bins)
    return {bin_: (counts.get(bin_, 0) + _ADDED) / total for bin_ in bins}
