"""What is unusual: judged by other days, robustly, and never for a few events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.calculations.anomalies import is_robot, weekday_baseline


@pytest.mark.parametrize(
    ("value", "is_unusual"),
    [(100, False), (130, False), (199, False), (400, True), (10, True), (0, True)],
)
def test_a_day_is_unusual_when_it_is_far_from_its_weekday(value, is_unusual):
    assert weekday_baseline([100, 104, 97, 101, 99, 103]).is_unusual(value) is is_unusual


def test_few_events_are_never_unusual():
    assert not weekday_baseline([1, 0, 2, 1]).is_unusual(40)


def test_four_weeks_are_needed_to_call_anything_unusual():
    assert weekday_baseline([100, 100, 100]) is None


def test_an_outlier_among_the_past_days_does_not_hide_the_next_outlier():
    assert weekday_baseline([100, 101, 99, 100, 5_000]).is_unusual(4_000)


@given(usual=st.integers(0, 1_000), weeks=st.integers(4, 8), value=st.integers(5_000, 10**6))
def test_a_steady_weekday_makes_any_jump_unusual(usual, weeks, value):
    assert weekday_baseline([usual] * weeks).is_unusual(value)


@pytest.mark.parametrize(
    ("events", "busiest_hour", "mean_gap", "gap_deviation", "expected"),
    [
        (1_440, 60, 60.0, 1.0, True),  # every minute, to the second
        (1_440, 60, 60.0, 55.0, False),  # as many, at random
        (50, 50, 60.0, 0.0, False),  # too few
        (2_000, 1_500, 2.0, 2.0, True),  # faster than anybody clicks
        (200, 200, 0.0, 0.0, False),  # one batch with one time
    ],
)
def test_robots_are_too_fast_or_too_regular(
    events, busiest_hour, mean_gap, gap_deviation, expected
):
    robot = is_robot(
        events=events, busiest_hour=busiest_hour, mean_gap=mean_gap, gap_deviation=gap_deviation
    )
    assert robot is expected
