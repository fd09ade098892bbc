"""The two readings of an effect, and the verdict that only they may give.

*Final*: read once, from the day on that was fixed at the start, when the window of the last person
assigned has closed. *So far*: before that day, from the persons whose window has closed, with a
confidence sequence that stays valid however many times it is read (`sequence`).
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from math import ceil

from common.calculations.statistics import Interval
from growth.calculations import sufficiency
from growth.calculations.arms import Arm
from growth.calculations.intervals import (
    ALPHA,
    Z,
    difference,
    difference_interval,
    pooled_variance,
)
from growth.calculations.power import persons_needed
from growth.calculations.sample_ratio import SampleRatio
from growth.calculations.sequence import standard_errors
from growth.calculations.sufficiency import Minimum, missing_persons


class ReadingKind(StrEnum):
    FINAL = "final"
    SO_FAR = "so_far"


class Verdict(StrEnum):
    """What an effect's reading says."""

    WORKS = "works"
    HARMS = "harms"
    NO_DIFFERENCE = "no_difference"  # none seen: it may be smaller than what can be seen
    TOO_EARLY = "too_early"
    NOT_TRUSTED = "not_trusted"  # the groups differ from the plan


@dataclass(frozen=True, slots=True)
class EffectPlan:
    """What was fixed at the start: it decides when and how the effect is read."""

    persons: int  # expected in both arms by the end
    holdout: float  # the planned share
    effect: float  # the smallest worth seeing: a rate, or minor units per person assigned
    final_day: date  # the first day on which the window of the last person assigned has closed

    def __post_init__(self) -> None:
        if self.persons < 1 or not 0 < self.holdout < 1 or self.effect <= 0:
            raise ValueError(f"{self} compares nothing: it needs persons, a holdout and an effect.")

    def kind(self, day: date) -> ReadingKind:
        return ReadingKind.FINAL if day >= self.final_day else ReadingKind.SO_FAR


@dataclass(frozen=True, slots=True)
class EffectProgress:
    """How far the experiment is on the day of a reading."""

    day: date
    persons_per_day: float  # assigned lately
    ratio: SampleRatio


@dataclass(frozen=True, slots=True)
class EffectReading:
    """An effect at one moment. Without an interval there is too little to say."""

    kind: ReadingKind
    treated: Arm
    holdout: Arm
    interval: Interval | None
    verdict: Verdict = Verdict.NO_DIFFERENCE
    more_persons: int | None = None  # where it is too early; None: unknown
    more_days: int | None = None
    p_value: float | None = None  # of revenue's final reading

    @property
    def difference(self) -> float | None:
        """How much more a person in the treated arm brings; None while an arm has no persons."""
        if not (self.treated.persons and self.holdout.persons):
            return None
        return float(difference(self.treated, self.holdout))


def rate_reading(
    treated: Arm, holdout: Arm, plan: EffectPlan, progress: EffectProgress
) -> EffectReading:
    """Read the effect on a rate, from the persons whose window has closed."""
    kind = plan.kind(progress.day)
    minimum = sufficiency.RATE if kind is ReadingKind.FINAL else sufficiency.BURN_IN
    interval = interval_at(treated, holdout, plan, kind, minimum)
    return judged(EffectReading(kind, treated, holdout, interval), plan, progress, minimum)


def interval_at(
    treated: Arm, holdout: Arm, plan: EffectPlan, kind: ReadingKind, minimum: Minimum
) -> Interval | None:
    """Return the interval of a reading, or None where there is too little for one."""
    if missing_persons(treated, holdout, minimum, plan.holdout) != 0:
        return None
    persons = treated.persons + holdout.persons
    z = Z if kind is ReadingKind.FINAL else standard_errors(persons, plan.persons)
    low, high = difference_interval(treated, holdout, z)
    return Interval(float(low), float(high))


def judged(
    reading: EffectReading, plan: EffectPlan, progress: EffectProgress, minimum: Minimum
) -> EffectReading:
    """Return the reading with its verdict, and with what is missing where it is too early."""
    if not progress.ratio.is_as_planned:
        return replace(reading, verdict=Verdict.NOT_TRUSTED)
    verdict = _seen(reading)
    missing = _missing(reading, plan, minimum) if verdict is Verdict.NO_DIFFERENCE else 0
    if missing == 0:
        return replace(reading, verdict=verdict)
    pace = progress.persons_per_day
    days = ceil(missing / pace) if missing and pace else None
    return replace(reading, verdict=Verdict.TOO_EARLY, more_persons=missing, more_days=days)


def _seen(reading: EffectReading) -> Verdict:
    """Return what the interval, and the p-value if there is one, say against chance."""
    interval, p_value = reading.interval, reading.p_value
    if interval is None or (p_value is not None and p_value >= ALPHA):
        return Verdict.NO_DIFFERENCE
    if interval.low > 0:
        return Verdict.WORKS
    return Verdict.HARMS if interval.high < 0 else Verdict.NO_DIFFERENCE


def _missing(reading: EffectReading, plan: EffectPlan, minimum: Minimum) -> int | None:
    """Return the persons missing until the effect worth seeing is seen; 0: none; None: unknown.

    A final reading only lacks persons if it has too few for an interval.
    """
    treated, holdout = reading.treated, reading.holdout
    persons = float(treated.persons + holdout.persons)
    if not persons:
        return plan.persons
    missing = missing_persons(treated, holdout, minimum, plan.holdout)
    if missing is None or (missing == 0 and reading.kind is ReadingKind.FINAL):
        return missing
    needed = persons_needed(float(pooled_variance(treated, holdout)), plan.effect, plan.holdout)
    return max(missing, needed - int(persons))
