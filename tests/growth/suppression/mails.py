"""Reports of providers, suppressed addresses and links for tests."""

from datetime import UTC, datetime, timedelta
from itertools import count

from growth.calculations.mail.mail_events import MailEventKind
from growth.models import MailTopic, Suppression
from growth.suppression import mail_records
from growth.suppression.mail_reports import MailReport

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=365)
ADA = "ada@example.com"
_numbers = count(1)


def topic(name="News"):
    return MailTopic.objects.create(slug=f"{name.lower()}-{next(_numbers)}", name=name)


def report(kind=MailEventKind.BOUNCED, address=ADA, *, message="m1", at=NOON, **more):
    return MailReport(
        provider="Postmark", kind=kind, message_id=message, address=address, at=at, **more
    )


def record(*reports, now=LATER):
    """Record reports, and return whether each was new."""
    return [mail_records.record(event, now=now) for event in reports]


def active():
    """Return the reasons in force as (address, topic, reason)."""
    rows = Suppression.objects.filter(lifted_at=None).values_list("address", "topic_id", "reason")
    return sorted(rows, key=str)
