from datetime import date
from typing import Any

import pytest

from common.calculations.statistics import Status, wilson_interval
from operational.calculations.kpi import (
    Better,
    Goal,
    Severity,
    attainment,
    kpi_score,
    measured_growth,
    measured_rate,
    severity,
)

WINDOW: dict[str, Any] = {"window_from": date(2026, 1, 1), "window_to": date(2026, 1, 30)}
RETENTION = Goal("d7_retention", 1, target=0.25, weight=20, warning=0.20, critical=0.15)
CHURN = Goal("churn_rate", 1, target=0.05, weight=10, warning=0.07, critical=0.10)


def rate(numerator, denominator):
    return measured_rate(numerator, denominator, empty_reason="No one signed up.", **WINDOW)


def growth(before, now):
    return measured_growth(before, now, basis="signups", empty_reason="No one.", **WINDOW)


def test_a_rate_carries_its_wilson_interval():
    measurement = rate(20, 100)
    assert measurement.value == 0.2
    assert measurement.interval == wilson_interval(20, 100)


def test_a_rate_of_no_people_is_unknown_and_never_zero():
    measurement = rate(0, 0)
    assert (measurement.status, measurement.value) == (Status.NO_DATA, None)
    assert measurement.reason == "No one signed up."


@pytest.mark.parametrize(
    ("denominator", "status"), [(1, Status.LOW_SAMPLE), (29, Status.LOW_SAMPLE), (30, Status.OK)]
)
def test_a_rate_over_fewer_than_30_is_a_low_sample(denominator, status):
    assert rate(1, denominator).status is status


def test_a_low_sample_has_a_value_and_a_reason():
    measurement = rate(3, 10)
    assert measurement.value == 0.3
    assert "10" in measurement.reason


def test_growth_is_a_relative_change_without_an_interval():
    measurement = growth(before=200, now=230)
    assert measurement.value == 0.15
    assert (measurement.numerator, measurement.denominator) == (30, 200)
    assert measurement.interval is None


def test_growth_from_nothing_is_unknown():
    measurement = growth(before=0, now=50)
    assert (measurement.status, measurement.value) == (Status.NO_DATA, None)


@pytest.mark.parametrize(("before", "status"), [(29, Status.LOW_SAMPLE), (30, Status.OK)])
def test_growth_from_fewer_than_30_is_a_low_sample(before, status):
    assert growth(before=before, now=60).status is status


def test_attainment_is_uncapped():
    assert attainment(0.5, target=0.25, better=Better.HIGHER) == 2.0


def test_exceeding_the_target_earns_no_more_than_meeting_it():
    assert kpi_score(0.5, target=0.25, better=Better.HIGHER) == 100


def test_a_negative_value_of_a_kpi_that_should_be_high_scores_zero():
    assert kpi_score(-0.1, target=0.15, better=Better.HIGHER) == 0


def test_a_value_that_should_be_low_scores_the_target_over_itself():
    assert kpi_score(0.1, target=0.05, better=Better.LOWER) == 50


def test_a_value_of_zero_that_should_be_low_gets_the_full_score():
    assert attainment(0, target=0.05, better=Better.LOWER) is None
    assert kpi_score(0, target=0.05, better=Better.LOWER) == 100


@pytest.mark.parametrize(
    ("numerator", "expected"),
    [
        (20, Severity.OK),
        (19, Severity.WARNING),
        (15, Severity.WARNING),
        (14, Severity.CRITICAL),
    ],
)
def test_p20_a_value_equal_to_a_threshold_does_not_break_it(numerator, expected):
    assert severity(numerator / 100, goal=RETENTION, better=Better.HIGHER) is expected


@pytest.mark.parametrize("denominator", [30, 35, 70, 95, 115, 1_000_003 * 5])
def test_p20_exactly_20_percent_is_20_percent_whatever_the_denominator(denominator):
    value = rate(denominator // 5, denominator).value
    assert severity(value, goal=RETENTION, better=Better.HIGHER) is Severity.OK


@pytest.mark.parametrize(
    ("numerator", "expected"),
    [(7, Severity.OK), (8, Severity.WARNING), (10, Severity.WARNING), (11, Severity.CRITICAL)],
)
def test_p20_thresholds_of_a_kpi_that_should_be_low_are_strict_too(numerator, expected):
    assert severity(numerator / 100, goal=CHURN, better=Better.LOWER) is expected


def test_a_kpi_without_thresholds_breaks_none():
    goal = Goal("viral_coefficient", 1, target=0.5, weight=5)
    assert severity(0.0, goal=goal, better=Better.HIGHER) is Severity.OK
