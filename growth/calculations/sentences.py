"""An effect in a sentence that needs no statistics to be read."""

from dataclasses import dataclass

from common.calculations.statistics import Interval
from common.formatting import counted, decimals, money, percent
from growth.calculations.readings import EffectReading, ReadingKind, Verdict
from growth.calculations.sample_ratio import SampleRatio

_VERDICTS = {
    Verdict.WORKS: "It works.",
    Verdict.HARMS: "It harms.",
    Verdict.NO_DIFFERENCE: "No difference seen.",
    Verdict.NOT_TRUSTED: "Do not trust this: the groups differ from the plan.",
}


@dataclass(frozen=True, slots=True)
class EffectGoal:
    """What people did within how many days ("came back"), or in which currency they paid."""

    window_days: int
    did: str = ""
    currency: str = ""  # of revenue


def sentence(reading: EffectReading, goal: EffectGoal, ratio: SampleRatio) -> str:
    """Say an effect: both arms, the difference with its interval, the verdict."""
    parts = [f"{_arms(reading, goal)}{_difference(reading, goal)}.", _verdict(reading)]
    if ratio.contaminated:
        merged = counted(ratio.contaminated, "person was", "persons were")
        parts.append(f"{merged} in both groups before a merge, counted in the earlier.")
    return " ".join(parts)


def _arms(reading: EffectReading, goal: EffectGoal) -> str:
    start = "So far, in" if reading.kind is ReadingKind.SO_FAR else "In"
    window = f"{start} {counted(goal.window_days, 'day')}"
    if reading.difference is None:
        return f"{window} there is nothing to compare yet"
    treated, holdout = float(reading.treated.mean), float(reading.holdout.mean)
    if goal.currency:
        return (
            f"{window} a person in the campaign brought {_amount(treated, goal)}, "
            f"one in the holdout {_amount(holdout, goal)}"
        )
    return (
        f"{window} {percent(treated)} of those in the campaign {goal.did}, "
        f"{percent(holdout)} of the holdout"
    )


def _difference(reading: EffectReading, goal: EffectGoal) -> str:
    """Write ": 2.5 points more (0.4 to 4.6)", with the interval in the direction of the words."""
    seen = reading.difference
    if seen is None:
        return ""
    unit = "" if goal.currency else " points"
    direction = "more" if seen >= 0 else "less"
    return f": {_amount(abs(seen), goal)}{unit} {direction}{_ends(reading.interval, seen, goal)}"


def _ends(interval: Interval | None, seen: float, goal: EffectGoal) -> str:
    if interval is None:
        return ""
    ends = (interval.low, interval.high) if seen >= 0 else (-interval.high, -interval.low)
    low, high = (_amount(end, goal) for end in ends)
    return f" ({low} to {high})"


def _verdict(reading: EffectReading) -> str:
    if reading.verdict is not Verdict.TOO_EARLY:
        return _VERDICTS[reading.verdict]
    if reading.more_persons is None:
        return "Too early: no one has reached the goal yet."
    people = counted(reading.more_persons, "more person", "more people")
    days = f", {counted(reading.more_days, 'more day')}" if reading.more_days else ""
    return f"Too early: about {people}{days}."


def _amount(value: float, goal: EffectGoal) -> str:
    """Write minor units as money, or a rate's difference in points."""
    return money(round(value), goal.currency) if goal.currency else decimals(100 * value, 1)
