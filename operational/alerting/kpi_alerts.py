"""KPI alerts: the readings of complete days against the thresholds in force."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from analytics.rollups import definitions
from common.calculations.statistics import Interval, Status
from common.formatting import figure, interval, number, percent
from operational.alerting import alerts
from operational.alerting.alerts import Notification, Watched
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
from operational.models import Alert

BACKTEST_DAYS = 90
LOOKS_BACK = timedelta(days=31)
_UNKNOWN = {
    Status.NO_DATA: ReadingLevel.NO_DATA,
    Status.LOW_SAMPLE: ReadingLevel.NO_DATA,
    Status.HELD: ReadingLevel.HELD,
}


def check(*, now: datetime) -> Sequence[Notification]:
    """Read the KPIs of the last complete day and judge every one; return what people are told."""
    last = definitions.last_complete_day(now)
    readings.record_readings(days=[last], now=now)
    histories = readings.histories(first=last - LOOKS_BACK, last=last)
    in_force = goals.in_force()

    def watched(alert: Alert) -> Watched:
        kpi, goal, days = (
            CATALOGUE[alert.subject],
            in_force[alert.subject],
            histories[alert.subject],
        )
        judged = judged_readings(days, goal=goal, better=kpi.better, margin=alert.margin)
        return Watched(judged, _said(kpi, days[-1]))

    def explain(alert: Alert, told: NotificationKind) -> Notification:
        slug = alert.subject
        return _news(alert, told, goal=in_force[slug], days=histories[slug])

    watch = dict.fromkeys(CATALOGUE, watched)
    return alerts.check(Alert.Kind.KPI, watch, explain, now=now)


def judged_readings(
    days: Sequence[Recorded], *, goal: Goal, better: Better, margin: float
) -> list[Reading]:
    """Return what the readings of complete days say by a goal, oldest first."""
    judged = []
    for day in days:
        level = eased = _UNKNOWN.get(Status(day.status), ReadingLevel.NO_DATA)
        if day.status == Status.OK and day.value is not None:
            level = level_of(day.value, goal=goal, better=better)
            eased = level_of(day.value, goal=goal, better=better, margin=margin)
        judged.append(Reading(alerts.day_order(day.day), level, eased))
    return judged


def backtest(*, goal: Goal, as_of: date) -> Backtest:
    """Return what the alert of a KPI would have done in 90 days with a goal not yet in force."""
    kpi = CATALOGUE[goal.kpi]
    alert = Alert.objects.filter(kind=Alert.Kind.KPI, subject=kpi.slug).first() or Alert()
    first = as_of - timedelta(days=BACKTEST_DAYS - 1)
    days = readings.histories(first=first, last=as_of)[kpi.slug]
    judged = judged_readings(days, goal=goal, better=kpi.better, margin=alert.margin)
    return alert_calculations.backtest(judged, policy=alerts.policy_of(alert))


def _news(
    alert: Alert, told: NotificationKind, *, goal: Goal, days: Sequence[Recorded]
) -> Notification:
    kpi, latest = CATALOGUE[alert.subject], days[-1]
    is_over = told is NotificationKind.RESOLVED
    playbook = PLAYBOOKS[kpi.slug]
    has_people = KpiGroup.MISSED in kpi.people
    page = link("operational:kpi", kpi.slug)
    group = KpiGroup.MISSED if kpi.better is Better.HIGHER else KpiGroup.NUMERATOR
    return Notification(
        name=kpi.name,
        told=told,
        severity=Severity(alert.firing),
        what=f"{_said(kpi, latest)}, as of {latest.day}.",
        since=alert.fired_at,
        threshold=_threshold(kpi, goal),
        trend=_trend(kpi, days),
        segment="" if is_over else _segment(kpi, latest.day),
        action="" if is_over else playbook.title,
        steps=() if is_over else playbook.steps,
        link=page,
        people_link=f"{page}?group={group}#persons" if has_people and not is_over else "",
    )


def _said(kpi: Kpi, reading: Recorded) -> str:
    """Return a reading in words: "18.2 % (16.0 – 20.6 %)", or why there is none."""
    if reading.value is None:
        return reading.reason or "There is no value."
    ends = None
    if reading.low is not None and reading.high is not None:
        ends = Interval(reading.low, reading.high)
    between = f" ({interval(ends, kpi.unit)})" if ends else ""
    why = f": {reading.reason}" if reading.status != Status.OK and reading.reason else ""
    return f"{figure(reading.value, kpi.unit)}{between}{why}"


def _threshold(kpi: Kpi, goal: Goal) -> str:
    worse = "below" if kpi.better is Better.HIGHER else "above"
    named = [("warning", goal.warning), ("critical", goal.critical)]
    said = [
        f"{name} {worse} {figure(value, kpi.unit)}" for name, value in named if value is not None
    ]
    return f"{', '.join(said)}; target {figure(goal.target, kpi.unit)}" if said else ""


def _trend(kpi: Kpi, days: Sequence[Recorded]) -> str:
    by_day = {one.day: one.value for one in days if one.value is not None}
    last = days[-1].day
    before = [(ago, by_day.get(last - timedelta(days=ago))) for ago in (1, 7, 30)]
    said = [
        f"{figure(value, kpi.unit)} {'the day' if ago == 1 else f'{ago} days'} before"
        for ago, value in before
        if value is not None
    ]
    return ", ".join(said)


def _segment(kpi: Kpi, as_of: date) -> str:
    found = segments.worst_segment(kpi.slug, as_of=as_of)
    if not found:
        return ""
    segment, overall = found
    group = KpiGroup.MISSED if kpi.better is Better.HIGHER else KpiGroup.NUMERATOR
    label = kpi.people[group]
    return (
        f"{segment.by} {segment.value}: {percent(segment.rate, 0)} of {number(segment.size)},"
        f" of all {percent(overall, 0)} ({label[0].lower()}{label[1:]})"
    )
