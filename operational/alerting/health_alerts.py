"""Health alerts: every component of the system, checked each minute."""

from collections.abc import Sequence
from datetime import datetime

from common.calculations.health import Component, Health, worst
from operational.alerting import alerts
from operational.alerting.alerts import Notification, Observation
from operational.calculations.alert import NotificationKind, Reading, ReadingLevel
from operational.calculations.kpi import Severity
from operational.health.system_health import system_health
from operational.messages.emails import link
from operational.models import Alert, AlertKind

KEPT_READINGS = 10
_LEVELS = {
    Health.OFF: ReadingLevel.OFF,
    Health.OK: ReadingLevel.OK,
    Health.WARNING: ReadingLevel.WARNING,
    Health.CRITICAL: ReadingLevel.CRITICAL,
}
# A part that is switched off is no longer broken.
_WITHOUT_OFF: dict[str, ReadingLevel] = {ReadingLevel.OFF: ReadingLevel.OK}


def check(*, now: datetime) -> Sequence[Notification]:
    """Check and judge every component; return the notifications."""
    components = {component.name: component for component in worst(system_health(now).components)}

    def observe(alert: Alert) -> Observation:
        component = components[alert.subject]
        alert.recent = _recent(alert, _LEVELS[component.health], now)
        readings = [
            Reading(order, ReadingLevel(level), _WITHOUT_OFF.get(level, ReadingLevel(level)))
            for order, level in alert.recent
        ]
        return Observation(readings, component.detail)

    def explain(alert: Alert, kind: NotificationKind) -> Notification:
        return _notification(alert, kind, components[alert.subject])

    return alerts.check(AlertKind.HEALTH, dict.fromkeys(components, observe), explain, now=now)


def _recent(alert: Alert, level: ReadingLevel, now: datetime) -> list[list[int | str]]:
    """Return the latest readings with a new one, which replaces another one of the same minute.

    They are numbered as they are seen, since a clock may be set. The clock of another process that
    checks, too, may be a minute behind.
    """
    last = alert.recent[-1][0] if alert.recent else alert.cleared
    if alert.recent and alert.checked_at and -1 <= _minutes(alert.checked_at, now) <= 0:
        return [*alert.recent[:-1], [last, level]]
    return [*alert.recent, [last + 1, level]][-KEPT_READINGS:]


def _minutes(earlier: datetime, later: datetime) -> int:
    """Return by how many the minute on the clock differs."""
    return int(later.timestamp() // 60 - earlier.timestamp() // 60)


def _notification(alert: Alert, kind: NotificationKind, component: Component) -> Notification:
    is_over = kind is NotificationKind.RESOLVED
    return Notification(
        name=alert.name,
        kind=kind,
        severity=Severity(alert.firing),
        detail=component.detail,
        since=(None if is_over else component.since) or alert.fired_at,
        action="" if is_over else component.remedy,
        link=link(component.page or "operational:system-health"),
    )
