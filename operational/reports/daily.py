"""Reads the sections of the daily report, which the weekly one has too."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from analytics import demo
from analytics.rollups import definitions
from common.calculations.health import Component, Health
from common.calculations.statistics import Interval
from operational.actions import priority_actions
from operational.alerting import alerts
from operational.calculations.kpi import Severity
from operational.health.system_health import system_health
from operational.kpis import readings
from operational.kpis.alignment import Alignment, alignment_score
from operational.kpis.readings import KpiStatus, Recorded
from operational.models import Alert, PriorityAction, ReportKind
from operational.overview.real_time import real_time_metrics
from operational.quality import data_quality
from operational.reports import content
from operational.reports.content import DailyReport

TOP_ACTIONS = 5
HISTORY_DAYS = 30


def daily_report(as_of: date, statuses: Sequence[KpiStatus], *, now: datetime) -> DailyReport:
    """Read the report of a complete day."""
    alignment = alignment_score(as_of=as_of, statuses=statuses)
    return DailyReport(
        kind=ReportKind.DAILY,
        period_from=as_of,
        day=as_of,
        time_zone=definitions.in_force().time_zone,
        made_at=now,
        has_demo=demo.exists(),
        alignment=_score(alignment),
        kpis=_kpis(statuses, alignment, as_of),
        unknown=_unknown(statuses),
        real_time=_real_time(now),
        health=_health(now),
        alerts=tuple(_alert(alert) for alert in alerts.open_alerts()),
        actions=actions(most=TOP_ACTIONS),
        data_quality=_data_quality(),
    )


def _score(alignment: Alignment) -> content.ReportScore:
    trend = tuple(
        content.ReportTrend(
            days_ago=point.days_ago,
            day=point.day,
            then=point.then,
            change=point.change,
            note=point.note,
        )
        for point in alignment.trend
    )
    return content.ReportScore(
        score=alignment.score,
        band=alignment.band,
        coverage=alignment.coverage,
        provisional=alignment.provisional,
        trend=trend,
    )


def _kpis(
    statuses: Sequence[KpiStatus], alignment: Alignment, as_of: date
) -> tuple[content.ReportKpi, ...]:
    histories = readings.histories(first=as_of - timedelta(days=HISTORY_DAYS - 1), last=as_of)
    parts = {part.kpi: part for part in alignment.contributions}
    return tuple(
        _kpi(status, parts[status.kpi.slug].points_lost, histories[status.kpi.slug])
        for status in statuses
    )


def _kpi(
    status: KpiStatus, points_lost: float | None, history: Sequence[Recorded]
) -> content.ReportKpi:
    kpi, measured = status.kpi, status.measurement
    by_day = {
        reading.day: reading.value
        for reading in history
        if reading.status == "ok" and reading.value is not None
    }
    value = measured.value if measured.counts else None
    before = by_day.get(status.as_of - timedelta(days=7))
    return content.ReportKpi(
        kpi=kpi.slug,
        name=kpi.name,
        unit=kpi.unit,
        status=measured.status,
        reason=measured.reason,
        value=measured.value,
        interval=_interval(measured.interval),
        target=status.goal.target,
        attainment=status.attainment,
        severity=status.severity,
        points_lost=points_lost,
        week_before=before,
        change=None if value is None or before is None else value - before,
        history=tuple(value for _, value in sorted(by_day.items())),
    )


def _interval(interval: Interval | None) -> content.ReportInterval | None:
    return content.ReportInterval(low=interval.low, high=interval.high) if interval else None


def _unknown(statuses: Sequence[KpiStatus]) -> tuple[content.UnknownKpi, ...]:
    return tuple(
        content.UnknownKpi(name=status.kpi.name, reason=status.measurement.reason)
        for status in statuses
        if not status.measurement.counts
    )


def _real_time(now: datetime) -> content.ReportRealTime:
    metrics = real_time_metrics(now)
    return content.ReportRealTime(
        active_persons_1h=metrics.activity.active_hour,
        active_persons_24h=metrics.activity.active_day,
        events_per_minute=metrics.activity.events_per_minute,
        workflows_created_24h=metrics.workflows_created,
        suggestions_applied_24h=metrics.suggestions_applied,
        subscriptions_created_24h=metrics.subscriptions_created,
        revenue_24h=dict(sorted(metrics.revenue.items())),
        behind_seconds=metrics.activity.behind.total_seconds(),
    )


def _health(now: datetime) -> content.ReportHealth:
    health = system_health(now)
    return content.ReportHealth(
        health=health.health,
        problems=tuple(
            _problem(component)
            for component in health.components
            if component.health in {Health.WARNING, Health.CRITICAL}
        ),
    )


def _problem(component: Component) -> content.ReportProblem:
    return content.ReportProblem(
        name=component.name,
        health=component.health,
        detail=component.detail,
        since=component.since,
        remedy=component.remedy,
    )


def _alert(alert: Alert) -> content.ReportAlert:
    return content.ReportAlert(
        kind=alert.kind,
        subject=alert.subject,
        name=alert.name,
        severity=Severity(alert.firing),
        since=alert.fired_at,
        detail=alert.latest,
        acknowledged=alert.acknowledged,
        id=alert.pk,
    )


def actions(*, most: int | None = None) -> tuple[content.ReportAction, ...]:
    """Return the active actions, the most important first."""
    return tuple(_action(action) for action in priority_actions.active()[:most])


def _action(action: PriorityAction) -> content.ReportAction:
    return content.ReportAction(
        id=action.pk,
        title=action.title,
        detail=action.detail,
        severity=Severity(action.severity),
        points=action.recoverable,
        people=action.people,
        owner=action.owner.get_username() if action.owner else None,
        due=action.due,
    )


def _data_quality() -> content.ReportQuality:
    quality = data_quality.latest()
    findings = tuple(
        content.ReportFinding(
            check=finding.check.slug,
            name=finding.check.name,
            verdict=finding.verdict,
            affected=finding.affected,
            detail=finding.detail,
            ignored=finding.is_ignored,
        )
        for finding in quality.findings
    )
    return content.ReportQuality(
        at=quality.at, score=quality.score, band=quality.band, findings=findings
    )
