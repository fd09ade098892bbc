"""The dashboard: where the company stands, the biggest gaps, and the trend."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from analytics import demo, health
from analytics.health import Problem
from analytics.insights.retention import CohortKind, WeekCohort, week_spans, weekly_retention
from analytics.people import persons
from analytics.rollups import counters, definitions
from analytics.rollups.counters import Span
from billing.revenue import customer_churn, mrr
from billing.revenue.customer_churn import Churn
from billing.revenue.mrr import Mrr
from common.calculations.line_chart import LineChart
from common.read_once import reading_together
from operational.calculations.alignment import Contribution
from operational.kpis import readings, sources
from operational.kpis.alignment import Alignment, TrendPoint, alignment_score
from operational.kpis.history import history_chart, history_window
from operational.kpis.readings import KpiStatus

COHORT_WEEKS = 12


@dataclass(frozen=True, slots=True)
class KpiRow:
    """A KPI with its points contributed and lost, and its last 90 days."""

    status: KpiStatus
    contribution: Contribution
    chart: LineChart | None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything on the page, as of the end of the last complete day in `time_zone`."""

    as_of: date
    time_zone: str
    alignment: Alignment
    counted: tuple[KpiRow, ...]  # most points lost first
    uncounted: tuple[KpiRow, ...]
    cohorts: tuple[WeekCohort, ...]
    has_demo: bool
    problems: Sequence[Problem]
    mrr: Mrr | None  # None before the first payment
    churn: Churn | None

    @property
    def biggest_gap(self) -> KpiRow | None:
        row = next(iter(self.counted), None)
        return row if row and row.contribution.points_lost else None

    @property
    def kpis(self) -> int:
        return len(self.counted) + len(self.uncounted)

    @property
    def last_month(self) -> TrendPoint:
        return next(point for point in self.alignment.trend if point.days_ago == 30)

    @property
    def trend_notes(self) -> dict[str, list[int]]:
        """Return the notes on the comparisons, with the days ago that each applies to."""
        notes: dict[str, list[int]] = {}
        for point in self.alignment.trend:
            if point.note:
                notes.setdefault(point.note, []).append(point.days_ago)
        return notes


@dataclass(frozen=True, slots=True)
class Waiting:
    """The page before the first person exists."""

    problems: Sequence[Problem]


@reading_together()
def gather(*, now: datetime) -> Dashboard | Waiting:
    """Gather the page from roll-ups and readings, at a cost independent of the number of events."""
    if not persons.any_persons():
        capture = health.capture_health(now, patience=timedelta(0), rejected_within=timedelta.max)
        return Waiting(capture.problems)
    as_of = definitions.last_complete_day(now)
    counters.read([*sources.spans(as_of=as_of), *_cohort_spans(as_of)])
    statuses = readings.read_kpis(as_of=as_of)
    alignment = alignment_score(as_of=as_of, statuses=statuses)
    rows = _rows(statuses, alignment, as_of)
    is_paid = mrr.first_day() is not None
    return Dashboard(
        as_of=as_of,
        time_zone=definitions.in_force().time_zone,
        alignment=alignment,
        counted=tuple(row for row in rows if row.contribution.counted),
        uncounted=tuple(row for row in rows if not row.contribution.counted),
        cohorts=_cohorts(as_of),
        has_demo=demo.exists(),
        problems=(*health.rollup_problems(), *health.capture_health(now).problems),
        mrr=mrr.report(as_of=as_of) if is_paid else None,
        churn=customer_churn.last_30_days(as_of=as_of) if is_paid else None,
    )


def _rows(statuses: Sequence[KpiStatus], alignment: Alignment, as_of: date) -> list[KpiRow]:
    first, last = history_window(as_of)
    histories = readings.histories(first=first, last=last)
    rows = [
        KpiRow(
            status=status,
            contribution=contribution,
            chart=history_chart(histories[status.kpi.slug], target=status.goal.target, as_of=as_of),
        )
        for status, contribution in zip(statuses, alignment.contributions, strict=True)
    ]
    return sorted(rows, key=_by_points_lost)


def _by_points_lost(row: KpiRow) -> tuple[float, int]:
    return -(row.contribution.points_lost or 0.0), -row.contribution.weight


def _cohorts(as_of: date) -> tuple[WeekCohort, ...]:
    """Return the cohorts without week 0, in which everyone is active: signing up counts."""
    cohorts = weekly_retention(
        cohort=CohortKind.SIGNUP,
        weeks=COHORT_WEEKS,
        cohorts_from=_first_cohort(as_of),
        cohorts_to=None,
        as_of=as_of,
    )
    return tuple(replace(cohort, weeks=cohort.weeks[1:]) for cohort in cohorts)


def _cohort_spans(as_of: date) -> list[Span]:
    return week_spans(CohortKind.SIGNUP, COHORT_WEEKS, _first_cohort(as_of), date.max, as_of=as_of)


def _first_cohort(as_of: date) -> date:
    return as_of - timedelta(weeks=COHORT_WEEKS)
