"""What a report says, as plain values that are stored as JSON, shown and e-mailed.

Days are of the time zone in force; texts that begin with `shown` are for people.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from analytics import demo
from analytics.insights import activation, active_users
from analytics.insights.retention import CohortKind, weekly_retention
from analytics.rollups import definitions
from billing.revenue import customer_churn, movements, mrr
from common import formatting
from common.calculations.health import Health
from common.calculations.statistics import Rate
from common.formatting import Unit
from common.read_once import reading_together
from operational.actions import priority_actions
from operational.alerting import alerts
from operational.health.system_health import SystemHealth, system_health
from operational.kpis import readings
from operational.kpis.alignment import Alignment, alignment_score
from operational.kpis.readings import KpiStatus, Recorded, read_kpis
from operational.models import Report
from operational.overview.real_time import RealTime, real_time_metrics
from operational.quality import data_quality

Content = dict[str, Any]

TOP_ACTIONS = 5
HISTORY_DAYS = 30
COHORT_WEEKS = 8
MONTHS = 6


@reading_together()
def make(kind: str, *, now: datetime, as_of: date | None = None) -> Content:
    """Return the report of the period that ends with a complete day, or the last one, read now."""
    as_of = as_of or definitions.last_complete_day(now)
    statuses = read_kpis(as_of=as_of)
    alignment = alignment_score(as_of=as_of, statuses=statuses)
    is_weekly = kind == Report.Kind.WEEKLY
    content: Content = {
        "kind": str(kind),
        "period_from": (as_of - timedelta(days=6) if is_weekly else as_of).isoformat(),
        "day": as_of.isoformat(),
        "time_zone": definitions.in_force().time_zone,
        "made_at": now.isoformat(),
        "has_demo": demo.exists(),
        "alignment": _alignment(alignment),
        "kpis": _kpis(statuses, alignment, as_of),
        "unknown": _unknown(statuses),
        "real_time": _real_time(real_time_metrics(now)),
        "health": _health(system_health(now)),
        "alerts": _alerts(),
        "actions": _actions(None if is_weekly else TOP_ACTIONS),
        "data_quality": _data_quality(),
    }
    if is_weekly:
        content |= _weekly(as_of, statuses)
    return content


def _alignment(alignment: Alignment) -> Content:
    return {
        "score": alignment.score,
        "shown": formatting.points(alignment.score),
        "band": alignment.band.value,
        "coverage": alignment.coverage,
        "provisional": alignment.provisional,
        "trend": [
            {
                "days_ago": point.days_ago,
                "day": point.day.isoformat(),
                "then": point.then,
                "change": point.change,
                "note": point.note,
            }
            for point in alignment.trend
        ],
    }


def _kpis(statuses: Sequence[KpiStatus], alignment: Alignment, as_of: date) -> list[Content]:
    histories = readings.histories(first=as_of - timedelta(days=HISTORY_DAYS - 1), last=as_of)
    parts = {part.kpi: part for part in alignment.contributions}
    return [
        _kpi(status, parts[status.kpi.slug].points_lost, histories[status.kpi.slug], as_of)
        for status in statuses
    ]


def _kpi(
    status: KpiStatus, points_lost: float | None, history: Sequence[Recorded], as_of: date
) -> Content:
    kpi, measured = status.kpi, status.measurement
    by_day = {reading.day: reading.value for reading in history if reading.status == "ok"}
    before = by_day.get(as_of - timedelta(days=7))
    return {
        "kpi": kpi.slug,
        "name": kpi.name,
        "unit": kpi.unit.value,
        "status": measured.status.value,
        "reason": measured.reason,
        "value": measured.value,
        "shown": formatting.figure(measured.value, kpi.unit),
        "shown_interval": _interval(status),
        "target": status.goal.target,
        "shown_target": formatting.figure(status.goal.target, kpi.unit),
        "attainment": status.attainment,
        "severity": status.severity.value if status.severity else None,
        "points_lost": points_lost,
        "week_before": before,
        "shown_change": _change(measured.value if measured.counts else None, before, kpi.unit),
        "history": [value for _, value in sorted(by_day.items())],
    }


def _interval(status: KpiStatus) -> str:
    ends, unit = status.measurement.interval, status.kpi.unit
    return formatting.interval(ends, unit) if ends else ""


def _change(value: float | None, before: float | None, unit: Unit) -> str:
    """Return how a value moved in a week: percentage points for rates."""
    if value is None or before is None:
        return ""
    if unit in {Unit.RATE, Unit.CHANGE}:
        return f"{round(100 * (value - before), 1) or 0.0:+.1f} points"
    return f"{round(value - before, 2) or 0.0:+.2f}"


def _unknown(statuses: Sequence[KpiStatus]) -> list[Content]:
    """Return what is not known, and why: nothing is made up for it."""
    return [
        {"name": one.kpi.name, "why": one.measurement.reason}
        for one in statuses
        if not one.measurement.counts
    ]


def _real_time(metrics: RealTime) -> Content:
    return {
        "active_persons_1h": metrics.activity.active_hour,
        "active_persons_24h": metrics.activity.active_day,
        "events_per_minute": metrics.activity.events_per_minute,
        "workflows_created_24h": metrics.workflows_created,
        "suggestions_applied_24h": metrics.suggestions_applied,
        "subscriptions_created_24h": metrics.subscriptions_created,
        "revenue_24h": dict(metrics.revenue),
        "shown_revenue_24h": [
            formatting.money(amount, currency)
            for currency, amount in sorted(metrics.revenue.items())
        ],
        "behind_seconds": metrics.activity.behind.total_seconds(),
    }


def _health(found: SystemHealth) -> Content:
    wrong = [one for one in found.components if one.health in {Health.WARNING, Health.CRITICAL}]
    return {
        "health": found.health.value,
        "problems": [
            {
                "name": one.name,
                "health": one.health.value,
                "detail": one.detail,
                "since": one.since.isoformat() if one.since else None,
                "remedy": one.remedy,
            }
            for one in wrong
        ],
    }


def _alerts() -> list[Content]:
    return [
        {
            "kind": alert.kind,
            "subject": alert.subject,
            "name": alert.name,
            "severity": alert.firing,
            "since": alert.fired_at.isoformat() if alert.fired_at else None,
            "detail": alert.latest,
            "acknowledged": alert.acknowledged,
            "id": alert.pk,
        }
        for alert in alerts.open_alerts()
    ]


def _actions(most: int | None) -> list[Content]:
    return [
        {
            "id": action.pk,
            "title": action.title,
            "detail": action.detail,
            "severity": action.severity,
            "points": action.recoverable,
            "people": action.people,
            "owner": action.owner.get_username() if action.owner else None,
            "due": action.due.isoformat() if action.due else None,
        }
        for action in priority_actions.active()[:most]
    ]


def _data_quality() -> Content:
    quality = data_quality.latest()
    return {
        "at": quality.at.isoformat() if quality.at else None,
        "score": quality.score,
        "band": quality.band,
        "findings": [
            {
                "check": one.check.slug,
                "name": one.check.name,
                "verdict": one.verdict.value,
                "affected": one.affected,
                "detail": one.detail,
                "ignored": one.is_ignored,
            }
            for one in quality.findings
        ],
    }


def _weekly(as_of: date, statuses: Sequence[KpiStatus]) -> Content:
    return {
        "activation": _activation(as_of),
        "cohorts": _cohorts(as_of),
        "funnel": _funnel(as_of, statuses),
        "revenue": _revenue(as_of),
        "growth": _growth(as_of),
    }


def _activation(as_of: date) -> list[Content]:
    """Return the last weeks of signups that are old enough to have been activated."""
    weeks = []
    for back in range(4, 0, -1):
        last = as_of - timedelta(days=7 * back)
        first = last - timedelta(days=6)
        counts = activation.activation_counts(signups_from=first, signups_to=last)
        rate = Rate(counts.activated, counts.signups).value
        weeks.append(
            {
                "first": first.isoformat(),
                "last": last.isoformat(),
                "signups": counts.signups,
                "activated": counts.activated,
                "rate": rate,
                "shown": formatting.figure(rate, Unit.RATE),
            }
        )
    return weeks


def _cohorts(as_of: date) -> list[Content]:
    cohorts = weekly_retention(
        cohort=CohortKind.SIGNUP,
        weeks=COHORT_WEEKS,
        cohorts_from=as_of - timedelta(weeks=COHORT_WEEKS),
        cohorts_to=None,
        as_of=as_of,
    )
    return [
        {
            "week": cohort.week.isoformat(),
            "size": cohort.size,
            "rates": [
                {
                    "week": one.week,
                    "rate": one.rate.value,
                    "shown": formatting.figure(one.rate.value, Unit.RATE),
                }
                for one in cohort.weeks[1:]
            ],
        }
        for cohort in cohorts
    ]


def _funnel(as_of: date, statuses: Sequence[KpiStatus]) -> Content:
    """Return what became of the signups of the 30 days that end a week before, from counters."""
    last = as_of - timedelta(days=7)
    first = last - timedelta(days=29)
    counts = activation.activation_counts(signups_from=first, signups_to=last)
    d7 = next(one.measurement for one in statuses if one.kpi.slug == "d7_retention")
    steps = [
        ("Signed up", counts.signups),
        ("Activated within 24 hours", counts.activated_quickly),
        ("Activated within 7 days", counts.activated),
    ]
    if d7.numerator is not None:
        steps.append(("Active on day 7", int(d7.numerator)))
    return {
        "signups_from": first.isoformat(),
        "signups_to": last.isoformat(),
        "steps": [
            {
                "name": name,
                "persons": persons,
                "rate": Rate(persons, counts.signups).value,
                "shown": formatting.figure(Rate(persons, counts.signups).value, Unit.RATE),
            }
            for name, persons in steps
        ],
    }


def _revenue(as_of: date) -> Content | None:
    """Return the week's revenue; None where nobody has paid yet."""
    if mrr.first_day() is None:
        return None
    now, churn = mrr.report(as_of=as_of), customer_churn.last_30_days(as_of=as_of)
    week = movements.by_period(
        first=as_of - timedelta(days=6), last=as_of, as_of=as_of, by_month=False
    )
    names = ("new", "reactivation", "expansion", "contraction", "churn")
    moved = {name: sum(getattr(day, name) for day in week) for name in names}
    return {
        "currency": now.currency,
        "mrr": now.mrr,
        "shown_mrr": formatting.money(now.mrr, now.currency),
        "customers": now.customers,
        "arpa": None if now.arpa is None else float(now.arpa),
        "shown_arpa": "" if now.arpa is None else formatting.money(now.arpa, now.currency),
        "movements": moved,
        "shown_movements": {
            name: formatting.money(amount, now.currency) for name, amount in moved.items()
        },
        "change": sum(day.closing - day.opening for day in week),
        "shown_change": formatting.money(
            sum(day.closing - day.opening for day in week), now.currency
        ),
        "churn_rate": churn.rate.value,
        "shown_churn_rate": formatting.figure(churn.rate.value, Unit.RATE),
    }


def _growth(as_of: date) -> list[Content]:
    first = (as_of - timedelta(days=31 * (MONTHS - 1))).replace(day=1)
    months = active_users.active_months(first=first, last=as_of, as_of=as_of)
    return [
        {
            "month": month.start.isoformat(),
            "active": month.active,
            "complete": month.complete,
            "growth": month.growth,
            "shown": formatting.figure(month.growth, Unit.CHANGE),
            "new": month.growth_accounting.new if month.growth_accounting else None,
            "resurrected": month.growth_accounting.resurrected if month.growth_accounting else None,
            "churned": month.growth_accounting.churned if month.growth_accounting else None,
        }
        for month in months
    ]
