"""Messages to staff: each is stored as a row first, then sent.

The row is written in the transaction that decides on the message, so none is lost, and claimed
before it is sent, so none is sent twice. There is one exception: if a sender dies after sending
and before recording it, its claim expires after ten minutes and the message is sent again with the
same Message-ID, because a lost alert is worse than a duplicate.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any
from uuid import uuid4

from anymail.exceptions import AnymailError
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import OperationalError, connection
from django.db.models import Case, F, Value, When

from common.calculations.backoff import backoff
from common.keyed_uuid import keyed_uuid
from operational.messages import channels
from operational.messages.channels import NotSent
from operational.models import AlertChannel, Delivery, DeliveryKind, DeliveryStatus

logger = logging.getLogger(__name__)

CLAIMED = timedelta(minutes=10)  # longer than any attempt takes
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)  # between attempts
USEFUL = timedelta(days=2)  # after which a message that could not be sent is given up
KEPT = timedelta(days=90)
EMAIL_ERRORS = (OSError, SMTPException, AnymailError, ValueError)


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
                key=f"{key}:{_recipient_key(recipient)}",
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


def _recipient_key(recipient: str | AlertChannel) -> str:
    return recipient if isinstance(recipient, str) else f"channel {recipient.pk}"


def send_test(to: str | AlertChannel, *, now: datetime) -> str:
    """Send a test message at once; return why it failed, or an empty text."""
    text = f"This is a test. Alerts from {settings.PLUMBLINE_URL} are sent here.\n"
    return send_message(Message("Plumbline: test message", text), to, now=now)


def send_message(message: Message, to: str | AlertChannel, *, now: datetime) -> str:
    """Send a test message at once; return why it failed, or an empty text."""
    key = f"test:{uuid4()}"
    post(DeliveryKind.TEST, key, message, to=[to], now=now, expires_at=now + CLAIMED)
    delivery = Delivery.objects.get(key__startswith=f"{key}:")
    send(delivery, now=now)
    delivery.refresh_from_db()
    return delivery.problem


def send_due(*, now: datetime) -> int:
    """Send the due messages; return how many were sent."""
    due = Delivery.objects.filter(due_at__lte=now)
    given_up = Case(
        When(attempts=0, then=Value(DeliveryStatus.EXPIRED)), default=Value(DeliveryStatus.FAILED)
    )
    due.filter(expires_at__lt=now).update(status=given_up, due_at=None)
    return sum(
        send(delivery, now=now)
        for delivery in due.select_related("channel").order_by("due_at", "pk")
    )


def send(delivery: Delivery, *, now: datetime) -> bool:
    """Send a message unless it is claimed or was sent; return whether it was sent now."""
    claim = Delivery.objects.filter(pk=delivery.pk, due_at__lte=now)
    attempt = {
        "status": DeliveryStatus.SENDING,
        "attempts": F("attempts") + 1,
        "due_at": now + CLAIMED,
    }
    if not claim.update(**attempt):
        return False
    try:
        if delivery.channel:
            channels.send(delivery.channel.url, delivery.subject, delivery.text)
        else:
            _by_email(delivery)
    except NotSent as error:
        logger.warning("A message could not be sent, delivery %s", delivery.pk)
        wait = backoff(delivery.attempts + 1, first=FIRST_WAIT, longest=LONGEST_WAIT)
        _record(
            delivery, status=DeliveryStatus.WAITING, due_at=now + wait, problem=str(error)[:500]
        )
        return False
    _record(delivery, status=DeliveryStatus.SENT, due_at=None, sent_at=now, problem="")
    return True


def _by_email(delivery: Delivery) -> None:
    domain = settings.PLUMBLINE_EMAIL_FROM.rpartition("@")[2].rstrip(">") or "localhost"
    message_id = keyed_uuid("message", delivery.key)  # a mail server drops a second message with it
    message = EmailMultiAlternatives(
        delivery.subject,
        delivery.text,
        settings.PLUMBLINE_EMAIL_FROM,
        [delivery.email],
        headers={**delivery.headers, "Message-ID": f"<{message_id}@{domain}>"},
    )
    if delivery.html:
        message.attach_alternative(delivery.html, "text/html")
    try:
        message.send()
    except EMAIL_ERRORS as error:
        raise NotSent(f"{type(error).__name__}: {error}") from error


def _record(delivery: Delivery, **outcome: Any) -> None:
    """Record a message's outcome, even if the database is briefly unavailable."""
    tries = 0
    while True:
        try:
            Delivery.objects.filter(pk=delivery.pk).update(**outcome)
        except OperationalError:
            tries += 1
            if connection.in_atomic_block or tries > CLAIMED.total_seconds() / 5:
                raise
            connection.close()
            time.sleep(1)
        else:
            return


def delete_old(now: datetime) -> None:
    Delivery.objects.filter(created_at__lt=now - KEPT, due_at=None).delete()
