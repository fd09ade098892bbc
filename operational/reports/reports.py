"""Daily and weekly reports: made once for each period, sent on everybody's own morning."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import cast

from django.core import signing

from analytics.rollups import definitions
from operational.messages import deliveries, emails
from operational.messages.deliveries import Message
from operational.models import Delivery, Report, ReportSubscriber
from operational.reports import report_content
from operational.reports.report_content import Content
from operational.reports.report_schedule import Due, Kind, due, key, recipients

USEFUL = {Kind.DAILY: timedelta(hours=20), Kind.WEEKLY: timedelta(days=5)}
_DELIVERY = {Kind.DAILY: Delivery.Kind.DAILY_REPORT, Kind.WEEKLY: Delivery.Kind.WEEKLY_REPORT}
_SALT = "report-subscription"


def send_due(*, now: datetime) -> int:
    """Send what is due and was not sent; return how many messages were posted."""
    waiting = list(due(now=now))
    known = set(
        Delivery.objects.filter(key__in=[one.key for one in waiting]).values_list("key", flat=True)
    )
    missing = [one for one in waiting if one.key not in known]
    for one in missing:
        _post(one, now=now)
    deliveries.send_due(now=now)
    return len(missing)


def send_now(kind: Kind, *, now: datetime) -> list[Delivery]:
    """Send the report of the last complete period to everybody who does not have it yet."""
    day = definitions.last_complete_day(now)
    for one in recipients(kind):
        _post(Due(kind, day, one, now), now=now)
    deliveries.send_due(now=now)
    sent = f"{key(kind, day)}:"
    return list(Delivery.objects.filter(key__startswith=sent).order_by("pk"))


def send_test(kind: Kind, email: str, *, now: datetime) -> str:
    """Send a report as of now to one address; return why it failed, or an empty text."""
    content = report_content.make(kind, now=now)
    return deliveries.send_message(_message(content, None, is_test=True), email, now=now)


def _post(one: Due, *, now: datetime) -> None:
    report = of_period(one.kind, one.day, now=now)
    deliveries.post(
        _DELIVERY[one.kind],
        key(one.kind, one.day),
        _message(report.content, one.recipient.subscriber),
        to=[one.recipient.email],
        now=now,
        expires_at=one.since + USEFUL[one.kind],
    )


def of_period(kind: Kind, day: date, *, now: datetime) -> Report:
    """Return the report of the period that ends with a complete day, as it was first made."""
    if found := Report.objects.filter(kind=kind, day=day).first():
        return found
    content = report_content.make(kind, now=now, as_of=day)
    report, _ = Report.objects.get_or_create(
        kind=kind, day=day, defaults={"made_at": now, "content": content}
    )
    return report


def _message(
    content: Content, subscriber: ReportSubscriber | None, *, is_test: bool = False
) -> Message:
    headers, unsubscribe = {}, ""
    if subscriber:
        unsubscribe = emails.link("operational:unsubscribe", token(subscriber, content["kind"]))
        headers = {
            "List-Unsubscribe": f"<{unsubscribe}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    text, html = rendered(content, unsubscribe=unsubscribe)
    return Message(subject(content, is_test=is_test), text, html, headers)


def rendered(content: Content, *, unsubscribe: str = "") -> tuple[str, str]:
    """Return a report as text and as HTML."""
    return emails.render("report", {"report": content, "unsubscribe": unsubscribe})


def subject(content: Content, *, is_test: bool = False) -> str:
    """Return a subject that says the most important: "Daily report: 73.0, 2 alerts"."""
    firing = len(content["alerts"])
    score = content["alignment"]["shown"]
    said = f"alignment {score}" if content["alignment"]["score"] is not None else "no score yet"
    more = f", {firing} alert{'' if firing == 1 else 's'}" if firing else ""
    test = "Test: " if is_test else ""
    return f"{test}{content['kind'].capitalize()} report of {content['day']}: {said}{more}"


def token(subscriber: ReportSubscriber, kind: str) -> str:
    """Return what an unsubscribe link carries; it cannot be guessed, and does not expire."""
    return signing.dumps([subscriber.pk, kind], salt=_SALT)


def subscription(given: str) -> tuple[ReportSubscriber, Kind] | None:
    """Return whose subscription to what a token stands for; None where it stands for none."""
    try:
        pk, kind = cast("tuple[int, str]", signing.loads(given, salt=_SALT))
    except signing.BadSignature:
        return None
    subscriber = ReportSubscriber.objects.filter(pk=pk).first()
    return (subscriber, Kind(kind)) if subscriber else None


def set_subscribed(subscriber: ReportSubscriber, kind: Kind, *, wanted: bool) -> None:
    ReportSubscriber.objects.filter(pk=subscriber.pk).update(**{kind.value: wanted})


def archive() -> Sequence[Report]:
    return list(Report.objects.order_by("-day", "kind").defer("content")[:200])
