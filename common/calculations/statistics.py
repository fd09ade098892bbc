"""Rates with their confidence interval, and whether their sample is large enough."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from math import sqrt
from typing import NamedTuple

SMALLEST_SAMPLE = 30  # a rate over fewer is shown, but neither scored nor alerted on
_Z = 1.959963984540054  # two-sided 95 % quantile of the normal distribution


class Status(StrEnum):
    """Whether a number counts."""

    OK = "ok"  # shown, scored, alerted on
    LOW_SAMPLE = "low_sample"  # shown, neither scored nor alerted on
    HELD = "held"  # an input check failed: shown, not scored, its alert paused
    NO_DATA = "no_data"  # nothing to show: the value is null, with a reason


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


def wilson_interval(numerator: int, denominator: int) -> Interval:
    """Return the 95 % Wilson score interval of a rate; ValueError if it is not a rate."""
    if not 0 <= numerator <= denominator or not denominator:
        raise ValueError(f"{numerator} of {denominator} is not a rate.")
    share, z_squared = numerator / denominator, _Z * _Z
    center = share + z_squared / (2 * denominator)
    spread = _Z * sqrt(share * (1 - share) / denominator + z_squared / (4 * denominator**2))
    scale = 1 + z_squared / denominator
    return Interval(
        low=0.0 if numerator == 0 else (center - spread) / scale,
        high=1.0 if numerator == denominator else (center + spread) / scale,
    )


class Middle(NamedTuple):
    """Where the median of values in buckets lies: the mean of `values` values from `skipped` on.

    They are in the buckets `first` to `last`, whose values are ordered together.
    """

    first: int
    last: int
    skipped: int
    values: int


def middle(counts: Sequence[int]) -> Middle | None:
    """Return where the median of values is, of which each bucket has so many; None without any."""
    ends = list(accumulate(counts))
    if not ends or not ends[-1]:
        return None
    low, high = (ends[-1] - 1) // 2, ends[-1] // 2  # positions, equal if the number is odd
    first, last = bisect_right(ends, low), bisect_right(ends, high)
    before = ends[first] - counts[first]
    return Middle(first, last, low - before, 1 + high - low)


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of persons, from whole numbers: rates are sums over sums, never means of rates."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        return self.numerator / self.denominator if self.denominator else None

    @property
    def interval(self) -> Interval | None:
        return wilson_interval(self.numerator, self.denominator) if self.denominator else None

    @property
    def status(self) -> Status:
        if not self.denominator:
            return Status.NO_DATA
        return Status.OK if self.denominator >= SMALLEST_SAMPLE else Status.LOW_SAMPLE

    @property
    def reason(self) -> str:
        """Return why the status is not ok, or an empty text."""
        if self.status is Status.NO_DATA:
            return "No one is eligible yet."
        if self.status is Status.LOW_SAMPLE:
            return f"Only {self.denominator} eligible; at least {SMALLEST_SAMPLE} are needed."
        return ""
