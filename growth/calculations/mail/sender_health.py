"""When sending pauses: complaints and hard bounces as shares of what was sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class SenderVerdict(StrEnum):
    """Ordered by severity."""

    OK = "ok"
    WARN = "warn"
    PAUSE = "pause"


class Harm(StrEnum):
    COMPLAINTS = "complaints"
    HARD_BOUNCES = "hard bounces"


@dataclass(frozen=True, slots=True)
class SendingCounts:
    """What was sent within a window, and what came of it."""

    window: timedelta
    sent: int
    complaints: int
    hard_bounces: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """Shares from which to warn and to pause; below so many sends or events nothing is decided."""

    harm: Harm
    window: timedelta
    warn: float
    pause: float
    least_sent: int
    least_events: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold that is reached, and how."""

    threshold: Threshold
    verdict: SenderVerdict
    events: int
    sent: int

    @property
    def share(self) -> float:
        return self.events / self.sent


THRESHOLDS = (
    Threshold(Harm.COMPLAINTS, HOUR, 0.005, 0.01, least_sent=200, least_events=5),
    Threshold(Harm.COMPLAINTS, DAY, 0.0015, 0.003, least_sent=1_000, least_events=10),
    Threshold(Harm.HARD_BOUNCES, HOUR, 0.05, 0.1, least_sent=200, least_events=5),
    Threshold(Harm.HARD_BOUNCES, DAY, 0.025, 0.05, least_sent=1_000, least_events=10),
)


def crossings(counts: Iterable[SendingCounts]) -> list[Crossing]:
    """Return the thresholds that are reached, those that pause first. Equality reaches one."""
    reached = [
        Crossing(threshold, verdict, events, window.sent)
        for window in counts
        for threshold in THRESHOLDS
        if threshold.window == window.window
        for events in [_events(threshold, window)]
        if (verdict := _verdict(threshold, events, window.sent)) is not SenderVerdict.OK
    ]
    return sorted(reached, key=lambda crossing: crossing.verdict is not SenderVerdict.PAUSE)


def verdict_of(counts: Iterable[SendingCounts]) -> SenderVerdict:
    """Return whether to go on, warn or pause."""
    return next((crossing.verdict for crossing in crossings(counts)), SenderVerdict.OK)


def _events(threshold: Threshold, counts: SendingCounts) -> int:
    is_complaints = threshold.harm is Harm.COMPLAINTS
    return counts.complaints if is_complaints else counts.hard_bounces


def _verdict(threshold: Threshold, events: int, sent: int) -> SenderVerdict:
    if sent < threshold.least_sent or events < threshold.least_events:
        return SenderVerdict.OK
    # Whole numbers: 0.3 % of 1,000 is 3, which floats may miss.
    share = round(events / sent, 9)
    if share >= threshold.pause:
        return SenderVerdict.PAUSE
    return SenderVerdict.WARN if share >= threshold.warn else SenderVerdict.OK
