"""Data quality: checks are run, what they find is kept, and a score says how good the data are.

The checks themselves are in `analytics.quality_checks` and `billing.revenue.quality_checks`.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import DatabaseError, transaction
from django.urls import NoReverseMatch, reverse

from analytics.rollups import definitions
from common.data_quality import Check, CheckVerdict, Finding, RepairableCheck, checks
from operational.calculations import data_quality as calculation
from operational.models import QualityIgnore, QualityResult, QualityRun

logger = logging.getLogger(__name__)

KEPT = timedelta(days=400)
HISTORY = 90  # runs shown
_ORDER = [CheckVerdict.FAIL, CheckVerdict.WARNING, CheckVerdict.PASS, CheckVerdict.NO_DATA]


@dataclass(frozen=True, slots=True)
class Result:
    """A check with what it found last."""

    check: Check
    verdict: CheckVerdict
    affected: int
    detail: str
    examples: Sequence[dict[str, Any]]  # text and url
    is_ignored: bool
    ignored: QualityIgnore | None  # None also where the rule is gone since then

    @property
    def is_repairable(self) -> bool:
        return isinstance(self.check, RepairableCheck) and self.verdict in _ORDER[:2]

    @property
    def remedy(self) -> str:
        return self.check.remedy if self.verdict in _ORDER[:2] else ""


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What the last run found, the worst first; `at` None: there was none."""

    at: datetime | None
    score: int | None
    results: tuple[Result, ...]

    @property
    def band(self) -> str:
        return calculation.band(self.score)

    @property
    def findings(self) -> list[Result]:
        return [one for one in self.results if one.verdict in _ORDER[:2]]


def run(*, now: datetime) -> QualityRun:
    """Run every check and keep what it finds. A check that breaks is a failure, not a silence."""
    ignores = ignored(now)
    results = [_look(check, now, ignores.get(check.slug)) for check in checks().values()]
    heard = [CheckVerdict(one.verdict) for one in results if not one.ignored]
    score = calculation.score(heard, ignored=sum(one.ignored for one in results))
    with transaction.atomic():
        done = QualityRun.objects.create(at=now, score=score)
        for result in results:
            result.run = done
        QualityResult.objects.bulk_create(results)
    return done


def _look(check: Check, now: datetime, ignore: QualityIgnore | None) -> QualityResult:
    began = monotonic()
    try:
        with transaction.atomic():
            found = check.run(now=now)
    except (DatabaseError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        logger.exception("The check %s broke", check.slug)
        found = Finding(CheckVerdict.FAIL, 0, f"The check itself broke: {type(error).__name__}.")
    is_finding = found.verdict in {CheckVerdict.WARNING, CheckVerdict.FAIL}
    is_ignored = ignore is not None and (ignore.most is None or found.affected <= ignore.most)
    return QualityResult(
        check_slug=check.slug,
        verdict=found.verdict,
        affected=found.affected,
        detail=found.detail,
        examples=[asdict(one) for one in found.examples],
        ignored=is_finding and is_ignored,
        seconds=monotonic() - began,
    )


def latest() -> DataQuality:
    """Return what the last run found, with one query for the run, one for the rest."""
    last = QualityRun.objects.order_by("-at").first()
    if last is None:
        return DataQuality(None, None, ())
    ignores = ignored(last.at)
    found = {one.check_slug: one for one in last.results.all()}
    results = [
        Result(
            check,
            CheckVerdict(row.verdict),
            row.affected,
            row.detail,
            [{"text": one["text"], "url": _url(one)} for one in row.examples],
            row.ignored,
            ignores.get(slug),
        )
        for slug, check in checks().items()
        if (row := found.get(slug))
    ]
    results.sort(key=lambda one: (one.is_ignored, _ORDER.index(one.verdict)))
    return DataQuality(last.at, last.score, tuple(results))


def score_history() -> Sequence[QualityRun]:
    """Return the last runs, oldest first."""
    return list(QualityRun.objects.order_by("-at")[:HISTORY])[::-1]


def ignored(now: datetime) -> dict[str, QualityIgnore]:
    """Return the ignore rules in force, by check."""
    today = definitions.last_complete_day(now) + timedelta(days=1)
    rules = QualityIgnore.objects.filter(until__gte=today).order_by("until")
    return {rule.check_slug: rule for rule in rules}


def forget_old(now: datetime) -> None:
    QualityRun.objects.filter(at__lt=now - KEPT).delete()


def _url(example: dict[str, Any]) -> str:
    if not example["page"]:
        return ""
    try:
        return reverse(example["page"], args=[example["argument"]] if example["argument"] else [])
    except NoReverseMatch:  # a page that an earlier version had
        return ""
