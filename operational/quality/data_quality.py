"""Data quality: runs the checks, keeps their findings, and scores the data.

The checks themselves are in `analytics.quality_checks` and `billing.revenue.quality_checks`.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import transaction
from django.urls import NoReverseMatch, reverse

from analytics.rollups import definitions
from common.data_quality import Check, CheckVerdict, Finding, RepairableCheck, checks
from operational.calculations import data_quality as calculation
from operational.models import QualityIgnore, QualityResult, QualityRun

logger = logging.getLogger(__name__)

KEPT = timedelta(days=400)
HISTORY = 90  # runs in the history
_ORDER = [CheckVerdict.FAIL, CheckVerdict.WARNING, CheckVerdict.PASS, CheckVerdict.NO_DATA]
_FINDINGS = frozenset({CheckVerdict.FAIL, CheckVerdict.WARNING})


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of a check in the last run."""

    check: Check
    verdict: CheckVerdict
    affected: int
    detail: str
    examples: Sequence[dict[str, Any]]  # text and url
    is_ignored: bool
    ignored: QualityIgnore | None  # None also if the rule was deleted since

    @property
    def is_repairable(self) -> bool:
        return isinstance(self.check, RepairableCheck) and self.verdict in _FINDINGS

    @property
    def remedy(self) -> str:
        return self.check.remedy if self.verdict in _FINDINGS else ""


@dataclass(frozen=True, slots=True)
class DataQuality:
    """The last run, its worst results first; `at` None: no run yet."""

    at: datetime | None
    score: int | None
    results: tuple[CheckResult, ...]

    @property
    def band(self) -> str:
        return calculation.band(self.score)

    @property
    def findings(self) -> list[CheckResult]:
        return [result for result in self.results if result.verdict in _FINDINGS]


def run(*, now: datetime) -> QualityRun:
    """Run every check and keep its finding. A check that breaks counts as a failure."""
    ignores = ignored(now)
    results = [_result(check, now, ignores.get(check.slug)) for check in checks().values()]
    scored = [CheckVerdict(result.verdict) for result in results if not result.ignored]
    score = calculation.score(scored, ignored=sum(result.ignored for result in results))
    with transaction.atomic():
        quality_run = QualityRun.objects.create(at=now, score=score)
        for result in results:
            result.run = quality_run
        QualityResult.objects.bulk_create(results)
    return quality_run


def _result(check: Check, now: datetime, ignore: QualityIgnore | None) -> QualityResult:
    began = monotonic()
    finding = _finding(check, now)
    is_ignored = ignore is not None and (ignore.most is None or finding.affected <= ignore.most)
    return QualityResult(
        check_slug=check.slug,
        verdict=finding.verdict,
        affected=finding.affected,
        detail=finding.detail,
        examples=[asdict(example) for example in finding.examples],
        ignored=finding.verdict in _FINDINGS and is_ignored,
        seconds=monotonic() - began,
    )


def _finding(check: Check, now: datetime) -> Finding:
    try:
        with transaction.atomic():
            return check.run(now=now)
    except Exception as error:
        logger.exception("The check %s broke", check.slug)
        return Finding(CheckVerdict.FAIL, 0, f"The check itself broke: {type(error).__name__}.")


def latest() -> DataQuality:
    """Return the last run, with one query for the run and one for its results."""
    last = QualityRun.objects.order_by("-pk").first()
    if last is None:
        return DataQuality(None, None, ())
    ignores = ignored(last.at)
    rows = {row.check_slug: row for row in last.results.all()}
    results = [
        _check_result(check, rows[slug], ignores.get(slug))
        for slug, check in checks().items()
        if slug in rows
    ]
    results.sort(key=lambda result: (result.is_ignored, _ORDER.index(result.verdict)))
    return DataQuality(last.at, last.score, tuple(results))


def _check_result(check: Check, row: QualityResult, ignore: QualityIgnore | None) -> CheckResult:
    return CheckResult(
        check,
        CheckVerdict(row.verdict),
        row.affected,
        row.detail,
        [{"text": example["text"], "url": _url(example)} for example in row.examples],
        row.ignored,
        ignore,
    )


def score_history() -> Sequence[QualityRun]:
    """Return the last runs, oldest first."""
    return list(QualityRun.objects.order_by("-pk")[:HISTORY])[::-1]


def ignored(now: datetime) -> dict[str, QualityIgnore]:
    """Return the ignored findings in force, by check."""
    today = definitions.last_complete_day(now) + timedelta(days=1)
    rules = QualityIgnore.objects.filter(until__gte=today).order_by("until")
    return {rule.check_slug: rule for rule in rules}


def delete_old(now: datetime) -> None:
    QualityRun.objects.filter(at__lt=now - KEPT).delete()


def _url(example: dict[str, Any]) -> str:
    if not example["page"]:
        return ""
    try:
        return reverse(example["page"], args=[example["argument"]] if example["argument"] else [])
    except NoReverseMatch:  # a page of an earlier version
        return ""
