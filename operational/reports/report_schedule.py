"""When reports are due: at the hour of the job's schedule, in each recipient's time zone.

Only the period that is due now counts: reports that a long outage skipped are not sent later.
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
from operational.models import Delivery, DeliveryStatus, ReportKind, ReportSubscriber

JOBS = {ReportKind.DAILY: "daily-report", ReportKind.WEEKLY: "weekly-report"}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
PATIENCE = timedelta(minutes=30)  # after which a due report that was not sent is a problem


@dataclass(frozen=True, slots=True)
class Recipient:
    email: str
    time_zone: str
    subscriber: ReportSubscriber | None = None  # None: an address of ADMIN_EMAIL


@dataclass(frozen=True, slots=True)
class DueReport:
    """A report that a recipient should have received by now."""

    kind: ReportKind
    day: date
    recipient: Recipient
    since: datetime

    @property
    def key(self) -> str:
        return f"{key(self.kind, self.day)}:{self.recipient.email}"


def recipients(kind: ReportKind) -> list[Recipient]:
    """Return the recipients of a kind of report: its subscribers, else ADMIN_EMAIL."""
    if not settings.PLUMBLINE_EMAIL_FROM:
        return []
    wanted = [subscriber for subscriber in _subscribers() if getattr(subscriber, kind.value)]
    if wanted:
        return [
            Recipient(subscriber.email, subscriber.time_zone, subscriber) for subscriber in wanted
        ]
    zone = definitions.in_force().time_zone
    return [Recipient(email, zone) for email in settings.ADMIN_EMAIL]


@read_once
def _subscribers() -> Sequence[ReportSubscriber]:
    """Return the subscribers without an account, and those whose account is active."""
    active = ReportSubscriber.objects.filter(Q(user=None) | Q(user__is_active=True))
    return list(active.order_by("email"))


def due(*, now: datetime) -> Iterator[DueReport]:
    """Return the reports that each recipient should have by now: the current period's only."""
    for kind in ReportKind:
        schedule = next((task for task in jobs.schedules() if task.name == JOBS[kind]), None)
        if schedule is None or schedule.crontab is None:
            continue
        for recipient in recipients(kind):
            since = _due_at(schedule, kind, recipient.time_zone, now)
            if since is not None and since >= _first(schedule, recipient):
                yield DueReport(kind, definitions.last_complete_day(since), recipient, since)


def _first(schedule: PeriodicTask, recipient: Recipient) -> datetime:
    """Return the time from which a recipient gets reports; earlier ones were not missed."""
    subscribed = recipient.subscriber.created_at if recipient.subscriber else None
    return max(start for start in (schedule.start_time, subscribed, _LONG_AGO) if start)


def _due_at(
    schedule: PeriodicTask, kind: ReportKind, time_zone: str, now: datetime
) -> datetime | None:
    """Return when today's, or this week's, report was due in a time zone; None if it is not yet.

    Wall clock times are compared without their zone, so a change to summer time neither skips nor
    doubles a morning.
    """
    zone = ZoneInfo(time_zone)
    clock = now.astimezone(zone).replace(tzinfo=None)
    start = datetime.combine(clock.date(), time())
    if kind is ReportKind.WEEKLY:
        start -= timedelta(days=start.weekday())
    due = jobs.next_on_clock(schedule, start - timedelta(seconds=1))
    return due.replace(tzinfo=zone) if due <= clock else None


def overdue(*, now: datetime) -> list[DueReport]:
    """Return the reports that should have been sent by now, and were not."""
    late = [report for report in due(now=now) if report.since + PATIENCE < now]
    deliveries = Delivery.objects.filter(
        key__in=[report.key for report in late], status=DeliveryStatus.SENT
    )
    sent = set(deliveries.values_list("key", flat=True))
    return [report for report in late if report.key not in sent]


def key(kind: ReportKind, day: date) -> str:
    """Return the prefix that the keys of a report's deliveries share."""
    return f"{JOBS[kind]}:{day}"
