"""Whether there is enough to read an effect from, and how many persons are missing."""

from dataclasses import dataclass
from math import ceil

from growth.calculations.arms import Arm


@dataclass(frozen=True, slots=True)
class Minimum:
    """What both arms need before an interval is right."""

    controls: int = 1  # persons in the holdout
    reached_in_each: int = 0  # persons who reached the goal
    reached_per_smaller: int = 0  # as `reached_in_each`, but expected from those of both arms


RATE = Minimum()
REVENUE = Minimum(reached_per_smaller=10)  # with fewer payers the interval covers too rarely
BURN_IN = Minimum(controls=150, reached_in_each=10)
REVENUE_BURN_IN = Minimum(controls=150, reached_in_each=10, reached_per_smaller=10)


def missing_persons(treated: Arm, holdout: Arm, minimum: Minimum, share: float) -> int | None:
    """Return how many more persons it takes at the rates so far; 0: enough; None: unknown.

    `share` is the planned one of the holdout.
    """
    both = _together(treated, holdout)
    smaller = min(share, 1 - share)
    lacks = [
        (minimum.controls - float(holdout.persons), share),
        (1 - float(treated.persons), 1 - share),
        (minimum.reached_per_smaller - smaller * float(both.reached), smaller * _rate(both, both)),
        (minimum.reached_in_each - float(treated.reached), (1 - share) * _rate(treated, both)),
        (minimum.reached_in_each - float(holdout.reached), share * _rate(holdout, both)),
    ]
    lacking = [(number, per_person) for number, per_person in lacks if number > 0]
    if any(per_person == 0 for _, per_person in lacking):
        return None
    return max((ceil(number / per_person) for number, per_person in lacking), default=0)


def _together(treated: Arm, holdout: Arm) -> Arm:
    return Arm(
        persons=treated.persons + holdout.persons,
        reached=treated.reached + holdout.reached,
        total=treated.total + holdout.total,
        squares=treated.squares + holdout.squares,
    )


def _rate(arm: Arm, both: Arm) -> float:
    """Return the share of persons who reach the goal: the arm's, or that of both if it has none."""
    source = arm if arm.reached else both
    return float(source.reached / source.persons) if source.reached else 0.0
