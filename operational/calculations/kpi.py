"""A KPI's goal and its measurements, and how a measurement is judged by the goal."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from common.calculations.statistics import SMALLEST_SAMPLE, Interval, Rate, Status
from common.formatting import Unit


class Better(StrEnum):
    """Whether higher or lower values of a KPI are better."""

    HIGHER = "higher"
    LOWER = "lower"


class Severity(StrEnum):
    """The worst threshold that a value breaches."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Goal:
    """One version of a KPI's goal, in the KPI's own unit (rates: 0.25 is 25 %)."""

    kpi: str
    version: int
    target: float
    weight: int
    warning: float | None = None
    critical: float | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A KPI as of the end of a day. An unknown value is None, never 0.

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
    is_broken: bool = False  # measuring itself failed, so that nothing is known

    @property
    def counts(self) -> bool:
        return self.status is Status.OK


@dataclass(frozen=True, slots=True)
class Figure:
    """A number shown with a KPI because it helps to read it."""

    name: str
    unit: Unit
    measurement: Measurement


def no_data(reason: str) -> Measurement:
    return Measurement(Status.NO_DATA, reason)


def measured_rate(
    numerator: int, denominator: int, *, window_from: date, window_to: date, empty_reason: str
) -> Measurement:
    """Return a share of people; `empty_reason` is the reason if the denominator is 0."""
    rate = Rate(numerator, denominator)
    return Measurement(
        status=rate.status,
        reason=rate.reason if denominator else empty_reason,
        value=rate.value,
        numerator=numerator,
        denominator=denominator,
        interval=rate.interval,
        window_from=window_from,
        window_to=window_to,
    )


def measured_ratio(
    numerator: int, denominator: int, *, window_from: date, window_to: date, empty_reason: str
) -> Measurement:
    """Return a number per person, which may exceed 1; not being a share, it has no interval.

    `empty_reason` is the reason if the denominator is 0.
    """
    status, reason = Status.OK, ""
    if not denominator:
        status, reason = Status.NO_DATA, empty_reason
    elif denominator < SMALLEST_SAMPLE:
        status = Status.LOW_SAMPLE
        reason = f"Only {denominator} eligible; at least {SMALLEST_SAMPLE} are needed."
    return Measurement(
        status=status,
        reason=reason,
        value=numerator / denominator if denominator else None,
        numerator=numerator,
        denominator=denominator,
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
    empty_reason: str,
    sample: int | None = None,
) -> Measurement:
    """Return the relative change; not being a share, it has no interval.

    `sample` is the number of people or customers behind `before`, if `before` is not that number.
    """
    behind = before if sample is None else sample
    status, reason = Status.OK, ""
    if not before:
        status, reason = Status.NO_DATA, empty_reason
    elif behind < SMALLEST_SAMPLE:
        status = Status.LOW_SAMPLE
        reason = f"Only {behind} to compare with; at least {SMALLEST_SAMPLE} are needed."
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

    None if nothing is left to improve: a value of 0 that should be low.
    """
    if better is Better.HIGHER:
        return value / target
    return target / value if value > 0 else None


def kpi_score(value: float, *, target: float, better: Better) -> float:
    """Return 0 to 100; exceeding the target earns no more than meeting it."""
    reached = attainment(value, target=target, better=better)
    return 100.0 if reached is None else 100 * min(max(reached, 0.0), 1.0)


def severity(value: float, *, goal: Goal, better: Better) -> Severity:
    """Return the threshold that the value breaches; a value equal to a threshold does not."""
    if goal.critical is not None and _worse(value, goal.critical, better):
        return Severity.CRITICAL
    if goal.warning is not None and _worse(value, goal.warning, better):
        return Severity.WARNING
    return Severity.OK


def _worse(value: float, threshold: float, better: Better) -> bool:
    return value < threshold if better is Better.HIGHER else value > threshold
