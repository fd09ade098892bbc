"""What a KPI's goal and a measurement of it say, and how the one is judged by the other."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from common.calculations.statistics import SMALLEST_SAMPLE, Interval, Rate, Status
from common.formatting import Unit


class Better(StrEnum):
    """Which values of a KPI are the better ones."""

    HIGHER = "higher"
    LOWER = "lower"


class Severity(StrEnum):
    """Which threshold a value that counts is worse than."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Goal:
    """One version of what a KPI should reach, in the KPI's own unit (rates: 0.25 is 25 %)."""

    kpi: str
    version: int
    target: float
    weight: int
    warning: float | None = None
    critical: float | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A KPI as of the end of a day. A value that is not known is None, never 0.

    The window's two days are calendar days in the time zone in force, both included.
    """

    status: Status
    reason: str = ""
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    interval: Interval | None = None
    window_from: date | None = None
    window_to: date | None = None
    basis: str = ""
    exclusions: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        return self.status is Status.OK


@dataclass(frozen=True, slots=True)
class Figure:
    """A number shown beside a KPI because it helps to read it."""

    name: str
    unit: Unit
    measurement: Measurement


def no_data(reason: str) -> Measurement:
    return Measurement(Status.NO_DATA, reason)


def measured_rate(
    numerator: int, denominator: int, *, window_from: date, window_to: date, nobody: str
) -> Measurement:
    """Return a share of persons; `nobody` says what is missing where there is no denominator."""
    rate = Rate(numerator, denominator)
    return Measurement(
        status=rate.status,
        reason=rate.reason if denominator else nobody,
        value=rate.value,
        numerator=numerator,
        denominator=denominator,
        interval=rate.interval,
        window_from=window_from,
        window_to=window_to,
    )


def measured_growth(
    before: int,
    now: int,
    *,
    window_from: date,
    window_to: date,
    basis: str,
    nobody: str,
    sample: int | None = None,
) -> Measurement:
    """Return the relative change; it is no share, so it has no interval.

    `sample` says how many persons or customers are behind `before`, where it is no such number.
    """
    behind = before if sample is None else sample
    status, reason = Status.OK, ""
    if not before:
        status, reason = Status.NO_DATA, nobody
    elif behind < SMALLEST_SAMPLE:
        status = Status.LOW_SAMPLE
        reason = f"Only {behind} to compare with; fewer than {SMALLEST_SAMPLE} say little."
    return Measurement(
        status=status,
        reason=reason,
        value=(now - before) / before if before else None,
        numerator=now - before,
        denominator=before,
        window_from=window_from,
        window_to=window_to,
        basis=basis,
    )


def attainment(value: float, *, target: float, better: Better) -> float | None:
    """Return how much of the target is reached, uncapped: 1.2 is 120 %.

    None where nothing is left to improve: a value of 0 that should be low.
    """
    if better is Better.HIGHER:
        return value / target
    return target / value if value > 0 else None


def kpi_score(value: float, *, target: float, better: Better) -> float:
    """Return 0 to 100; more than the target earns no more than the target."""
    reached = attainment(value, target=target, better=better)
    return 100.0 if reached is None else 100 * min(max(reached, 0.0), 1.0)


def severity(value: float, *, goal: Goal, better: Better) -> Severity:
    """Return which threshold the value breaks; a value equal to a threshold does not break it."""
    if goal.critical is not None and _worse(value, goal.critical, better):
        return Severity.CRITICAL
    if goal.warning is not None and _worse(value, goal.warning, better):
        return Severity.WARNING
    return Severity.OK


def _worse(value: float, threshold: float, better: Better) -> bool:
    return value < threshold if better is Better.HIGHER else value > threshold
