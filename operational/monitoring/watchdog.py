"""The watchdog: a process of its own that checks the system each minute.

It notices a dead worker, beat or Valkey, because it needs none of them. While the database is
unavailable, alerts and deliveries cannot be stored, so the watchdog notifies ADMIN_EMAIL directly.
"""

import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from django.conf import settings
from django.core.mail import send_mail
from django.db import DatabaseError, connection
from django.utils import timezone

from common.formatting import utc_moment
from operational.alerting import health_alerts
from operational.messages import sending
from operational.models import DeliveryKind, Heartbeat

logger = logging.getLogger(__name__)

NAME = "watchdog"
EVERY = 60  # seconds
PATIENCE = 2  # failed checks, after which ADMIN_EMAIL is notified


@dataclass(slots=True)
class DatabaseOutage:
    """The state of a database outage; it lives in memory, as the database cannot hold it."""

    since: datetime | None = None
    failed_checks: int = 0
    unsent: list[tuple[str, str, str]] = field(default_factory=list)  # address, subject, text
    is_notified: bool = False

    def failed(self, now: datetime, reason: str) -> None:
        """Record a failed check."""
        self.since, self.failed_checks = self.since or now, self.failed_checks + 1
        if self.failed_checks < PATIENCE or self.is_notified:
            return
        text = f"It has not responded since {utc_moment(self.since)}: {reason}.\n"
        text += "Until it does, no events are captured and no other alerts are sent.\n"
        self._notify("Plumbline: the database is unavailable", text)
        self.is_notified = True

    def succeeded(self, now: datetime) -> None:
        """Record a successful check, which ends an outage."""
        if self.is_notified:
            text = f"It was unavailable from {utc_moment(self.since)} to {utc_moment(now)}.\n"
            self._notify("Plumbline: the database is available again", text)
        self.since, self.failed_checks, self.is_notified = None, 0, False

    def _notify(self, subject: str, text: str) -> None:
        if settings.PLUMBLINE_EMAIL_FROM:
            self.unsent += [(address, subject, text) for address in settings.ADMIN_EMAIL]

    def send(self) -> None:
        """Send the e-mails about outages; those that could not be sent wait for the next check."""
        self.unsent = [email for email in self.unsent if not _was_sent(*email)]


def run(stop: threading.Event, *, every: float = EVERY) -> None:
    """Check every so many seconds until `stop` is set."""
    outage = DatabaseOutage()
    while not stop.is_set():
        check(outage)
        stop.wait(every)


def check(outage: DatabaseOutage, *, clock: sending.Clock = timezone.now) -> None:
    """Record the watchdog's heartbeat, check the system's health, and send the alerts."""
    now = clock()
    try:
        Heartbeat.objects.update_or_create(process=NAME, defaults={"at": now})
        health_alerts.check(now=now)
        sending.send_due(kinds=[DeliveryKind.ALERT], clock=clock)
    except (DatabaseError, psycopg.Error) as error:
        logger.warning("The database is unavailable: %s", type(error).__name__)
        if not connection.in_atomic_block:
            connection.close()
        outage.failed(now, type(error).__name__)
    else:
        outage.succeeded(now)
    outage.send()


def _was_sent(address: str, subject: str, text: str) -> bool:
    try:
        return bool(send_mail(subject, text, settings.PLUMBLINE_EMAIL_FROM, [address]))
    except Exception as error:  # noqa: BLE001  whatever a mail backend raises
        logger.warning("The watchdog could not send an e-mail: %s", type(error).__name__)
        return False
