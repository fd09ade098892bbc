"""Health alerts: every part of the system, looked at each minute."""

from collections.abc import Sequence
from datetime import datetime

from common.calculations.health import Component, Health, worst
from operational.alerting import alerts
from operational.alerting.alerts import Notification, Watched
from operational.calculations.alert import NotificationKind, Reading, ReadingLevel
from operational.calculations.kpi import Severity
from operational.health.system_health import system_health
from operational.messages.emails import link
from operational.models import Alert

KEPT_READINGS = 10
_LEVELS = {
    Health.OFF: ReadingLevel.OK,
    Health.OK: ReadingLevel.OK,
    Health.WARNING: ReadingLevel.WARNING,
    Health.CRITICAL: ReadingLevel.CRITICAL,
}


def check(*, now: datetime) -> Sequence[Notification]:
    """Look at every part and judge it; return what people are told."""
    components = {one.name: one for one in worst(system_health(now).components)}
    minute = int(now.timestamp() // 60)

    def watched(alert: Alert) -> Watched:
        component = components[alert.subject]
        before = [one for one in alert.recent if one[0] < minute]
        alert.recent = [*before, [minute, _LEVELS[component.health]]][-KEPT_READINGS:]
        readings = [
            Reading(order, ReadingLevel(level), ReadingLevel(level))
            for order, level in alert.recent
        ]
        return Watched(readings, component.detail)

    def explain(alert: Alert, told: NotificationKind) -> Notification:
        return _news(alert, told, components[alert.subject])

    return alerts.check(Alert.Kind.HEALTH, dict.fromkeys(components, watched), explain, now=now)


def _news(alert: Alert, told: NotificationKind, component: Component) -> Notification:
    is_over = told is NotificationKind.RESOLVED
    return Notification(
        name=alert.name,
        told=told,
        severity=Severity(alert.firing),
        what=component.detail,
        since=(None if is_over else component.since) or alert.fired_at,
        action="" if is_over else component.remedy,
        link=link("operational:system-health"),
    )
