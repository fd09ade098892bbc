"""Which part of the people contributes most to a bad rate."""

from collections.abc import Iterable
from dataclasses import dataclass

from common.calculations.statistics import SMALLEST_SAMPLE, wilson_interval


@dataclass(frozen=True, slots=True)
class Segment:
    """Persons with one value of a property: `lost` of `size` did not do what a KPI counts."""

    by: str
    value: str
    lost: int
    size: int

    @property
    def rate(self) -> float:
        return self.lost / self.size

    def excess(self, overall: float) -> float:
        """Return how many more are lost than at the overall rate."""
        return self.lost - overall * self.size


def contributing_segment(segments: Iterable[Segment], *, overall: float) -> Segment | None:
    """Return the segment that loses most persons beyond the overall rate, if chance cannot say why.

    Segments of fewer than 30, and those whose 95 % interval holds the overall rate, do not count.
    """
    worse = [
        one
        for one in segments
        if one.size >= SMALLEST_SAMPLE and wilson_interval(one.lost, one.size).low > overall
    ]
    return max(worse, key=lambda one: (one.excess(overall), one.by, one.value), default=None)
