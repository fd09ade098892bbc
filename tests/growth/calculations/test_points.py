"""Points on the alignment score: exact values, what is attributable, and coverage."""

import numpy as np
import pytest

from growth.calculations.points import MISSED, NOT_ELIGIBLE, REACHED, Outcomes, points
from operational.calculations.alignment import ScoredKpi
from operational.calculations.alignment import score as alignment_score
from tests.growth.calculations.simulation import fewest, most

KPIS = ("d7_retention", "activation_rate", "d30_retention")
TARGETS = {"d7_retention": (0.25, 20), "activation_rate": (0.40, 15), "d30_retention": (0.15, 15)}
REST = ScoredKpi("others", 50, 60.0)
BELOW = (0.10, 0.20, 0.05)
BETTER = (0.20, 0.30, 0.10)
NEAR = (0.24, 0.39, 0.14)  # the targets
ABOVE = (0.30, 0.45, 0.20)


def score(reached):
    """Return the alignment score with these rates; the other KPIs stay as they are."""
    kpis = [
        ScoredKpi(kpi, TARGETS[kpi][1], 100 * min(rate / TARGETS[kpi][0], 1))
        for kpi, rate in reached.items()
    ]
    return alignment_score([*kpis, REST])


def rates(values):
    return dict(zip(KPIS, values, strict=True))


def arm(persons, reached, kpis=KPIS):
    """Return an arm in which as many persons, the first, reached each KPI."""
    rows = np.arange(persons)[:, None] < np.array(reached)
    return Outcomes(kpis, rows.astype(np.int8))


def test_points_are_the_difference_of_both_scores():
    result = points(arm(900, (180, 270, 90)), arm(100, (10, 20, 5)), score, seed=1)
    assert result.points == pytest.approx(score(rates(BETTER)) - score(rates(BELOW)))
    assert result.points is not None
    assert result.interval.low < result.points < result.interval.high


def test_the_same_seed_gives_the_same_interval():
    arms = arm(900, (180, 270, 90)), arm(100, (10, 20, 5))
    first, second, other = (points(*arms, score, seed=seed) for seed in (1, 1, 2))
    assert first == second
    assert first.interval != other.interval


def test_a_group_without_any_success_still_has_an_interval():
    result = points(arm(900, (0, 0, 0)), arm(100, (0, 0, 0)), score, seed=1)
    assert result.points == 0
    assert result.interval.low < -1
    assert result.interval.high > 0


def test_points_above_the_target_count_for_nothing():
    result = points(arm(900, (450, 800, 300)), arm(900, (400, 700, 250)), score, seed=1)
    assert (result.points, result.interval.low, result.interval.high) == (0, 0, 0)


def test_persons_who_are_not_eligible_are_in_no_rate():
    rows = np.full((200, 1), NOT_ELIGIBLE, np.int8)
    rows[:100], rows[:20] = MISSED, REACHED
    treated = Outcomes(("d7_retention",), rows)
    holdout = arm(100, (10,), ("d7_retention",))
    result = points(treated, holdout, score, seed=1)
    expected = score({"d7_retention": 0.2}) - score({"d7_retention": 0.1})
    assert result.points == pytest.approx(expected)
    assert result.interval.low < expected < result.interval.high


def test_kpis_without_persons_are_not_attributable():
    arms = arm(900, (180, 270, 90)), arm(100, (10, 20, 5))
    result = points(*arms, score, seed=1, without_persons=["ltv_cac"])
    assert result.attributable == KPIS
    assert result.not_attributable == {"ltv_cac": "Not attributable: no persons are behind it."}


def test_a_kpi_with_fewer_than_30_persons_in_an_arm_has_no_part():
    treated, holdout = arm(900, (180, 270, 90)), arm(100, (10, 20, 5))
    holdout.by_person[29:, 2] = NOT_ELIGIBLE
    result = points(treated, holdout, score, seed=1)
    assert result.attributable == KPIS[:2]
    assert result.not_attributable == {"d30_retention": "Fewer than 30 persons in a group."}


@pytest.mark.parametrize("persons", [0, 29])
def test_without_any_attributable_kpi_there_are_no_points(persons):
    result = points(arm(900, (180, 270, 90)), arm(persons, (1, 1, 1)), score, seed=1)
    assert (result.points, result.interval, result.attributable) == (None, None, ())


def test_without_a_score_there_are_no_points():
    arms = arm(900, (180, 270, 90)), arm(100, (10, 20, 5))
    assert points(*arms, lambda rates: None, seed=1).points is None


@pytest.mark.parametrize("runs", [60, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("persons", "controls"), [(100, 100), (900, 100), (500, 500), (4_500, 500)]
)
@pytest.mark.parametrize("treated", [BELOW, BETTER], ids=["without effect", "large effect"])
def test_points_are_covered_in_93_to_97_percent(treated, persons, controls, runs):
    covering = covering_runs(runs, (persons, treated), (controls, BELOW))
    low, high = (465, 485) if runs == 500 else (fewest(runs, 0.93), most(runs, 0.97))
    assert low <= covering <= high


@pytest.mark.slow
@pytest.mark.parametrize("controls", [100, 500])
def test_near_all_targets_points_are_covered_in_91_percent(controls):
    """Without the stretch it is less: the scores of both arms are cut at 100."""
    assert covering_runs(500, (9 * controls, ABOVE), (controls, NEAR)) >= 455


def covering_runs(runs, treated, holdout):
    """Return how many of the intervals hold the truth, for the size and the rates of both arms."""
    rng = np.random.default_rng([treated[0], holdout[0], runs])
    truth = score(rates(treated[1])) - score(rates(holdout[1]))
    intervals = [
        points(drawn(rng, *treated), drawn(rng, *holdout), score, seed=seed, draws=400).interval
        for seed in range(runs)
    ]
    return sum(interval.low <= truth <= interval.high for interval in intervals)


def drawn(rng, persons, chances):
    return Outcomes(KPIS, (rng.random((persons, len(KPIS))) < chances).astype(np.int8))
