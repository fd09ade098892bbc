"""Daily and weekly reports: made once for each period, sent in each recipient's own morning."""

import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import cast

from django.conf import settings
from django.core import signing
from django.db.models import Q
from django.db.models.lookups import Exact

from analytics.rollups import definitions
from common import formatting
from common.calculations.mailbox import lower_ascii
from common.postgres import LowerAscii
from operational.messages import deliveries, emails
from operational.messages.deliveries import Message
from operational.models import Delivery, DeliveryKind, Report, ReportKind, ReportSubscriber
from operational.reports import making
from operational.reports.content import DailyReport
from operational.reports.report_schedule import DueReport, Recipient, due, key, recipients

logger = logging.getLogger(__name__)

USEFUL = {ReportKind.DAILY: timedelta(hours=20), ReportKind.WEEKLY: timedelta(days=5)}
_DELIVERY = {
    ReportKind.DAILY: DeliveryKind.DAILY_REPORT,
    ReportKind.WEEKLY: DeliveryKind.WEEKLY_REPORT,
}
_SALT = "report-subscription"


class NoRecipients(Exception):
    """A report has no recipients."""


def send_due(*, now: datetime) -> int:
    """Queue the due reports that were not queued yet; return how many.

    One that cannot be made is raised once the others are queued.
    """
    reports = list(due(now=now))
    keys = [report.key for report in reports]
    posted = set(Delivery.objects.filter(key__in=keys).values_list("key", flat=True))
    missing = [report for report in reports if report.key not in posted]
    errors = []
    for report in missing:
        try:
            _post(report, now=now)
        except Exception as error:
            logger.exception("The %s report could not be made", report.kind.value)
            errors.append(error)
    deliveries.send_soon()
    if errors:
        raise errors[0]
    return len(missing)


def send_now(kind: ReportKind, *, now: datetime) -> list[Delivery]:
    """Queue the last complete period's report to the recipients who do not have it yet.

    Return the deliveries to all recipients; those that failed or wait are due at once. Raise
    `NoRecipients` if there are none.
    """
    day = making.last_day(kind, now=now)
    reports = [DueReport(kind, day, recipient, now) for recipient in recipients(kind)]
    if not reports:
        raise NoRecipients(
            f"The {kind.value} report has no recipients: set PLUMBLINE_EMAIL_FROM and ADMIN_EMAIL,"
            " or add a subscriber."
        )
    for report in reports:
        _post(report, now=now)
    keys = [report.key for report in reports]
    deliveries.retry(keys, now=now, expires_at=now + USEFUL[kind])
    deliveries.send_soon()
    return list(Delivery.objects.filter(key__in=keys).order_by("pk"))


def post_test(kind: ReportKind, email: str, *, now: datetime) -> None:
    """Queue a report as of now to an address."""
    report = making.make(kind, now=now)
    deliveries.post_test(email, _message(report, None, is_test=True), now=now)


def _post(due_report: DueReport, *, now: datetime) -> None:
    kind, day = due_report.kind, due_report.day
    report = making.from_json(of_period(kind, day, now=now).content)
    deliveries.post(
        _DELIVERY[kind],
        key(kind, day),
        _message(report, due_report.recipient),
        to=[due_report.recipient.email],
        now=now,
        expires_at=due_report.since + USEFUL[kind],
    )


def of_period(kind: ReportKind, day: date, *, now: datetime) -> Report:
    """Return the report of the period that ends with a complete day; make it if it is missing."""
    if existing := Report.objects.filter(kind=kind, day=day).first():
        return existing
    content = making.as_json(making.make(kind, now=now, as_of=day))
    report, _ = Report.objects.get_or_create(
        kind=kind, day=day, defaults={"made_at": now, "content": content}
    )
    return report


def _message(report: DailyReport, recipient: Recipient | None, *, is_test: bool = False) -> Message:
    headers, unsubscribe = {}, ""
    if recipient:
        unsubscribe = emails.link("operational:unsubscribe", token(recipient, report.kind))
        headers = {
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    text, html = rendered(report, unsubscribe=unsubscribe)
    return Message(subject(report, is_test=is_test), text, html, headers)


def rendered(report: DailyReport, *, unsubscribe: str = "") -> tuple[str, str]:
    """Return a report as text and as HTML."""
    return emails.render("report", {"report": report, "unsubscribe": unsubscribe})


def subject(report: DailyReport, *, is_test: bool = False) -> str:
    """Return a subject with the key facts: "Daily report of 2026-03-31: alignment 73.0"."""
    score = report.alignment.score
    facts = "no score yet" if score is None else f"alignment {formatting.points(score)}"
    if report.alerts:
        facts += f", {formatting.counted(len(report.alerts), 'alert')}"
    test = "Test: " if is_test else ""
    return f"{test}{report.kind.capitalize()} report of {report.day}: {facts}"


def token(recipient: Recipient, kind: str) -> str:
    """Return the token of an unsubscribe link; it cannot be guessed and does not expire."""
    to = recipient.subscriber.pk if recipient.subscriber else recipient.email
    return signing.dumps([to, kind], salt=_SALT)


def subscription(unsubscribe_token: str) -> tuple[ReportSubscriber, ReportKind] | None:
    """Return the subscriber and the report of a token; None if the token is not valid.

    An address of ADMIN_EMAIL without a row of its own is a subscriber that is not saved yet.
    """
    try:
        to, kind = cast("tuple[int | str, str]", signing.loads(unsubscribe_token, salt=_SALT))
    except signing.BadSignature:
        return None
    is_own = _has_address(to) if isinstance(to, str) else Q(pk=to)
    subscriber = ReportSubscriber.objects.filter(is_own).first()
    if subscriber is None and to in settings.ADMIN_EMAIL:
        zone = definitions.in_force().time_zone
        subscriber = ReportSubscriber(email=str(to), time_zone=zone)
    return (subscriber, ReportKind(kind)) if subscriber else None


def set_subscribed(subscriber: ReportSubscriber, kind: ReportKind, *, wanted: bool) -> None:
    ReportSubscriber.objects.bulk_create([subscriber], ignore_conflicts=True)
    same = ReportSubscriber.objects.filter(_has_address(subscriber.email))
    same.update(**{kind.value: wanted})


def _has_address(email: str) -> Q:
    return Q(Exact(LowerAscii("email"), lower_ascii(email)))


def archive() -> Sequence[Report]:
    """Return the last reports, newest first, without their content."""
    return list(Report.objects.order_by("-day", "kind").defer("content")[:200])
