"""KPI alerts: the readings of complete days against the thresholds in force."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from analytics.rollups import definitions
from common.calculations.statistics import Interval, Status
from common.formatting import figure, interval, number, percent
from operational.alerting import alerts
from operational.alerting.alerts import Notification, Observation
from operational.calculations import alert as alert_calculations
from operational.calculations.alert import (
    Backtest,
    NotificationKind,
    Reading,
    ReadingLevel,
    level_of,
)
from operational.calculations.catalogue import CATALOGUE, Kpi, KpiGroup
from operational.calculations.kpi import Better, Goal, Severity
from operational.kpis import goals, readings, segments
from operational.kpis.playbooks import PLAYBOOKS
from operational.kpis.readings import Recorded
from operational.messages.emails import link
from operational.models import Alert, AlertKind

BACKTEST_DAYS = 90
LOOKBACK = timedelta(days=31)
_INVALID = {
    Status.NO_DATA: ReadingLevel.NO_DATA,
    Status.LOW_SAMPLE: ReadingLevel.NO_DATA,
    Status.HELD: ReadingLevel.HELD,
}


def check(*, now: datetime) -> Sequence[Notification]:
    """Record and judge the KPIs of the last complete day; return the notifications."""
    last = definitions.last_complete_day(now)
    readings.record_readings(days=[last], now=now)
    histories = readings.histories(first=last - LOOKBACK, last=last)
    in_force = goals.in_force()

    def observe(alert: Alert) -> Observation:
        kpi, goal = CATALOGUE[alert.subject], in_force[alert.subject]
        days = histories[alert.subject]
        judged = judged_readings(days, goal=goal, better=kpi.better, margin=alert.margin)
        return Observation(judged, _in_words(kpi, days[-1]))

    def explain(alert: Alert, kind: NotificationKind) -> Notification:
        slug = alert.subject
        return _notification(alert, kind, goal=in_force[slug], days=histories[slug])

    return alerts.check(AlertKind.KPI, dict.fromkeys(CATALOGUE, observe), explain, now=now)


def judged_readings(
    days: Sequence[Recorded], *, goal: Goal, better: Better, margin: float
) -> list[Reading]:
    """Return the levels of complete days by a goal, oldest first."""
    judged = []
    for day in days:
        level = level_with_margin = _INVALID.get(Status(day.status), ReadingLevel.NO_DATA)
        if day.status == Status.OK and day.value is not None:
            level = level_of(day.value, goal=goal, better=better)
            level_with_margin = level_of(day.value, goal=goal, better=better, margin=margin)
        judged.append(Reading(alerts.day_order(day.day), level, level_with_margin))
    return judged


def backtest(*, goal: Goal, as_of: date) -> Backtest:
    """Return what a KPI's alert would have done in 90 days with a goal not yet in force."""
    kpi = CATALOGUE[goal.kpi]
    alert = Alert.objects.filter(kind=AlertKind.KPI, subject=kpi.slug).first() or Alert()
    first = as_of - timedelta(days=BACKTEST_DAYS - 1)
    days = readings.histories(first=first, last=as_of)[kpi.slug]
    judged = judged_readings(days, goal=goal, better=kpi.better, margin=alert.margin)
    return alert_calculations.backtest(judged, policy=alerts.policy_of(alert))


def _notification(
    alert: Alert, kind: NotificationKind, *, goal: Goal, days: Sequence[Recorded]
) -> Notification:
    kpi, latest = CATALOGUE[alert.subject], days[-1]
    is_over = kind is NotificationKind.RESOLVED
    playbook = PLAYBOOKS[kpi.slug]
    has_people = KpiGroup.MISSED in kpi.people
    page = link("operational:kpi", kpi.slug)
    group = segments.lost_group(kpi)
    return Notification(
        name=kpi.name,
        kind=kind,
        severity=Severity(alert.firing),
        detail=f"{_in_words(kpi, latest)}, as of {latest.day}.",
        since=alert.fired_at,
        threshold=_threshold(kpi, goal),
        trend=_trend(kpi, days),
        segment="" if is_over else _segment(kpi, latest.day),
        action="" if is_over else playbook.title,
        steps=() if is_over else playbook.steps,
        link=page,
        people_link=f"{page}?group={group}#persons" if has_people and not is_over else "",
    )


def _in_words(kpi: Kpi, reading: Recorded) -> str:
    """Return a reading in words: "18.2 % (16.0 – 20.6 %)", or why it has no value."""
    if reading.value is None:
        return reading.reason or "There is no value."
    ends = ""
    if reading.low is not None and reading.high is not None:
        ends = f" ({interval(Interval(reading.low, reading.high), kpi.unit)})"
    why = f": {reading.reason}" if reading.status != Status.OK and reading.reason else ""
    return f"{figure(reading.value, kpi.unit)}{ends}{why}"


def _threshold(kpi: Kpi, goal: Goal) -> str:
    worse = "below" if kpi.better is Better.HIGHER else "above"
    parts = [
        f"{name} {worse} {figure(value, kpi.unit)}"
        for name, value in [("warning", goal.warning), ("critical", goal.critical)]
        if value is not None
    ]
    return f"{', '.join(parts)}; target {figure(goal.target, kpi.unit)}" if parts else ""


def _trend(kpi: Kpi, days: Sequence[Recorded]) -> str:
    by_day = {reading.day: reading.value for reading in days if reading.value is not None}
    last = days[-1].day
    earlier = [(ago, by_day.get(last - timedelta(days=ago))) for ago in (1, 7, 30)]
    parts = [
        f"{figure(value, kpi.unit)} {'the day' if ago == 1 else f'{ago} days'} before"
        for ago, value in earlier
        if value is not None
    ]
    return ", ".join(parts)


def _segment(kpi: Kpi, as_of: date) -> str:
    worst = segments.worst_segment(kpi.slug, as_of=as_of)
    if not worst:
        return ""
    segment, overall = worst
    label = kpi.people[segments.lost_group(kpi)]
    return (
        f"{segment.by} {segment.value}: {percent(segment.rate, 0)} of {number(segment.size)},"
        f" {percent(overall, 0)} overall ({label[0].lower()}{label[1:]})"
    )
