"""Messages to staff: each is stored as a row first, then sent (`sending`).

The row is written in the transaction that decides on the message, so none is lost.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings

from common import queueing
from common.calculations.mailbox import lower_ascii
from operational.models import AlertChannel, Delivery, DeliveryKind, DeliveryStatus

USEFUL = timedelta(days=2)  # after which a message that could not be sent is given up
USEFUL_TEST = timedelta(minutes=10)
KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Message:
    """The content of a message; channels other than e-mail get the text."""

    subject: str
    text: str
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def alert_recipients() -> list[str | AlertChannel]:
    """Return the recipients of alerts: the ADMIN_EMAIL addresses and the enabled channels."""
    addresses = settings.ADMIN_EMAIL if settings.PLUMBLINE_EMAIL_FROM else []
    return [*addresses, *AlertChannel.objects.filter(enabled=True).order_by("name")]


def post(
    kind: str,
    key: str,
    message: Message,
    *,
    to: Sequence[str | AlertChannel],
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Queue a message to each recipient, once per `key`; it is not sent after it expires."""
    Delivery.objects.bulk_create(
        [
            Delivery(
                key=delivery_key(key, recipient),
                kind=kind,
                email=recipient if isinstance(recipient, str) else "",
                channel=None if isinstance(recipient, str) else recipient,
                subject=" ".join(message.subject.split())[:300],
                text=message.text,
                html=message.html if isinstance(recipient, str) else "",
                headers=dict(message.headers),
                created_at=now,
                due_at=now,
                expires_at=expires_at or now + USEFUL,
            )
            for recipient in to
        ],
        ignore_conflicts=True,
    )


def delivery_key(key: str, recipient: str | AlertChannel) -> str:
    """Return the key of a message to one recipient; addresses are equal whatever their case."""
    to = lower_ascii(recipient) if isinstance(recipient, str) else f"channel {recipient.pk}"
    return f"{key}:{to}"


def post_test(to: str | AlertChannel, message: Message | None = None, *, now: datetime) -> None:
    """Queue a test message, by default a short one, and have it sent soon."""
    text = f"This is a test. Alerts from {settings.PLUMBLINE_URL} are sent here.\n"
    message = message or Message("Plumbline: test message", text)
    post(
        DeliveryKind.TEST,
        f"test:{uuid4()}",
        message,
        to=[to],
        now=now,
        expires_at=now + USEFUL_TEST,
    )
    send_soon()


def send_soon() -> None:
    """Have a worker send what is due; without one, it waits for the scheduled job."""
    queueing.enqueue("operational.tasks.send_messages")


def retry(keys: Collection[str], *, now: datetime, expires_at: datetime) -> None:
    """Make those of these messages due again that were not sent, given up or not."""
    unsent = [DeliveryStatus.WAITING, DeliveryStatus.FAILED, DeliveryStatus.EXPIRED]
    Delivery.objects.filter(key__in=keys, status__in=unsent).update(
        status=DeliveryStatus.WAITING, due_at=now, expires_at=expires_at
    )


def delete_old(now: datetime) -> None:
    Delivery.objects.filter(created_at__lt=now - KEPT, due_at=None).delete()
