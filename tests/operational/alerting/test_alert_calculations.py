"""An alert's states: it fires once, is quiet when nothing changes, and resolves when it is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operational.calculations.alert import (
    AlertState,
    AlertStatus,
    NotificationKind,
    Policy,
    Reading,
    ReadingLevel,
    after_notifying,
    judge,
    level_of,
    message,
)
from operational.calculations.kpi import Better, Goal

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
GOAL = Goal("d7_retention", 1, 0.25, 20, 0.20, 0.15)
POLICY = Policy(needed=2, of=3, reminder=timedelta(days=3))
OK, W, C, N, H = ReadingLevel


def at(day):
    return START + timedelta(days=day)


def told(levels, *, policy=POLICY, silenced=(), acknowledged=(), eased=None):
    """Return what people were told on which day, one reading a day."""
    state, heard, readings = AlertState(), [], []
    for day, level in enumerate(levels):
        readings.append(Reading(day + 1, level, (eased or levels)[day]))
        if day in acknowledged:
            state = replace(state, acknowledged=True)
        state = replace(state, silenced_until=at(day + 1) if day in silenced else None)
        state = judge(state, readings, policy=policy, now=at(day))
        assert judge(state, readings, policy=policy, now=at(day)) == state  # checked again
        if what := message(state, policy=policy, now=at(day)):
            heard.append((day, what, state.firing.value))
            state = after_notifying(state, now=at(day))
        assert message(state, policy=policy, now=at(day)) is None
    return heard


def test_one_bad_reading_is_pending_and_two_of_three_fire_once():
    assert told([OK, W, OK, OK]) == []
    assert told([OK, W, OK, W, W]) == [(3, NotificationKind.FIRING, "warning")]
    state = judge(AlertState(), [Reading(1, W, W)], policy=POLICY, now=START)
    assert state.status is AlertStatus.PENDING


def test_it_gets_worse_better_and_is_over_with_one_message_each():
    assert told([W, W, C, C, W, OK]) == [
        (1, NotificationKind.FIRING, "warning"),
        (3, NotificationKind.WORSE, "critical"),
        (4, NotificationKind.BETTER, "warning"),
        (5, NotificationKind.RESOLVED, "ok"),
    ]


def test_it_resolves_only_beyond_the_recovery_margin():
    assert told([W, W, OK, OK], eased=[W, W, W, OK]) == [
        (1, NotificationKind.FIRING, "warning"),
        (3, NotificationKind.RESOLVED, "ok"),
    ]


def test_what_resolved_needs_new_bad_readings_to_fire_again():
    assert told([W, W, OK, W, OK]) == [
        (1, NotificationKind.FIRING, "warning"),
        (2, NotificationKind.RESOLVED, "ok"),
    ]


def test_p17_what_resolved_in_silence_and_fires_again_is_told_again():
    heard = told([W, W, OK, W, W, W], silenced=(2, 3, 4))
    assert heard == [
        (1, NotificationKind.FIRING, "warning"),
        (5, NotificationKind.FIRING, "warning"),
    ]


def test_p18_nothing_is_resolved_that_has_no_data_or_is_held():
    heard = told([W, W, N, H, N, OK])
    assert heard == [(1, NotificationKind.FIRING, "warning"), (5, NotificationKind.RESOLVED, "ok")]


@pytest.mark.parametrize(
    ("value", "level"),
    [(0.2, OK), (0.19999, W), (0.15, W), (0.14999, C)],
)
def test_p20_a_value_equal_to_a_threshold_does_not_break_it(value, level):
    assert level_of(value, goal=GOAL, better=Better.HIGHER) is level


def test_the_margin_makes_thresholds_harder_to_meet_in_either_direction():
    assert level_of(0.2, goal=GOAL, better=Better.HIGHER, margin=0.02) is W
    lower = Goal("churn_rate", 1, 0.05, 10, 0.07, 0.10)
    assert level_of(0.07, goal=lower, better=Better.LOWER, margin=0.02) is W
    assert level_of(0.0686, goal=lower, better=Better.LOWER, margin=0.02) is OK


def test_the_margin_makes_a_threshold_below_0_harder_to_meet_too():
    growth = Goal("growth_mom", 1, 0.15, 10, -0.05)
    assert level_of(-0.0495, goal=growth, better=Better.HIGHER, margin=0.02) is W
    assert level_of(-0.049, goal=growth, better=Better.HIGHER, margin=0.02) is OK


def test_people_are_reminded_until_somebody_acknowledges_it():
    assert told([W] * 9) == [(1, NotificationKind.FIRING, "warning")] + [
        (day, NotificationKind.REMINDER, "warning") for day in (4, 7)
    ]
    assert told([W] * 9, acknowledged=(2,)) == [(1, NotificationKind.FIRING, "warning")]


def test_what_gets_worse_is_no_longer_acknowledged():
    heard = told([W, W, C, C, C, C, C], acknowledged=(2,))
    assert heard == [
        (1, NotificationKind.FIRING, "warning"),
        (3, NotificationKind.WORSE, "critical"),
        (6, NotificationKind.REMINDER, "critical"),
    ]


def reference(levels, silenced):
    """Tell, naively, what a person would hear without reminders: 2 of 3, no margin."""
    rank = {OK: 0, W: 1, C: 2}
    heard, firing, episode, said, known = [], OK, 0, (0, OK), []
    for day, level in enumerate(levels):
        if level in rank:
            known.append(level)
            last = known[-3:]
            for candidate in (W, C):
                enough = sum(rank[one] >= rank[candidate] for one in last) >= 2
                if enough and rank[level] >= rank[candidate] > rank[firing]:
                    episode += firing is OK
                    firing = candidate
            if rank[level] < rank[firing]:
                firing = level
                if firing is OK:
                    known = []
        if day in silenced or (firing is OK and said[1] is OK) or said == (episode, firing):
            continue
        if firing is OK:
            what = NotificationKind.RESOLVED
        elif said[1] is OK or said[0] != episode:
            what = NotificationKind.FIRING
        else:
            what = (
                NotificationKind.WORSE if rank[firing] > rank[said[1]] else NotificationKind.BETTER
            )
        heard.append((day, what, firing.value))
        said = episode, firing
    return heard


@given(
    levels=st.lists(st.sampled_from([OK, W, C, N, H]), max_size=25),
    silenced=st.sets(st.integers(0, 24)),
)
def test_people_hear_what_a_simple_model_says_whatever_the_readings(levels, silenced):
    quiet = replace(POLICY, reminder=None)
    assert told(levels, policy=quiet, silenced=silenced) == reference(levels, silenced)
