"""What a campaign does to the alignment score: the score its arms' rates would give, compared.

The interval is the percentile interval of a bootstrap over persons. Persons with the same outcomes
are drawn together, so it costs the same for any number of them. Two persons spread evenly over all
patterns are added to each arm (Agresti and Caffo, 2000): without them a small holdout's interval
covers in 87 % instead of 95 %. A KPI's score ends at 100, so near a target chance rather lowers an
arm's score; the interval is stretched by as much as the draws are off.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from common.calculations.statistics import SMALLEST_SAMPLE, Interval
from growth.calculations.intervals import ALPHA

REACHED, MISSED, NOT_ELIGIBLE = 1, 0, -1  # what a person is in a KPI's rate
DRAWS = 1_000
_ADDED = 2.0

# The alignment score with these rates in the places of the KPIs; None if nothing counts.
Score = Callable[[Mapping[str, float]], float | None]


@dataclass(frozen=True, slots=True)
class Points:
    """The points that the treatment adds to the score, and why a KPI has no part in them."""

    points: float | None
    interval: Interval | None
    attributable: tuple[str, ...]
    not_attributable: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """An arm's persons (rows) by KPI (columns): reached, missed or not eligible."""

    kpis: tuple[str, ...]
    by_person: NDArray[np.int8]

    def eligible(self, kpi: str) -> int:
        return int(np.count_nonzero(self._column(kpi) != NOT_ELIGIBLE))

    def columns(self, kpis: Sequence[str]) -> NDArray[np.int8]:
        return self.by_person[:, [self.kpis.index(kpi) for kpi in kpis]]

    def _column(self, kpi: str) -> NDArray[np.int8]:
        return self.by_person[:, self.kpis.index(kpi)]


def points(
    treated: Outcomes,
    holdout: Outcomes,
    score: Score,
    *,
    without_persons: Sequence[str] = (),
    seed: int,
    draws: int = DRAWS,
) -> Points:
    """Return the score with the treated arm's rates for all, less that with the holdout's.

    `without_persons` are KPIs of the score that no person is behind, such as LTV:CAC.
    """
    reasons = dict.fromkeys(without_persons, "Not attributable: no persons are behind it.")
    reasons |= {
        kpi: f"Fewer than {SMALLEST_SAMPLE} persons in a group."
        for kpi in treated.kpis
        if min(treated.eligible(kpi), holdout.eligible(kpi)) < SMALLEST_SAMPLE
    }
    kpis = tuple(kpi for kpi in treated.kpis if kpi not in reasons)
    arms = [arm.columns(kpis) for arm in (treated, holdout)]
    with_treatment, without = (_score(score, kpis, _rates(arm)) for arm in arms)
    if not kpis or with_treatment is None or without is None:
        return Points(None, None, kpis, reasons)
    rng = default_rng(seed)
    treated_drawn, holdout_drawn = (_drawn(score, kpis, arm, rng, draws) for arm in arms)
    interval = _stretched_percentiles(treated_drawn - holdout_drawn)
    return Points(with_treatment - without, interval, kpis, reasons)


def _rates(outcomes: NDArray[np.int8]) -> NDArray[np.float64]:
    reached = np.count_nonzero(outcomes == REACHED, axis=0)
    rates: NDArray[np.float64] = reached / np.count_nonzero(outcomes != NOT_ELIGIBLE, axis=0)
    return rates


def _drawn(
    score: Score, kpis: Sequence[str], outcomes: NDArray[np.int8], rng: Generator, draws: int
) -> NDArray[np.float64]:
    """Return the score of the arm's persons, then that of each bootstrap sample of them."""
    patterns, weights = _patterns(outcomes)
    persons = len(outcomes) + int(_ADDED)
    samples = rng.multinomial(persons, weights / weights.sum(), size=draws)
    drawn = np.concatenate([weights[None, :], samples])
    reached = drawn @ (patterns == REACHED).astype(np.int64)
    rates = reached / np.maximum(drawn @ (patterns != NOT_ELIGIBLE).astype(np.int64), 1)
    return np.array([_score(score, kpis, row) for row in rates], float)


def _patterns(outcomes: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Return the distinct rows and how many persons each has, with the added ones."""
    full = np.array([*product((MISSED, REACHED), repeat=outcomes.shape[1])], np.int8)
    rows, counts = np.unique(outcomes, axis=0, return_counts=True)
    added = np.full(len(full), _ADDED / len(full))
    return np.concatenate([rows, full]), np.concatenate([counts, added])


def _score(score: Score, kpis: Sequence[str], rates: NDArray[np.float64]) -> float | None:
    return score(dict(zip(kpis, rates.tolist(), strict=True)))


def _stretched_percentiles(differences: NDArray[np.float64]) -> Interval:
    seen, drawn = differences[0], differences[1:]
    low, high = np.quantile(drawn, [ALPHA / 2, 1 - ALPHA / 2])
    bias = np.median(drawn) - seen
    return Interval(float(min(low, low - bias)), float(max(high, high - bias)))
