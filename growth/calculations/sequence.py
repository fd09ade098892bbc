"""Intervals that stay valid however many times they are read: a confidence sequence.

Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: Time-uniform central limit theory and asymptotic
confidence sequences (Annals of Statistics 52, 2024), theorem 2.2. The number of standard errors
grows with time such that the truth lies in all intervals at once with the given confidence.
"""

from math import log

import numpy as np

from growth.calculations.arms import Figures
from growth.calculations.intervals import ALPHA

# Their equation for the parameter that makes the interval narrowest at the planned size.
_TIGHTEST = -2 * log(ALPHA) + log(-2 * log(ALPHA)) + 1


def standard_errors(persons: Figures, planned: Figures) -> Figures:
    """Return how many standard errors wide each side is at so many persons of those planned."""
    time = _TIGHTEST * np.asarray(persons) / planned
    return np.sqrt((1 + 1 / time) * np.log((time + 1) / ALPHA**2))
