import pytest
from hypothesis import given
from hypothesis import strategies as st

from operational.calculations.alignment import (
    Band,
    ScoredKpi,
    band,
    compare,
    contributions,
    coverage,
    is_provisional,
    score,
)
from operational.calculations.catalogue import CATALOGUE
from operational.calculations.kpi import kpi_score

WORKED_EXAMPLE = {
    "d7_retention": 0.20,
    "activation_rate": 0.30,
    "d30_retention": 0.12,
    "ltv_cac": 3,
    "signup_activation": 0.25,
    "growth_mom": 0.075,
    "churn_rate": 0.10,
    "viral_coefficient": 0.25,
}

scored_kpis = st.lists(
    st.tuples(st.integers(0, 100), st.none() | st.floats(0, 100)), max_size=12
).map(lambda rows: [ScoredKpi(f"kpi{i}", weight, value) for i, (weight, value) in enumerate(rows)])


def worked_example(*, without=()):
    return [
        ScoredKpi(
            slug,
            kpi.default_goal.weight,
            None
            if slug in without
            else kpi_score(WORKED_EXAMPLE[slug], target=kpi.default_goal.target, better=kpi.better),
        )
        for slug, kpi in CATALOGUE.items()
    ]


def scored(*rows):
    return [ScoredKpi(f"kpi{i}", weight, value) for i, (weight, value) in enumerate(rows)]


def test_the_worked_example_scores_73_and_is_at_risk():
    kpis = worked_example()
    assert score(kpis) == pytest.approx(73.00)
    assert coverage(kpis) == 1.0
    assert band(score(kpis), coverage(kpis)) is Band.AT_RISK


def test_the_worked_example_without_growth_and_viral_scores_77_06_of_85_percent():
    kpis = worked_example(without={"growth_mom", "viral_coefficient"})
    assert score(kpis) == pytest.approx(6550 / 85)
    assert score(kpis) == pytest.approx(77.06, abs=0.005)
    assert coverage(kpis) == 0.85


def test_the_worked_example_scores_each_kpi_as_documented():
    scores = [kpi.score for kpi in worked_example()]
    assert scores == pytest.approx([80, 75, 80, 75, 100, 50, 50, 50])


@given(scored_kpis)
def test_contributions_add_up_to_the_score_and_with_the_points_lost_to_100(kpis):
    counted = [part for part in contributions(kpis) if part.counted]
    total = score(kpis)
    if total is None:
        assert not counted
        return
    assert sum(part.contribution or 0 for part in counted) == pytest.approx(total)
    lost = sum(part.points_lost or 0 for part in counted)
    assert total + lost == pytest.approx(100)


@given(scored_kpis)
def test_the_score_stays_within_0_and_100_and_the_coverage_within_0_and_1(kpis):
    value = score(kpis)
    assert value is None or -1e-9 <= value <= 100 + 1e-9
    assert 0 <= coverage(kpis) <= 1


def test_a_kpi_that_does_not_count_has_neither_contribution_nor_points_lost():
    (part,) = contributions([ScoredKpi("churn_rate", 10, None, "Not connected.")])
    assert (part.contribution, part.points_lost) == (None, None)
    assert part.reason_not_counted == "Not connected."


def test_without_a_counted_kpi_there_is_no_score():
    kpis = scored((20, None), (10, None))
    assert score(kpis) is None
    assert band(None, coverage(kpis)) is Band.INSUFFICIENT_DATA


def test_a_kpi_of_weight_0_alone_makes_no_score():
    assert score(scored((0, 90.0), (10, None))) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (80.0, Band.ON_TRACK),
        (79.999, Band.AT_RISK),
        (50.0, Band.AT_RISK),
        (49.999, Band.OFF_TRACK),
        (0.0, Band.OFF_TRACK),
    ],
)
def test_p20_the_unrounded_score_decides_the_band(value, expected):
    assert band(value, 1.0) is expected


def test_p20_float_noise_does_not_change_the_band():
    assert band(79.99999999999999, 1.0) is Band.ON_TRACK


def test_a_coverage_of_exactly_70_percent_is_not_provisional():
    kpis = scored((70, 90.0), (30, None))
    assert not is_provisional(coverage(kpis))
    assert band(score(kpis), coverage(kpis)) is Band.ON_TRACK


def test_a_coverage_below_70_percent_is_provisional_and_has_no_band():
    kpis = scored((69, 90.0), (31, None))
    assert is_provisional(coverage(kpis))
    assert band(score(kpis), coverage(kpis)) is Band.INSUFFICIENT_DATA


def test_two_days_are_compared_over_the_kpis_counted_on_both():
    comparison = compare(
        now=scored((10, 80.0), (30, 40.0), (10, None)),
        then=scored((10, 60.0), (30, None), (10, 100.0)),
    )
    assert (comparison.now, comparison.then, comparison.change) == (80.0, 60.0, 20.0)
    assert comparison.compared == ("kpi0",)
    assert (comparison.only_now, comparison.only_then) == (("kpi1",), ("kpi2",))


def test_two_days_without_a_common_kpi_have_no_change():
    comparison = compare(now=scored((10, 80.0), (10, None)), then=scored((10, None), (10, 60.0)))
    assert comparison.change is None
