"""The data quality score."""

from collections.abc import Iterable

from common.data_quality import Verdict

WARNING_COSTS, FAILURE_COSTS = 4, 15
BEST_WITH_FINDING = 99


def score(verdicts: Iterable[Verdict], *, ignored: int = 0) -> int | None:
    """Return the score, 0 to 100; None where nothing could be checked.

    A warning costs 4 points, a failure 15. With any finding it is 99 at most, also where the
    finding is `ignored`.
    """
    known = [verdict for verdict in verdicts if verdict is not Verdict.NO_DATA]
    if not known and not ignored:
        return None
    cost = WARNING_COSTS * known.count(Verdict.WARNING) + FAILURE_COSTS * known.count(Verdict.FAIL)
    best = BEST_WITH_FINDING if cost or ignored else 100
    return max(0, min(best, 100 - cost))


def band(points: int | None) -> str:
    """Say what a score means."""
    if points is None:
        return "no data"
    return "all pass" if points == 100 else "minor warnings" if points >= 80 else "issues"
