"""When reports are due: at the hour of the job's schedule, in each recipient's time zone.

Only the period that is due now counts: reports that a long outage skipped are not sent later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django_celery_beat.models import PeriodicTask

from analytics.rollups import definitions
from common.calculations.calendar import is_time_zone
from common.calculations.mailbox import lower_ascii
from common.read_once import read_once
from operational.health import schedules
from operational.messages import deliveries
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
        return deliveries.delivery_key(key(self.kind, self.day), self.recipient.email)


def recipients(kind: ReportKind) -> list[Recipient]:
    """Return who gets a kind of report: its subscribers, and ADMIN_EMAIL if no one else does.

    An address that unsubscribed gets none. Addresses are equal whatever their case.
    """
    if not settings.PLUMBLINE_EMAIL_FROM:
        return []
    company_zone = definitions.in_force().time_zone
    wanted: dict[str, Recipient] = {}
    declined = set()
    for subscriber in _subscribers():
        address = lower_ascii(subscriber.email)
        if not getattr(subscriber, kind.value):
            declined.add(address)
        elif subscriber.user is None or subscriber.user.is_active:
            zone = subscriber.time_zone if is_time_zone(subscriber.time_zone) else company_zone
            wanted[address] = Recipient(subscriber.email, zone, subscriber)
    admins = {lower_ascii(email): Recipient(email, company_zone) for email in settings.ADMIN_EMAIL}
    if wanted.keys() <= admins.keys():
        wanted = {address: admins[address] for address in admins.keys() - declined} | wanted
    return [wanted[address] for address in sorted(wanted)]


@read_once
def _subscribers() -> Sequence[ReportSubscriber]:
    return list(ReportSubscriber.objects.select_related("user"))


def due(*, now: datetime) -> Iterator[DueReport]:
    """Return the reports that each recipient should have by now: the current period's only."""
    for kind in ReportKind:
        schedule = next((task for task in schedules.schedules() if task.name == JOBS[kind]), None)
        if schedule is None or schedule.crontab is None:
            continue
        for recipient in recipients(kind):
            try:
                report = _due(schedule, kind, recipient, now)
            except schedules.CannotFire:  # System health names it
                break
            if report.since <= now and report.since >= _first(schedule, recipient):
                yield report


def unusable() -> list[str]:
    """Return the enabled schedules of reports that have no time of day, so that none is due."""
    names = JOBS.values()
    return [task.name for task in schedules.schedules() if task.name in names and not task.crontab]


def _first(schedule: PeriodicTask, recipient: Recipient) -> datetime:
    """Return the time from which a recipient gets reports; earlier ones were not missed."""
    subscribed = recipient.subscriber.created_at if recipient.subscriber else None
    return max(start for start in (schedule.start_time, subscribed, _LONG_AGO) if start)


def _due(
    schedule: PeriodicTask, kind: ReportKind, recipient: Recipient, now: datetime
) -> DueReport:
    """Return today's, or this week's, report of a recipient; it may be due later.

    Wall clock times are compared without their zone, so a change to summer time neither skips nor
    doubles a morning. A week is over when it is over for the company.
    """
    zone = ZoneInfo(recipient.time_zone)
    start = datetime.combine(now.astimezone(zone).date(), time())
    if kind is ReportKind.WEEKLY:
        start -= timedelta(days=start.weekday())
    since = schedules.next_on_clock(schedule, start - timedelta(seconds=1)).replace(tzinfo=zone)
    if kind is ReportKind.DAILY:
        return DueReport(kind, definitions.last_complete_day(since), recipient, since)
    since = max(since, definitions.calendar().midnight(start.date()))
    return DueReport(kind, start.date() - timedelta(days=1), recipient, since)


def overdue(*, now: datetime) -> list[DueReport]:
    """Return the reports that should have been sent by now, and were not."""
    late = [report for report in due(now=now) if report.since + PATIENCE < now]
    sent_ones = Delivery.objects.filter(
        key__in=[report.key for report in late], status=DeliveryStatus.SENT
    )
    sent = set(sent_ones.values_list("key", flat=True))
    return [report for report in late if report.key not in sent]


def key(kind: ReportKind, day: date) -> str:
    """Return the prefix that the keys of a report's deliveries share."""
    return f"{JOBS[kind]}:{day}"
