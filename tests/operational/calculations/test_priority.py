"""The order of actions, their effects, and when dismissed ones return."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operational.calculations.kpi import Severity
from operational.calculations.priority import closed_share, is_materially_worse, rank, reach

OK, WARNING, CRITICAL = Severity


@pytest.mark.parametrize(
    ("before", "after", "target", "expected"),
    [
        (0.20, 0.225, 0.25, 0.5),
        (0.20, 0.30, 0.25, 1.0),
        (0.20, 0.10, 0.25, 0.0),
        (0.10, 0.075, 0.05, 0.5),  # lower is better
        (0.25, 0.30, 0.25, None),
    ],
)
def test_the_share_of_a_gap_that_was_closed(before, after, target, expected):
    share = closed_share(before=before, after=after, target=target)
    assert share == (None if expected is None else pytest.approx(expected))


@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(-9, 9))
def test_a_share_is_never_below_0_or_above_1(before, after, target):
    share = closed_share(before=before, after=after, target=target)
    assert share is None or 0 <= share <= 1


def test_an_unmeasured_action_is_expected_to_close_the_whole_gap():
    assert (reach([]), reach([0.2, 0.4])) == (1.0, pytest.approx(0.3))


def test_more_points_come_first_then_severity():
    ranked = sorted([(2.0, OK), (5.0, OK), (0.0, CRITICAL), (0.0, WARNING)], key=lambda x: rank(*x))
    assert ranked == [(5.0, OK), (2.0, OK), (0.0, CRITICAL), (0.0, WARNING)]


@pytest.mark.parametrize(
    ("points", "severity", "expected"),
    [(4.9, OK, False), (5.1, OK, True), (4.0, WARNING, True), (3.0, OK, False)],
)
def test_materially_worse_is_a_quarter_more_or_another_severity(points, severity, expected):
    worse = is_materially_worse(points=points, points_then=4.0, severity=severity, severity_then=OK)
    assert worse is expected
