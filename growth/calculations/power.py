"""How small an effect can be seen, with how many persons, at which holdout.

Normal approximation: the null hypothesis has the variance pooled over both arms, the alternative
that of each arm (Fleiss, Statistical Methods for Rates and Proportions, 3rd edition, chapter 4).
"""

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import NormalDist

from growth.calculations.intervals import Z

POWER = 0.80  # the probability with which a visible effect is seen
HOLDOUTS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50)
_NORMAL = NormalDist()
_STEPS = 60  # of halving: to the last bit


def power(base: float, effect: float, persons: int, holdout: float) -> float:
    """Return the probability to see that `effect` is added to the base rate, at 95 % confidence."""
    treated, controls = persons * (1 - holdout), persons * holdout
    changed = base + effect
    pooled = holdout * base + (1 - holdout) * changed
    null = sqrt(pooled * (1 - pooled) * (1 / treated + 1 / controls))
    deviation = sqrt(changed * (1 - changed) / treated + base * (1 - base) / controls)
    return _NORMAL.cdf((abs(effect) - Z * null) / deviation)


def smallest_visible(base: float, persons: int, holdout: float) -> float | None:
    """Return the smallest increase of a base rate that is seen in 80 % of campaigns, or None.

    Raises ValueError if the base rate is not above 0 and below 1, or if an arm has no persons.
    """
    if not 0 < base < 1 or persons * min(holdout, 1 - holdout) < 1:
        raise ValueError(f"A rate of {base} with {persons} persons, {holdout} held out.")
    low, high = 0.0, 1 - base
    if power(base, high, persons, holdout) < POWER:
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        is_visible = power(base, middle, persons, holdout) > POWER
        low, high = (low, middle) if is_visible else (middle, high)
    return high


def recommended_holdout(
    base: float, persons: int, effect: float, shares: Sequence[float] = HOLDOUTS
) -> float:
    """Return the smallest share at which the effect is seen in 80 % of campaigns, else the largest.

    The arms are most alike in size at 50 %, where the smallest effect can be seen; a smaller share
    keeps the campaign from fewer people.
    """
    usable = [part for part in shares if persons * part >= 1]
    enough = (part for part in usable if power(base, effect, persons, part) >= POWER)
    return next(enough, max(shares))


def persons_needed(variance: float, effect: float, holdout: float) -> int:
    """Return the persons of both arms with whom an effect is seen in 80 % of campaigns.

    `variance` is that of the goal's amount per person, pooled over both arms.
    """
    z = Z + _NORMAL.inv_cdf(POWER)
    return ceil((z / effect) ** 2 * variance / (holdout * (1 - holdout)))
