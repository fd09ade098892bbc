"""Which action comes first, what an action achieved, and when a dismissed action returns."""

from collections.abc import Sequence
from statistics import fmean

from operational.calculations.kpi import Severity

MATERIALLY = 1.25  # times the points lost when it was dismissed
POINTS = 1.0  # and at least this many more
_RANK = list(Severity)


def closed_share(*, before: float, after: float, target: float) -> float | None:
    """Return the share of the gap between a KPI and its target that was closed, 0 to 1.

    None if there was no gap. Which way is better does not matter: the target implies it.
    """
    if before == target:
        return None
    return min(max((after - before) / (target - before), 0.0), 1.0)


def reach(shares: Sequence[float]) -> float:
    """Return the mean share of a gap that past actions closed; 1 if none was measured."""
    return fmean(shares) if shares else 1.0


def rank(recoverable: float, severity: Severity) -> tuple[float, int]:
    """Return a key that sorts what should be done first to the front."""
    return -recoverable, -_RANK.index(severity)


def is_materially_worse(
    *, points: float, points_then: float, severity: Severity, severity_then: Severity
) -> bool:
    """Return whether something got enough worse to override a dismissal."""
    if _RANK.index(severity) > _RANK.index(severity_then):
        return True
    return points >= MATERIALLY * points_then and points >= points_then + POINTS
