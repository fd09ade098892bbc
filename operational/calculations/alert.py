"""The states of an alert: how readings change it, and which notifications it sends.

An alert fires when `needed` of the last `window` valid readings breach a threshold, the latest
among them. It eases or resolves at the first reading that is also better by the recovery margin.
A reading without data, or held, changes nothing: the alert keeps its severity and sends nothing.

Clocks may be set: what happened at a time that is still to come was the mistake of a clock, and
must not keep an alert quiet until that time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from operational.calculations.kpi import Better, Goal, Severity, severity


class ReadingLevel(StrEnum):
    """How bad one reading is."""

    OFF = "off"  # not set up
    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_DATA = "no_data"
    HELD = "held"


class AlertStatus(StrEnum):
    """The current status of an alert."""

    OFF = "off"
    OK = "ok"
    PENDING = "pending"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_DATA = "no_data"
    HELD = "held"


class NotificationKind(StrEnum):
    """Why a notification is sent."""

    FIRING = "firing"
    WORSE = "worse"
    BETTER = "better"
    RESOLVED = "resolved"
    REMINDER = "reminder"


LONGEST_SILENCE = timedelta(days=31)

_INVALID = {ReadingLevel.NO_DATA: AlertStatus.NO_DATA, ReadingLevel.HELD: AlertStatus.HELD}
_RANK = {Severity.OK: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


@dataclass(frozen=True, slots=True)
class Reading:
    """One complete reading; `order` increases over time, such as the ordinal of its day.

    `level_with_margin` is the level by thresholds that are stricter by the recovery margin.
    """

    order: int
    level: ReadingLevel
    level_with_margin: ReadingLevel


@dataclass(frozen=True, slots=True)
class Policy:
    """When an alert fires, and how often reminders are sent while it is not acknowledged."""

    needed: int = 2
    window: int = 3
    reminder: timedelta | None = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class AlertState:
    """What is stored of an alert.

    `episode` counts firings; `notified_*` describe the last notification; none is sent before
    `silenced_until`. `cleared` is the order of the reading that resolved the last episode.
    """

    status: AlertStatus = AlertStatus.OK
    firing: Severity = Severity.OK
    episode: int = 0
    since: datetime | None = None  # of the status
    cleared: int = 0
    acknowledged: bool = False
    silenced_until: datetime | None = None
    notified_episode: int = 0
    notified_severity: Severity = Severity.OK
    notified_at: datetime | None = None


def level_of(value: float, *, goal: Goal, better: Better, margin: float = 0.0) -> ReadingLevel:
    """Return the level of a value that counts; `margin` (0.02 is 2 %) makes thresholds stricter."""
    signed_margin = margin if better is Better.HIGHER else -margin

    def stricter(threshold: float | None) -> float | None:
        return None if threshold is None else threshold + signed_margin * abs(threshold)

    strict_goal = replace(goal, warning=stricter(goal.warning), critical=stricter(goal.critical))
    return ReadingLevel(severity(value, goal=strict_goal, better=better).value)


def judge(
    state: AlertState, readings: Sequence[Reading], *, policy: Policy, now: datetime
) -> AlertState:
    """Return the alert after its readings, the latest last; repeating them changes nothing."""
    if not readings:
        return state
    latest = readings[-1]
    if latest.level in _INVALID:
        return _with_status(state, _INVALID[latest.level], now)
    if state.cleared > latest.order + 1:  # by a clock that was ahead; machines may differ by 1
        state = replace(state, cleared=0)
    valid = [
        reading
        for reading in readings
        if reading.level not in _INVALID and reading.order > state.cleared
    ]
    state = _with_severity(state, latest, _severity_of(valid[-policy.window :], policy.needed))
    if state.firing is not Severity.OK:
        return _with_status(state, AlertStatus(state.firing.value), now)
    if latest.level in {ReadingLevel.OK, ReadingLevel.OFF}:
        return _with_status(state, AlertStatus(latest.level.value), now)
    is_pending = latest.order > state.cleared
    return _with_status(state, AlertStatus.PENDING if is_pending else AlertStatus.OK, now)


def notification_due(
    state: AlertState, *, policy: Policy, now: datetime
) -> NotificationKind | None:
    """Return which notification to send now, None if there is nothing new.

    None, too, while the reading is held or has no data, even if a silence ended meanwhile.
    """
    if is_silenced(state.silenced_until, now) or state.status in _INVALID.values():
        return None
    if state.firing is Severity.OK:
        return None if state.notified_severity is Severity.OK else NotificationKind.RESOLVED
    if state.notified_severity is Severity.OK or state.notified_episode != state.episode:
        return NotificationKind.FIRING
    if state.firing is not state.notified_severity:
        is_worse = _RANK[state.firing] > _RANK[state.notified_severity]
        return NotificationKind.WORSE if is_worse else NotificationKind.BETTER
    return NotificationKind.REMINDER if _is_reminder_due(state, policy, now) else None


def is_silenced(until: datetime | None, now: datetime) -> bool:
    """Return whether a silence is in force; one that ends too late was made by a wrong clock."""
    return until is not None and now < until <= now + LONGEST_SILENCE


def after_notifying(state: AlertState, *, now: datetime) -> AlertState:
    """Return the alert after a notification of its current state."""
    return replace(
        state, notified_severity=state.firing, notified_episode=state.episode, notified_at=now
    )


@dataclass(frozen=True, slots=True)
class Backtest:
    """What an alert would have done: how often it fired, and on how many of the readings."""

    fired: int
    firing: int
    readings: int


def backtest(readings: Sequence[Reading], *, policy: Policy) -> Backtest:
    """Judge recorded readings in order, as if each had been the latest."""
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
        breaches = [reading for reading in window if reading.level in levels]
        if len(breaches) >= needed and breaches[-1] is window[-1]:
            return worst
    return Severity.OK


def _with_severity(state: AlertState, latest: Reading, breached: Severity) -> AlertState:
    """Fire or worsen by what enough readings breach; ease or resolve by the latest reading."""
    if _RANK[breached] > _RANK[state.firing]:
        episode = state.episode + (state.firing is Severity.OK)
        return replace(state, firing=breached, episode=episode, acknowledged=False)
    if state.firing is Severity.OK:
        return state
    severity = Severity(latest.level_with_margin.value)
    if _RANK[severity] >= _RANK[state.firing]:
        return state
    if severity is Severity.OK:
        return replace(state, firing=severity, cleared=latest.order, acknowledged=False)
    return replace(state, firing=severity)


def _is_reminder_due(state: AlertState, policy: Policy, now: datetime) -> bool:
    if policy.reminder is None or state.acknowledged or state.notified_at is None:
        return False
    return abs(now - state.notified_at) >= policy.reminder


def _with_status(state: AlertState, status: AlertStatus, now: datetime) -> AlertState:
    return state if state.status is status else replace(state, status=status, since=now)
