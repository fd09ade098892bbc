"""Anomalies: a day's volume unusual for its weekday, a person's rhythm unusual for a human."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import median

FEWEST_WEEKS = 4  # of history before anything is called unusual
SMALLEST_CHANGE = 50  # events
FACTOR = 2.0  # at least this many times as much, or as little
DEVIATIONS = 4.0
_TO_SIGMA = 1.4826  # a median absolute deviation of a normal distribution, in standard deviations

MOST_EVENTS_AN_HOUR = 1_000
REGULAR_EVENTS = 100  # a day; fewer do not show a rhythm
REGULARITY = 0.1  # standard deviation of the gaps between events, as a share of their mean


@dataclass(frozen=True, slots=True)
class Baseline:
    """The usual value, from days other than the one being tested."""

    usual: float
    spread: float

    def is_unusual(self, value: float) -> bool:
        change = abs(value - self.usual)
        low, high = sorted((value, self.usual))
        return (
            change >= SMALLEST_CHANGE and high >= FACTOR * low and change > DEVIATIONS * self.spread
        )


def weekday_baseline(past: Sequence[float]) -> Baseline | None:
    """Return the baseline of a weekday; None while there are too few earlier weeks.

    `past` are the same weekdays of earlier weeks, without the day that is tested: that would
    hide its own anomaly.
    """
    if len(past) < FEWEST_WEEKS:
        return None
    usual = median(past)
    deviation = _TO_SIGMA * median(abs(value - usual) for value in past)
    return Baseline(usual, max(deviation, sqrt(usual)))  # counts vary at least this much


def is_robot(*, events: int, busiest_hour: int, mean_gap: float, gap_deviation: float) -> bool:
    """Return whether a day's events of one person come too fast or too regularly for a human.

    Gaps are in seconds.
    """
    if busiest_hour > MOST_EVENTS_AN_HOUR:
        return True
    return events >= REGULAR_EVENTS and mean_gap > 0 and gap_deviation < REGULARITY * mean_gap
