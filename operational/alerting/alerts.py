"""Alerts: readings are judged, changes kept, and people told, all in one transaction.

Whoever checks locks the alerts first, so that every change is seen, and told, exactly once.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from common.formatting import moment
from operational.calculations.alert import (
    AlertState,
    AlertStatus,
    NotificationKind,
    Policy,
    Reading,
    after_notifying,
    judge,
    message,
)
from operational.calculations.kpi import Severity
from operational.messages import deliveries, emails
from operational.models import Alert, AlertChange, Delivery

_UNFINISHED = [AlertStatus.WARNING, AlertStatus.CRITICAL, AlertStatus.PENDING]


@dataclass(frozen=True, slots=True)
class Watched:
    """What an alert is judged by: `latest` says in words what the latest reading is."""

    readings: Sequence[Reading]
    latest: str


@dataclass(frozen=True, slots=True)
class Notification:
    """What people are told of one alert. Texts that do not apply are empty."""

    name: str
    told: NotificationKind
    severity: Severity
    what: str
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
        if self.told is NotificationKind.RESOLVED:
            return f"{self.name}: resolved"
        again = {
            NotificationKind.REMINDER: "still ",
            NotificationKind.WORSE: "now ",
            NotificationKind.BETTER: "now only ",
        }
        return f"{self.name}: {again.get(self.told, '')}{self.severity.value}"


Watch = Callable[[Alert], Watched]
Explain = Callable[[Alert, NotificationKind], Notification]


def check(
    kind: Alert.Kind, watch: Mapping[str, Watch], explain: Explain, *, now: datetime
) -> Sequence[Notification]:
    """Judge the alerts of a kind by what `watch` makes of each subject; return what is told."""
    with transaction.atomic():
        news = []
        for alert in _locked(kind, watch):
            watched, was, policy = watch[alert.subject](alert), _state(alert), policy_of(alert)
            state = judge(was, watched.readings, policy=policy, now=now)
            told = message(state, policy=policy, now=now)
            _adopt(alert, after_notifying(state, now=now) if told else state)
            if state.episode != was.episode:
                alert.fired_at = now
            if not alert.acknowledged:
                alert.acknowledged_by = None
            alert.latest, alert.checked_at = watched.latest, now
            alert.save()
            if told or state.status is not was.status or state.firing is not was.firing:
                _note(alert, was.status, told=told, now=now)
            if told:
                news.append(explain(alert, told))
        if news:
            _tell(news, now=now)
    return news


def _locked(kind: Alert.Kind, subjects: Iterable[str]) -> Sequence[Alert]:
    Alert.objects.bulk_create(
        [Alert(kind=kind, subject=subject) for subject in subjects], ignore_conflicts=True
    )
    rows = Alert.objects.filter(kind=kind, subject__in=list(subjects))
    return list(rows.select_for_update().order_by("pk"))


def policy_of(alert: Alert) -> Policy:
    reminder = timedelta(days=alert.reminder_days) if alert.reminder_days else None
    return Policy(needed=alert.needed, of=alert.of, reminder=reminder)


def _state(alert: Alert) -> AlertState:
    values = {one.name: getattr(alert, one.name) for one in fields(AlertState)}
    values |= {"status": AlertStatus(alert.status)}
    values |= {"firing": Severity(alert.firing), "told": Severity(alert.told)}
    return AlertState(**values)


def _adopt(alert: Alert, state: AlertState) -> None:
    for one in fields(AlertState):
        setattr(alert, one.name, getattr(state, one.name))


def _note(
    alert: Alert,
    was: str,
    *,
    now: datetime,
    told: NotificationKind | None = None,
    detail: str = "",
    by: User | None = None,
) -> AlertChange:
    return AlertChange.objects.create(
        alert=alert,
        at=now,
        was=was,
        status=alert.status,
        told=told or "",
        detail=detail or alert.latest,
        by=by,
    )


def _tell(news: Sequence[Notification], *, now: datetime) -> None:
    """Put everything that happened at once into one message."""
    newest = AlertChange.objects.order_by("-pk").values_list("pk", flat=True)[0]
    text, html = emails.render("alerts", {"news": news, "now": now})
    deliveries.post(
        Delivery.Kind.ALERT,
        f"alert:{newest}",
        deliveries.Message(_subject(news), text, html),
        to=deliveries.watchers(),
        now=now,
    )


def _subject(news: Sequence[Notification]) -> str:
    worst = max(news, key=lambda one: list(Severity).index(one.severity))
    more = f" and {len(news) - 1} more" if len(news) > 1 else ""
    return f"Plumbline: {worst.headline}{more}"


def open_alerts() -> QuerySet[Alert]:
    """Return the alerts that fire, the worst and oldest first."""
    firing = Alert.objects.exclude(firing=Severity.OK)
    return firing.order_by("firing", "fired_at")  # "critical" sorts before "warning"


def acknowledge(alert: Alert, *, by: User, now: datetime) -> None:
    """Say that somebody looks after a firing alert: no more reminders until it gets worse."""
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(pk=alert.pk)
        if alert.firing == Severity.OK or alert.acknowledged:
            return
        alert.acknowledged, alert.acknowledged_by = True, by
        alert.save(update_fields=["acknowledged", "acknowledged_by"])
        _note(alert, alert.status, now=now, detail="Acknowledged.", by=by)


def silence(alert: Alert, *, until: datetime | None, reason: str, by: User, now: datetime) -> None:
    """Tell nobody about an alert until then; None ends a silence."""
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(pk=alert.pk)
        alert.silenced_until, alert.silence_reason = until, reason if until else ""
        alert.save(update_fields=["silenced_until", "silence_reason"])
        detail = f"Silenced until {moment(until)}: {reason}" if until else "Heard again."
        _note(alert, alert.status, now=now, detail=detail, by=by)


def day_order(day: date) -> int:
    """Return a number of a day that grows, for a `Reading`."""
    return day.toordinal()
