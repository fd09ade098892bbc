"""When reports are due: at the hour of the job's schedule, on each recipient's own clock.

Only the period that is due counts: what a long outage made everybody miss stays unsent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django_celery_beat.models import PeriodicTask

from analytics.rollups import definitions
from common.read_once import read_once
from operational.health import jobs
from operational.models import Delivery, Report, ReportSubscriber

Kind = Report.Kind
JOBS = {Kind.DAILY: "daily-report", Kind.WEEKLY: "weekly-report"}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
PATIENCE = timedelta(minutes=30)  # after which a report that is not out is a problem


@dataclass(frozen=True, slots=True)
class Recipient:
    email: str
    time_zone: str
    subscriber: ReportSubscriber | None = None  # None: an address of ADMIN_EMAIL


@dataclass(frozen=True, slots=True)
class Due:
    """A report that a recipient should have by now."""

    kind: Kind
    day: date
    recipient: Recipient
    since: datetime

    @property
    def key(self) -> str:
        return f"{key(self.kind, self.day)}:{self.recipient.email}"


def recipients(kind: Kind) -> list[Recipient]:
    """Return who gets a kind of report: the subscribers, and ADMIN_EMAIL where there are none."""
    if not settings.PLUMBLINE_EMAIL_FROM:
        return []
    wanted = [one for one in _subscribers() if getattr(one, kind.value)]
    if wanted:
        return [Recipient(one.email, one.time_zone, one) for one in wanted]
    zone = definitions.in_force().time_zone
    return [Recipient(email, zone) for email in settings.ADMIN_EMAIL]


@read_once
def _subscribers() -> Sequence[ReportSubscriber]:
    """Return whose account, if they have one, is not switched off."""
    active = ReportSubscriber.objects.filter(Q(user=None) | Q(user__is_active=True))
    return list(active.order_by("email"))


def due(*, now: datetime) -> Iterator[Due]:
    """Return the reports that everybody should have by now; one a period, none of the past."""
    for kind in Kind:
        schedule = next((one for one in jobs.schedules() if one.name == JOBS[kind]), None)
        if schedule is None or schedule.crontab is None:
            continue
        for recipient in recipients(kind):
            since = _due_at(schedule, kind, recipient.time_zone, now)
            if since is not None and since >= _first(schedule, recipient):
                yield Due(kind, definitions.last_complete_day(since), recipient, since)


def _first(schedule: PeriodicTask, recipient: Recipient) -> datetime:
    """Return since when a recipient gets reports: nobody missed what was before."""
    subscribed = recipient.subscriber.created_at if recipient.subscriber else None
    return max(one for one in (schedule.start_time, subscribed, _LONG_AGO) if one)


def _due_at(schedule: PeriodicTask, kind: Kind, time_zone: str, now: datetime) -> datetime | None:
    """Return when the report of today, or of this week, is due on a recipient's clock, if it is.

    Wall clocks are compared without their zone, so a change to summer time neither skips nor
    doubles a morning.
    """
    zone = ZoneInfo(time_zone)
    clock = now.astimezone(zone).replace(tzinfo=None)
    start = datetime.combine(clock.date(), time())
    if kind is Kind.WEEKLY:
        start -= timedelta(days=start.weekday())
    due = jobs.next_on_clock(schedule, start - timedelta(seconds=1))
    return due.replace(tzinfo=zone) if due <= clock else None


def overdue(*, now: datetime) -> list[Due]:
    """Return the reports that should be out by now, and are not."""
    late = [one for one in due(now=now) if one.since + PATIENCE < now]
    sent = set(
        Delivery.objects.filter(
            key__in=[one.key for one in late], status=Delivery.Status.SENT
        ).values_list("key", flat=True)
    )
    return [one for one in late if one.key not in sent]


def key(kind: Kind, day: date) -> str:
    """Return what the deliveries of a report have in common."""
    return f"{JOBS[kind]}:{day}"
