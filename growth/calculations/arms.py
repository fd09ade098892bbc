"""What an arm of an experiment adds up to: all persons assigned, whatever happened to them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Figures = int | float | NDArray[Any]  # a figure, or an array with a figure for each of many runs


@dataclass(frozen=True, slots=True)
class Arm:
    """The persons assigned to an arm, those who reached the goal, and the sums of their amounts.

    The amount of a rate is 1 for each person who reached the goal. Revenue has a person's minor
    units, not negative. `squares` is the sum of the squared amounts.
    """

    persons: Figures
    reached: Figures
    total: Figures
    squares: Figures

    @property
    def mean(self) -> Figures:
        """The amount per person assigned: of a rate, the rate."""
        return self.total / self.persons


def rate_arm(persons: Figures, reached: Figures) -> Arm:
    """Return the arm of a rate; ValueError if more reached the goal than were assigned."""
    if np.any(reached > persons) or np.any(np.less(reached, 0)):
        raise ValueError(f"{reached} of {persons} is not a rate.")
    return Arm(persons=persons, reached=reached, total=reached, squares=reached)


def amounts_arm(persons: int, amounts: NDArray[Any]) -> Arm:
    """Return the arm of an amount, from those of the persons who have any."""
    if len(amounts) > persons or np.any(amounts <= 0):
        raise ValueError("Amounts are positive, at most one for each person assigned.")
    as_float = amounts.astype(float)
    return Arm(
        persons=persons,
        reached=len(amounts),
        total=float(as_float.sum()),
        squares=float(as_float @ as_float),
    )
