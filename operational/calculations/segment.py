"""Which segment of people contributes most to a bad rate."""

from collections.abc import Iterable
from dataclasses import dataclass

from common.calculations.statistics import SMALLEST_SAMPLE, wilson_interval


@dataclass(frozen=True, slots=True)
class Segment:
    """People with the same value of a property: `lost` of `size` make the KPI worse."""

    by: str
    value: str
    lost: int
    size: int

    @property
    def rate(self) -> float:
        return self.lost / self.size

    def excess(self, overall: float) -> float:
        """Return how many more are lost than the overall rate implies."""
        return self.lost - overall * self.size


def contributing_segment(segments: Iterable[Segment], *, overall: float) -> Segment | None:
    """Return the segment with the most people lost beyond the overall rate; None if it is chance.

    Segments of fewer than 30, and those whose 95 % interval contains the overall rate, are skipped.
    """
    worse = [
        segment
        for segment in segments
        if segment.size >= SMALLEST_SAMPLE
        and wilson_interval(segment.lost, segment.size).low > overall
    ]
    return max(
        worse,
        key=lambda segment: (segment.excess(overall), segment.by, segment.value),
        default=None,
    )
