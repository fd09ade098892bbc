"""Alerts: one transaction judges readings, records changes and queues notifications.

A check locks the alerts first, so that every change is recorded, and notified, exactly once. An
alert that cannot be judged keeps its state, and the reason as its `problem`; the others go ahead.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from common.formatting import error_line, utc_moment
from operational.calculations.alert import (
    AlertState,
    AlertStatus,
    NotificationKind,
    Policy,
    Reading,
    after_notifying,
    judge,
    notification_due,
)
from operational.calculations.kpi import Severity
from operational.messages import deliveries, emails
from operational.models import Alert, AlertChange, AlertKind, DeliveryKind

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Observation:
    """What an alert is judged by; `latest` describes the latest reading in words."""

    readings: Sequence[Reading]
    latest: str


@dataclass(frozen=True, slots=True)
class Notification:
    """What people are notified of about one alert. Texts that do not apply are empty."""

    name: str
    kind: NotificationKind
    severity: Severity
    detail: str
    since: datetime | None
    threshold: str = ""
    trend: str = ""
    segment: str = ""
    action: str = ""
    steps: tuple[str, ...] = ()
    link: str = ""
    people_link: str = ""

    @property
    def headline(self) -> str:
        if self.kind is NotificationKind.RESOLVED:
            return f"{self.name}: resolved"
        prefixes = {
            NotificationKind.REMINDER: "still ",
            NotificationKind.WORSE: "now ",
            NotificationKind.BETTER: "now only ",
        }
        return f"{self.name}: {prefixes.get(self.kind, '')}{self.severity.value}"


Observe = Callable[[Alert], Observation]
Explain = Callable[[Alert, NotificationKind], Notification]


def check(
    alert_kind: AlertKind, observe: Mapping[str, Observe], explain: Explain, *, now: datetime
) -> Sequence[Notification]:
    """Judge the alerts of a kind by what `observe` returns for each subject; notify of changes."""
    with transaction.atomic():
        notifications = []
        for alert in _locked_alerts(alert_kind, observe):
            kind = _judged_alone(alert, observe[alert.subject], now=now)
            if kind:
                notifications.append(_explained(alert, kind, explain))
        if notifications:
            _notify(notifications, now=now)
    return notifications


def _judged_alone(alert: Alert, observe: Observe, *, now: datetime) -> NotificationKind | None:
    """Judge an alert; if that fails, change nothing but its `problem`."""
    try:
        with transaction.atomic():
            return _judge(alert, observe(alert), now=now)
    except Exception as error:
        logger.exception("The alert on %s could not be checked", alert.subject)
        Alert.objects.filter(pk=alert.pk).update(problem=error_line(error))
        return None


def _explained(alert: Alert, kind: NotificationKind, explain: Explain) -> Notification:
    """Explain a notification; if that fails, notify without the explanation."""
    try:
        with transaction.atomic():
            return explain(alert, kind)
    except Exception:
        logger.exception("The alert on %s could not be explained", alert.subject)
        return Notification(
            name=alert.name,
            kind=kind,
            severity=Severity(alert.firing),
            detail=alert.latest,
            since=alert.fired_at,
        )


def _judge(alert: Alert, observation: Observation, *, now: datetime) -> NotificationKind | None:
    """Save the alert as its readings leave it; return which notification is due."""
    was, policy = _state(alert), policy_of(alert)
    state = judge(was, observation.readings, policy=policy, now=now)
    kind = notification_due(state, policy=policy, now=now)
    _adopt(alert, after_notifying(state, now=now) if kind else state)
    if state.episode != was.episode:
        alert.fired_at = now
    if not alert.acknowledged:
        alert.acknowledged_by = None
    alert.latest, alert.checked_at, alert.problem = observation.latest, now, ""
    alert.save()
    if kind or state.status is not was.status or state.firing is not was.firing:
        _record(alert, was.status, notification=kind, now=now)
    return kind


def _locked_alerts(kind: AlertKind, subjects: Iterable[str]) -> Sequence[Alert]:
    Alert.objects.bulk_create(
        [Alert(kind=kind, subject=subject) for subject in subjects], ignore_conflicts=True
    )
    rows = Alert.objects.filter(kind=kind, subject__in=list(subjects))
    return list(rows.select_for_update().order_by("pk"))


def policy_of(alert: Alert) -> Policy:
    reminder = timedelta(days=alert.reminder_days) if alert.reminder_days else None
    return Policy(needed=alert.needed, window=alert.window, reminder=reminder)


def _state(alert: Alert) -> AlertState:
    values = {field.name: getattr(alert, field.name) for field in fields(AlertState)}
    values |= {"status": AlertStatus(alert.status), "firing": Severity(alert.firing)}
    values |= {"notified_severity": Severity(alert.notified_severity)}
    return AlertState(**values)


def _adopt(alert: Alert, state: AlertState) -> None:
    for field in fields(AlertState):
        setattr(alert, field.name, getattr(state, field.name))


def _record(
    alert: Alert,
    was: str,
    *,
    now: datetime,
    notification: NotificationKind | None = None,
    detail: str = "",
    by: User | None = None,
) -> AlertChange:
    return AlertChange.objects.create(
        alert=alert,
        at=now,
        was=was,
        status=alert.status,
        notification=notification or "",
        detail=detail or alert.latest,
        by=by,
    )


def _notify(notifications: Sequence[Notification], *, now: datetime) -> None:
    """Queue one message with everything that changed at once."""
    newest = AlertChange.objects.order_by("-pk").values_list("pk", flat=True)[0]
    text, html = emails.render("alerts", {"notifications": notifications, "now": now})
    deliveries.post(
        DeliveryKind.ALERT,
        f"alert:{newest}",
        deliveries.Message(_subject(notifications), text, html),
        to=deliveries.alert_recipients(),
        now=now,
    )


def _subject(notifications: Sequence[Notification]) -> str:
    order = list(Severity)
    worst = max(notifications, key=lambda notification: order.index(notification.severity))
    more = f" and {len(notifications) - 1} more" if len(notifications) > 1 else ""
    return f"Plumbline: {worst.headline}{more}"


def open_alerts() -> QuerySet[Alert]:
    """Return the firing alerts, the worst and oldest first."""
    firing = Alert.objects.exclude(firing=Severity.OK)
    return firing.order_by("firing", "fired_at")  # "critical" sorts before "warning"


def has_checked(kind: AlertKind) -> bool:
    """Return whether alerts of a kind were ever checked."""
    return Alert.objects.filter(kind=kind, checked_at__isnull=False).exists()


def acknowledge(alert: Alert, *, by: User, now: datetime) -> None:
    """Acknowledge a firing alert: no more reminders until it gets worse."""
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(pk=alert.pk)
        if alert.firing == Severity.OK or alert.acknowledged:
            return
        alert.acknowledged, alert.acknowledged_by = True, by
        alert.save(update_fields=["acknowledged", "acknowledged_by"])
        _record(alert, alert.status, now=now, detail="Acknowledged.", by=by)


def silence(alert: Alert, *, until: datetime | None, reason: str, by: User, now: datetime) -> None:
    """Send no notifications of an alert until then; None ends a silence."""
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(pk=alert.pk)
        alert.silenced_until, alert.silence_reason = until, reason if until else ""
        alert.save(update_fields=["silenced_until", "silence_reason"])
        detail = "Silence ended."
        if until:
            detail = f"Silenced until {utc_moment(until)}: {reason}"
        _record(alert, alert.status, now=now, detail=detail, by=by)


def day_order(day: date) -> int:
    """Return a number that increases by day, for a `Reading`."""
    return day.toordinal()
