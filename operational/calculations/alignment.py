"""The alignment score: how close the counted KPIs are to their targets, by weight."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

ENOUGH_COVERAGE = 0.70  # with less of the weight counted, the score is provisional


class Band(StrEnum):
    """How good a score is."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OFF_TRACK = "off_track"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True, slots=True)
class ScoredKpi:
    """A KPI with its weight and its score of 0 to 100, or the reason why it does not count."""

    kpi: str
    weight: int
    score: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Contribution:
    """The points of the alignment score that a KPI contributes and loses.

    Contributions add up to the score, and with the points lost to 100.
    """

    kpi: str
    weight: int
    score: float | None
    contribution: float | None
    points_lost: float | None
    counted: bool
    reason_not_counted: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The scores of two days over the KPIs that count on both; None if there is no such KPI."""

    now: float | None
    then: float | None
    compared: tuple[str, ...]
    only_now: tuple[str, ...]
    only_then: tuple[str, ...]

    @property
    def change(self) -> float | None:
        return None if self.now is None or self.then is None else self.now - self.then


def score(kpis: Sequence[ScoredKpi]) -> float | None:
    """Return the weighted mean of the scores, or None if no KPI with a weight counts."""
    weights = _counted_weight(kpis)
    if not weights:
        return None
    return sum(kpi.weight * kpi.score for kpi in kpis if kpi.score is not None) / weights


def coverage(kpis: Sequence[ScoredKpi]) -> float:
    """Return the share of the total weight that counts, 0 to 1."""
    total = sum(kpi.weight for kpi in kpis)
    return _counted_weight(kpis) / total if total else 0.0


def is_provisional(covered: float) -> bool:
    return covered < ENOUGH_COVERAGE


def band(value: float | None, covered: float) -> Band:
    if value is None or is_provisional(covered):
        return Band.INSUFFICIENT_DATA
    value = round(value, 9)  # the unrounded score decides; this only removes float noise
    if value >= 80:
        return Band.ON_TRACK
    return Band.AT_RISK if value >= 50 else Band.OFF_TRACK


def contributions(kpis: Sequence[ScoredKpi]) -> tuple[Contribution, ...]:
    weights = _counted_weight(kpis)
    return tuple(_contribution(kpi, weights) for kpi in kpis)


def compare(now: Sequence[ScoredKpi], then: Sequence[ScoredKpi]) -> Comparison:
    """Compare two days over the KPIs counted on both; the weights must be the same."""
    counted_now, counted_then = _counted(now), _counted(then)
    both = [kpi for kpi in counted_now if kpi in counted_then]
    return Comparison(
        now=score([counted_now[kpi] for kpi in both]),
        then=score([counted_then[kpi] for kpi in both]),
        compared=tuple(both),
        only_now=tuple(kpi for kpi in counted_now if kpi not in counted_then),
        only_then=tuple(kpi for kpi in counted_then if kpi not in counted_now),
    )


def _contribution(kpi: ScoredKpi, weights: int) -> Contribution:
    if kpi.score is None or not weights:
        return Contribution(
            kpi=kpi.kpi,
            weight=kpi.weight,
            score=kpi.score,
            contribution=None,
            points_lost=None,
            counted=False,
            reason_not_counted=kpi.reason,
        )
    return Contribution(
        kpi=kpi.kpi,
        weight=kpi.weight,
        score=kpi.score,
        contribution=kpi.weight * kpi.score / weights,
        points_lost=kpi.weight * (100 - kpi.score) / weights,
        counted=True,
        reason_not_counted="",
    )


def _counted(kpis: Sequence[ScoredKpi]) -> dict[str, ScoredKpi]:
    return {kpi.kpi: kpi for kpi in kpis if kpi.score is not None}


def _counted_weight(kpis: Sequence[ScoredKpi]) -> int:
    return sum(kpi.weight for kpi in kpis if kpi.score is not None)
