"""The interval of a difference between two arms, for rates and for amounts.

Newcombe's hybrid score interval (1998, method 10) combines the Wilson intervals of both arms. A
Wilson interval holds every mean m whose distance from the seen one is at most z standard errors
under m itself; the variance of a rate is m - m². Amounts that only payers have, with the second
moment k = sum(a²) / sum(a) of their sizes, have the variance k m - m². With that in its place the
interval serves rates (k = 1 exactly, it is Newcombe's) and revenue. k is pooled over both arms.
"""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from growth.calculations.arms import Arm, Figures

ALPHA = 0.05  # intervals hold the truth in 95 %
Z = NormalDist().inv_cdf(1 - ALPHA / 2)


def difference(treated: Arm, holdout: Arm) -> Figures:
    """Return how much more a person assigned to the treatment brings than one in the holdout."""
    return treated.mean - holdout.mean


def difference_interval(
    treated: Arm, holdout: Arm, z: Figures = Z
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the low and the high end of the difference, `z` standard errors wide on each side."""
    spread = _spread(treated, holdout)
    treated_low, treated_high = _wilson(treated, spread, z)
    holdout_low, holdout_high = _wilson(holdout, spread, z)
    seen = difference(treated, holdout)
    return (
        seen - np.hypot(treated.mean - treated_low, holdout_high - holdout.mean),
        seen + np.hypot(treated_high - treated.mean, holdout.mean - holdout_low),
    )


def pooled_variance(treated: Arm, holdout: Arm) -> Figures:
    """Return the variance of the amounts over all persons of both arms."""
    persons = treated.persons + holdout.persons
    mean = (treated.total + holdout.total) / persons
    return (treated.squares + holdout.squares) / persons - mean * mean


def _spread(treated: Arm, holdout: Arm) -> NDArray[np.float64]:
    """Return k, the pooled second moment of the amounts by their sum; 1 without any."""
    total = np.asarray(treated.total + holdout.total, float)
    squares = np.asarray(treated.squares + holdout.squares, float)
    spread: NDArray[np.float64] = np.divide(
        squares, total, out=np.ones_like(total), where=total > 0
    )
    return spread


def _wilson(
    arm: Arm, spread: NDArray[np.float64], z: Figures
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both m with (mean - m)² = z² (k m - m²) / persons."""
    weight = np.square(z) / arm.persons
    middle = arm.mean + weight * spread / 2
    root = np.sqrt(np.maximum(middle * middle - (1 + weight) * np.square(arm.mean), 0))
    return (middle - root) / (1 + weight), (middle + root) / (1 + weight)
