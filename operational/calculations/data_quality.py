"""The data quality score."""

from collections.abc import Iterable

from common.data_quality import CheckVerdict

WARNING_COSTS, FAILURE_COSTS = 4, 15
BEST_WITH_FINDING = 99


def score(verdicts: Iterable[CheckVerdict], *, ignored: int = 0) -> int | None:
    """Return the score, 0 to 100; None where nothing could be checked.

    A warning costs 4 points, a failure 15. With any finding the score is at most 99, even if the
    finding is `ignored`.
    """
    checked = [verdict for verdict in verdicts if verdict is not CheckVerdict.NO_DATA]
    if not checked and not ignored:
        return None
    warnings, failures = checked.count(CheckVerdict.WARNING), checked.count(CheckVerdict.FAIL)
    cost = WARNING_COSTS * warnings + FAILURE_COSTS * failures
    best = BEST_WITH_FINDING if cost or ignored else 100
    return max(0, min(best, 100 - cost))


def band(points: int | None) -> str:
    """Return the name of a score's band."""
    if points is None:
        return "no data"
    return "all pass" if points == 100 else "minor warnings" if points >= 80 else "issues"
