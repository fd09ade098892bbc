"""An alert's states: it fires once, is quiet while nothing changes, and resolves once."""

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
    notification_due,
)
from operational.calculations.kpi import Better, Goal

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
GOAL = Goal("d7_retention", 1, 0.25, 20, 0.20, 0.15)
POLICY = Policy(needed=2, window=3, reminder=timedelta(days=3))
_, OK, W, C, N, H = ReadingLevel


def at(day):
    return START + timedelta(days=day)


def notifications(levels, *, policy=POLICY, silenced=(), acknowledged=(), with_margin=None):
    """Return the day, kind and severity of each notification, with one reading a day."""
    state, sent, readings = AlertState(), [], []
    for day, level in enumerate(levels):
        readings.append(Reading(day + 1, level, (with_margin or levels)[day]))
        if day in acknowledged:
            state = replace(state, acknowledged=True)
        state = replace(state, silenced_until=at(day + 1) if day in silenced else None)
        state = judge(state, readings, policy=policy, now=at(day))
        assert judge(state, readings, policy=policy, now=at(day)) == state  # checked again
        if kind := notification_due(state, policy=policy, now=at(day)):
            sent.append((day, kind, state.firing.value))
            state = after_notifying(state, now=at(day))
        assert notification_due(state, policy=policy, now=at(day)) is None
    return sent


def test_one_bad_reading_is_pending_and_two_of_three_fire_once():
    assert notifications([OK, W, OK, OK]) == []
    assert notifications([OK, W, OK, W, W]) == [(3, NotificationKind.FIRING, "warning")]
    state = judge(AlertState(), [Reading(1, W, W)], policy=POLICY, now=START)
    assert state.status is AlertStatus.PENDING


def test_getting_worse_better_and_resolving_send_one_message_each():
    assert notifications([W, W, C, C, W, OK]) == [
        (1, NotificationKind.FIRING, "warning"),
        (3, NotificationKind.WORSE, "critical"),
        (4, NotificationKind.BETTER, "warning"),
        (5, NotificationKind.RESOLVED, "ok"),
    ]


def test_it_resolves_only_beyond_the_recovery_margin():
    assert notifications([W, W, OK, OK], with_margin=[W, W, W, OK]) == [
        (1, NotificationKind.FIRING, "warning"),
        (3, NotificationKind.RESOLVED, "ok"),
    ]


def test_a_resolved_alert_needs_new_breaches_to_fire_again():
    assert notifications([W, W, OK, W, OK]) == [
        (1, NotificationKind.FIRING, "warning"),
        (2, NotificationKind.RESOLVED, "ok"),
    ]


def test_p17_an_alert_that_resolves_in_silence_and_fires_again_notifies_again():
    sent = notifications([W, W, OK, W, W, W], silenced=(2, 3, 4))
    assert sent == [
        (1, NotificationKind.FIRING, "warning"),
        (5, NotificationKind.FIRING, "warning"),
    ]


def test_p18_an_alert_without_data_or_held_does_not_resolve():
    sent = notifications([W, W, N, H, N, OK])
    assert sent == [(1, NotificationKind.FIRING, "warning"), (5, NotificationKind.RESOLVED, "ok")]


@pytest.mark.parametrize("unusable", [H, N])
@pytest.mark.parametrize(
    ("then", "kind"), [(C, NotificationKind.WORSE), (OK, NotificationKind.RESOLVED)]
)
def test_o11_a_silence_that_ends_while_the_reading_is_unusable_stays_quiet(unusable, then, kind):
    sent = notifications([W, W, then, then, unusable, unusable, then], silenced=(2, 3))
    severity = "ok" if then is OK else "critical"
    assert sent == [(1, NotificationKind.FIRING, "warning"), (6, kind, severity)]


def test_o11_an_alert_that_fired_in_silence_waits_for_a_usable_reading():
    sent = notifications([W, W, W, H, H, W], silenced=(1, 2))
    assert sent == [(5, NotificationKind.FIRING, "warning")]


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


def test_reminders_are_sent_until_someone_acknowledges_the_alert():
    assert notifications([W] * 9) == [(1, NotificationKind.FIRING, "warning")] + [
        (day, NotificationKind.REMINDER, "warning") for day in (4, 7)
    ]
    assert notifications([W] * 9, acknowledged=(2,)) == [(1, NotificationKind.FIRING, "warning")]


def test_an_alert_that_gets_worse_is_no_longer_acknowledged():
    sent = notifications([W, W, C, C, C, C, C], acknowledged=(2,))
    assert sent == [
        (1, NotificationKind.FIRING, "warning"),
        (3, NotificationKind.WORSE, "critical"),
        (6, NotificationKind.REMINDER, "critical"),
    ]


def reference(levels, silenced):
    """Return, naively, the notifications without reminders: 2 of 3, no margin."""
    rank = {OK: 0, W: 1, C: 2}
    sent, firing, episode, last_sent, valid = [], OK, 0, (0, OK), []
    for day, level in enumerate(levels):
        if level in rank:
            valid.append(level)
            window = valid[-3:]
            for candidate in (W, C):
                enough = sum(rank[previous] >= rank[candidate] for previous in window) >= 2
                if enough and rank[level] >= rank[candidate] > rank[firing]:
                    episode += firing is OK
                    firing = candidate
            if rank[level] < rank[firing]:
                firing = level
                if firing is OK:
                    valid = []
        if (
            day in silenced
            or level not in rank
            or (firing is OK and last_sent[1] is OK)
            or last_sent == (episode, firing)
        ):
            continue
        if firing is OK:
            kind = NotificationKind.RESOLVED
        elif last_sent[1] is OK or last_sent[0] != episode:
            kind = NotificationKind.FIRING
        else:
            is_worse = rank[firing] > rank[last_sent[1]]
            kind = NotificationKind.WORSE if is_worse else NotificationKind.BETTER
        sent.append((day, kind, firing.value))
        last_sent = episode, firing
    return sent


@given(
    levels=st.lists(st.sampled_from([OK, W, C, N, H]), max_size=25),
    silenced=st.sets(st.integers(0, 24)),
)
def test_notifications_match_a_simple_model_for_any_readings(levels, silenced):
    quiet = replace(POLICY, reminder=None)
    assert notifications(levels, policy=quiet, silenced=silenced) == reference(levels, silenced)
