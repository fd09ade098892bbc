"""The alignment score of a day, its contributions, and its trend."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from common.calculations.statistics import Status
from operational.calculations import alignment as calculation
from operational.calculations.alignment import Band, Comparison, Contribution, ScoredKpi
from operational.calculations.catalogue import CATALOGUE
from operational.calculations.kpi import kpi_score
from operational.kpis.readings import KpiStatus, read_kpis
from operational.models import KpiReading

TREND_DAYS = 7, 14, 30, 60, 90

Readings = Mapping[str, KpiReading]  # of one day, by KPI


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The score `days_ago` against the score now, over the KPIs that count on both days.

    Both are scored with today's targets and weights; `note` says what that hides, if anything.
    """

    days_ago: int
    day: date
    then: float | None
    now: Annotated[float | None, "Over the compared KPIs only"]
    change: float | None
    compared_kpis: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Alignment:
    """The score (0 to 100, None if no KPI counts) as of the end of a day.

    `coverage` is the share of the weight that counts, 0 to 1.
    """

    as_of: date
    score: float | None
    band: Band
    coverage: float
    provisional: bool
    contributions: tuple[Contribution, ...]
    trend: tuple[TrendPoint, ...]


def alignment_score(*, as_of: date, statuses: Sequence[KpiStatus] | None = None) -> Alignment:
    """Weigh the KPIs as of a complete day; pass `statuses` to avoid measuring them again."""
    if statuses is None:
        statuses = read_kpis(as_of=as_of)
    scored = [
        ScoredKpi(status.kpi.slug, status.goal.weight, status.score, status.measurement.reason)
        for status in statuses
    ]
    score, coverage = calculation.score(scored), calculation.coverage(scored)
    return Alignment(
        as_of=as_of,
        score=score,
        band=calculation.band(score, coverage),
        coverage=coverage,
        provisional=calculation.is_provisional(coverage),
        contributions=calculation.contributions(scored),
        trend=_trend(as_of, statuses, scored),
    )


def _trend(
    as_of: date, statuses: Sequence[KpiStatus], scored: Sequence[ScoredKpi]
) -> tuple[TrendPoint, ...]:
    days = {ago: as_of - timedelta(days=ago) for ago in TREND_DAYS}
    recorded: dict[date, dict[str, KpiReading]] = {day: {} for day in days.values()}
    for reading in KpiReading.objects.filter(day__in=recorded):
        recorded[reading.day][reading.kpi] = reading
    return tuple(
        _trend_point(ago, day, statuses, scored, recorded[day]) for ago, day in days.items()
    )


def _trend_point(
    ago: int,
    day: date,
    statuses: Sequence[KpiStatus],
    scored: Sequence[ScoredKpi],
    readings: Readings,
) -> TrendPoint:
    then = [_rescored(status, readings.get(status.kpi.slug)) for status in statuses]
    comparison = calculation.compare(now=scored, then=then)
    return TrendPoint(
        days_ago=ago,
        day=day,
        then=comparison.then,
        now=comparison.now,
        change=comparison.change,
        compared_kpis=comparison.compared,
        note=" ".join(_notes(comparison, statuses, readings)),
    )


def _rescored(status: KpiStatus, reading: KpiReading | None) -> ScoredKpi:
    """Score a reading with today's goal."""
    score = None
    if reading and reading.status == Status.OK and reading.value is not None:
        score = kpi_score(reading.value, target=status.goal.target, better=status.kpi.better)
    return ScoredKpi(status.kpi.slug, status.goal.weight, score)


def _notes(
    comparison: Comparison, statuses: Sequence[KpiStatus], readings: Readings
) -> Iterator[str]:
    if not readings:
        yield "No readings for that day; manage.py backfill_kpis records them."
        return
    if not comparison.compared:
        yield "No KPI counts on both days."
    if comparison.only_now:
        yield f"Excluded because not counted then: {_names(comparison.only_now)}."
    if comparison.only_then:
        yield f"Excluded because not counted now: {_names(comparison.only_then)}."
    compared = [status for status in statuses if status.kpi.slug in comparison.compared]
    for aspect, changed in (
        ("goals", [s for s in compared if readings[s.kpi.slug].goal_version != s.goal.version]),
        ("basis", [s for s in compared if readings[s.kpi.slug].basis != s.measurement.basis]),
        (
            "formula",
            [s for s in compared if readings[s.kpi.slug].formula_version != s.kpi.formula_version],
        ),
    ):
        if changed:
            yield f"Changed since then, {aspect} of: {_names([s.kpi.slug for s in changed])}."


def _names(slugs: Sequence[str]) -> str:
    return ", ".join(CATALOGUE[slug].name for slug in slugs)
