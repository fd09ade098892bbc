"""The states of an alert: what readings make of it, and what people are to be told of that.

An alert fires when `needed` of the last `of` known readings are bad, the latest among them, and
eases or resolves at the first reading that is better by the recovery margin, too. A reading that is
not known, or held, changes nothing: the alert keeps its severity and says nothing meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from operational.calculations.kpi import Better, Goal, Severity, severity


class ReadingLevel(StrEnum):
    """What one reading says."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_DATA = "no_data"
    HELD = "held"


class AlertStatus(StrEnum):
    """How an alert is."""

    OK = "ok"
    PENDING = "pending"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_DATA = "no_data"
    HELD = "held"


class NotificationKind(StrEnum):
    """What a message to people says."""

    FIRING = "firing"
    WORSE = "worse"
    BETTER = "better"
    RESOLVED = "resolved"
    REMINDER = "reminder"


_UNKNOWN = {ReadingLevel.NO_DATA: AlertStatus.NO_DATA, ReadingLevel.HELD: AlertStatus.HELD}
_RANK = {Severity.OK: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


@dataclass(frozen=True, slots=True)
class Reading:
    """One complete reading; `order` grows, such as the ordinal of its day.

    `eased` is the level with thresholds that are harder to meet by the recovery margin.
    """

    order: int
    level: ReadingLevel
    eased: ReadingLevel


@dataclass(frozen=True, slots=True)
class Policy:
    """When an alert fires, and how often people are reminded of one that nobody acknowledged."""

    needed: int = 2
    of: int = 3
    reminder: timedelta | None = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class AlertState:
    """What is remembered of an alert.

    `episode` counts firings; `told_*` is what people last heard, `silenced_until` when they may
    hear again. `cleared` is the reading that resolved the last episode.
    """

    status: AlertStatus = AlertStatus.OK
    firing: Severity = Severity.OK
    episode: int = 0
    since: datetime | None = None  # of the status
    cleared: int = 0
    acknowledged: bool = False
    silenced_until: datetime | None = None
    told_episode: int = 0
    told: Severity = Severity.OK
    told_at: datetime | None = None


def level_of(value: float, *, goal: Goal, better: Better, margin: float = 0.0) -> ReadingLevel:
    """Return what a value that counts says; `margin` (0.02 is 2 %) makes it harder."""
    way = margin if better is Better.HIGHER else -margin

    def harder(threshold: float | None) -> float | None:
        return None if threshold is None else threshold + way * abs(threshold)

    moved = replace(goal, warning=harder(goal.warning), critical=harder(goal.critical))
    return ReadingLevel(severity(value, goal=moved, better=better).value)


def judge(
    state: AlertState, readings: Sequence[Reading], *, policy: Policy, now: datetime
) -> AlertState:
    """Return the alert after its readings, the latest last; the same readings change nothing."""
    if not readings:
        return state
    latest = readings[-1]
    if latest.level in _UNKNOWN:
        return _with_status(state, _UNKNOWN[latest.level], now)
    known = [one for one in readings if one.level not in _UNKNOWN and one.order > state.cleared]
    bad = _severity_of(known[-policy.of :], policy.needed)
    if _RANK[bad] > _RANK[state.firing]:
        episode = state.episode + (state.firing is Severity.OK)
        state = replace(state, firing=bad, episode=episode, acknowledged=False)
    elif state.firing is not Severity.OK:
        eased = Severity(latest.eased.value)
        if _RANK[eased] < _RANK[state.firing]:
            state = replace(state, firing=eased)
            if eased is Severity.OK:
                state = replace(state, cleared=latest.order, acknowledged=False)
    if state.firing is not Severity.OK:
        return _with_status(state, AlertStatus(state.firing.value), now)
    is_pending = latest.level is not ReadingLevel.OK and latest.order > state.cleared
    return _with_status(state, AlertStatus.PENDING if is_pending else AlertStatus.OK, now)


def message(state: AlertState, *, policy: Policy, now: datetime) -> NotificationKind | None:
    """Return what people are to be told now, None where there is nothing."""
    if state.silenced_until and now < state.silenced_until:
        return None
    if state.firing is Severity.OK:
        return None if state.told is Severity.OK else NotificationKind.RESOLVED
    if state.told is Severity.OK or state.told_episode != state.episode:
        return NotificationKind.FIRING
    if state.firing is not state.told:
        return (
            NotificationKind.WORSE
            if _RANK[state.firing] > _RANK[state.told]
            else NotificationKind.BETTER
        )
    is_judged = state.status in {AlertStatus.WARNING, AlertStatus.CRITICAL}
    if policy.reminder is None or state.acknowledged or not is_judged or state.told_at is None:
        return None
    return NotificationKind.REMINDER if now - state.told_at >= policy.reminder else None


def after_notifying(state: AlertState, *, now: datetime) -> AlertState:
    """Return the alert once people are told how it is."""
    return replace(state, told=state.firing, told_episode=state.episode, told_at=now)


@dataclass(frozen=True, slots=True)
class Backtest:
    """What an alert would have done: how often it fired, and on how many of the readings."""

    fired: int
    firing: int
    readings: int


def backtest(readings: Sequence[Reading], *, policy: Policy) -> Backtest:
    """Judge recorded readings one by one, as if each had been the latest."""
    state, firing, never = AlertState(), 0, datetime.min.replace(tzinfo=UTC)
    for number in range(1, len(readings) + 1):
        state = judge(state, readings[:number], policy=policy, now=never)
        firing += state.firing is not Severity.OK
    return Backtest(state.episode, firing, len(readings))


def _severity_of(window: Sequence[Reading], needed: int) -> Severity:
    """Return the worst severity that enough readings have, the latest among them."""
    for worst, levels in (
        (Severity.CRITICAL, {ReadingLevel.CRITICAL}),
        (Severity.WARNING, {ReadingLevel.CRITICAL, ReadingLevel.WARNING}),
    ):
        bad = [one for one in window if one.level in levels]
        if len(bad) >= needed and bad[-1] is window[-1]:
            return worst
    return Severity.OK


def _with_status(state: AlertState, status: AlertStatus, now: datetime) -> AlertState:
    return state if state.status is status else replace(state, status=status, since=now)
