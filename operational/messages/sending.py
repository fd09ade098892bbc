"""Sends the messages that wait: alerts before all others, each within its own boundary.

A message is claimed before it is sent, so none is sent twice. There are two exceptions: if a sender
dies after sending and before recording it, or a server hangs up before it says whether it took the
message, the message is sent again with the same Message-ID, because a lost alert is worse than a
duplicate.
"""

import logging
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import OperationalError, connection
from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from common import claims
from common.calculations.backoff import backoff
from common.message_ids import message_id
from operational.messages import channels, deliveries
from operational.messages.channels import NotSent
from operational.models import Delivery, DeliveryKind, DeliveryStatus

logger = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)  # between attempts
LONGEST_RUN = 60  # seconds; then another run continues
_RECORDED_WITHIN = 120  # seconds, of a database that is briefly unavailable
_PRIORITY = Case(
    When(kind=DeliveryKind.ALERT, then=Value(0)),
    When(kind=DeliveryKind.TEST, then=Value(1)),  # someone is waiting for it
    default=Value(2),
)

Clock = Callable[[], datetime]


def send_due(*, kinds: Collection[str] = DeliveryKind.values, clock: Clock = timezone.now) -> int:
    """Send the due messages of these kinds, the most urgent first; return how many were sent.

    The clock is read at each claim. Each message is tried once; after `LONGEST_RUN` the rest is
    left to another run.
    """
    _give_up_expired(clock())
    end = time.monotonic() + LONGEST_RUN
    tried: set[int] = set()
    sent = 0
    while pk := _next(clock(), kinds, tried):
        if time.monotonic() > end:
            deliveries.send_soon()
            break
        tried.add(pk)
        sent += _send(pk, clock)
    return sent


def _give_up_expired(now: datetime) -> None:
    """Give up what is too late to be useful, and resume what a clock that was ahead gave up."""
    messages = Delivery.objects.all()
    expired = Case(
        When(attempts=0, then=Value(DeliveryStatus.EXPIRED)), default=Value(DeliveryStatus.FAILED)
    )
    messages.filter(due_at__isnull=False, expires_at__lt=now).update(status=expired, due_at=None)
    given_up = messages.filter(status__in=[DeliveryStatus.EXPIRED, DeliveryStatus.FAILED])
    given_up.filter(expires_at__gte=now).update(status=DeliveryStatus.WAITING, due_at=now)


def _next(now: datetime, kinds: Collection[str], tried: Collection[int]) -> int | None:
    """Return the most urgent due message: an alert, to a channel, that did not fail yet."""
    due = _due(now).filter(kind__in=kinds).exclude(pk__in=tried)
    urgent = due.order_by(_PRIORITY, "attempts", "email", "due_at", "pk")
    return urgent.values_list("pk", flat=True).first()


def _due(now: datetime) -> QuerySet[Delivery]:
    """Return the due messages, those included that a clock which was ahead made due too late."""
    return Delivery.objects.filter(claims.is_over("due_at", now, longest=LONGEST_WAIT))


def _send(pk: int, clock: Clock) -> bool:
    """Send a message unless another sender does or did; return whether it was sent now."""
    sending = Delivery.objects.filter(pk=pk, status=DeliveryStatus.SENDING)
    with claims.hold(
        f"delivery {pk}", lambda: sending.update(due_at=clock() + claims.LASTS)
    ) as is_free:
        if not is_free or not _claim(pk, clock()):
            return False
        delivery = Delivery.objects.select_related("channel").get(pk=pk)
        if problem := _problem_of_sending(delivery):
            logger.warning("A message could not be sent, delivery %s", pk)
            wait = backoff(delivery.attempts, first=FIRST_WAIT, longest=LONGEST_WAIT)
            failed = {"status": DeliveryStatus.WAITING, "due_at": clock() + wait}
            _record(sending, problem=problem, **failed)
            return False
        sent = {"status": DeliveryStatus.SENT, "due_at": None, "sent_at": clock()}
        _record(Delivery.objects.filter(pk=pk), problem="", **sent)
        return True


def _claim(pk: int, now: datetime) -> bool:
    claimed = {"status": DeliveryStatus.SENDING, "due_at": now + claims.LASTS}
    return bool(_due(now).filter(pk=pk).update(attempts=F("attempts") + 1, **claimed))


def _problem_of_sending(delivery: Delivery) -> str:
    """Send a message; return why it could not be sent, whatever the reason, or an empty text."""
    try:
        if delivery.channel:
            channels.send(delivery.channel.url, delivery.subject, delivery.text)
        else:
            _by_email(delivery)
    except NotSent as error:
        return str(error)[:500]
    except Exception as error:  # noqa: BLE001  a backend may raise anything; the next one goes out
        return f"{type(error).__name__}: {error}"[:500]
    return ""


def _by_email(delivery: Delivery) -> None:
    message = EmailMultiAlternatives(
        delivery.subject,
        delivery.text,
        settings.PLUMBLINE_EMAIL_FROM,
        [delivery.email],
        headers={**delivery.headers, "Message-ID": message_id("message", delivery.key)},
    )
    if delivery.html:
        message.attach_alternative(delivery.html, "text/html")
    if not message.send():
        raise NotSent("The e-mail backend did not send the message.")


def _record(message: QuerySet[Delivery], **outcome: Any) -> None:
    """Record a message's outcome, even if the database is briefly unavailable."""
    end = time.monotonic() + _RECORDED_WITHIN
    while True:
        try:
            message.update(**outcome)
        except OperationalError:
            if connection.in_atomic_block or time.monotonic() > end:
                raise
            connection.close()
            time.sleep(1)
        else:
            return
