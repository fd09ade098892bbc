"""The watchdog: a process of its own that checks the system each minute.

It notices a dead worker, beat or Valkey, because it needs none of them. While the database is
unavailable, or the checks themselves fail, alerts and deliveries cannot be stored, so the watchdog
notifies ADMIN_EMAIL directly. Nothing that it watches ends it.
"""

import logging
import threading
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from django.conf import settings
from django.core.mail import send_mail
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from common.formatting import error_line, utc_moment
from operational.alerting import health_alerts
from operational.messages import sending
from operational.models import DeliveryKind, Heartbeat

logger = logging.getLogger(__name__)

NAME = "watchdog"
EVERY = 60  # seconds
PATIENCE = 2  # failed checks, after which ADMIN_EMAIL is notified
_UNAVAILABLE = (OperationalError, InterfaceError, psycopg.OperationalError)


@dataclass(slots=True)
class Outage:
    """The state of an outage; it lives in memory, as the database may not be able to hold it."""

    failure: str  # "the database is unavailable"
    recovery: str
    consequence: str
    since: datetime | None = None
    failed_checks: int = 0
    unsent: list[tuple[str, str, str]] = field(default_factory=list)  # address, subject, text
    is_notified: bool = False

    def observe(self, now: datetime, reason: str) -> None:
        """Record a check: `reason` is why it failed, "" if it succeeded."""
        if reason:
            self._failed(now, reason)
        else:
            self._succeeded(now)

    def _failed(self, now: datetime, reason: str) -> None:
        self.since, self.failed_checks = self.since or now, self.failed_checks + 1
        if self.failed_checks < PATIENCE or self.is_notified:
            return
        text = f"Since {utc_moment(self.since)}: {reason}.\n{self.consequence}\n"
        self._notify(f"Plumbline: {self.failure}", text)
        self.is_notified = True

    def _succeeded(self, now: datetime) -> None:
        if self.is_notified:
            text = f"The problem lasted from {utc_moment(self.since)} to {utc_moment(now)}.\n"
            self._notify(f"Plumbline: {self.recovery}", text)
        self.since, self.failed_checks, self.is_notified = None, 0, False

    def _notify(self, subject: str, text: str) -> None:
        if settings.PLUMBLINE_EMAIL_FROM:
            self.unsent += [(address, subject, text) for address in settings.ADMIN_EMAIL]

    def send(self) -> None:
        """Send the e-mails about outages; those that could not be sent wait for the next check."""
        self.unsent = [email for email in self.unsent if not _was_sent(*email)]


def _database_outage() -> Outage:
    return Outage(
        "the database is unavailable",
        "the database is available again",
        "Until it responds, no events are captured and no other alerts are sent.",
    )


def _failing_checks() -> Outage:
    return Outage(
        "the watchdog's checks fail",
        "the watchdog's checks work again",
        "Until they work, alerts may be missing. The watchdog's log has the traceback.",
    )


@dataclass(slots=True)
class Outages:
    """What the watchdog remembers between checks."""

    database: Outage = field(default_factory=_database_outage)
    checks: Outage = field(default_factory=_failing_checks)


def run(stop: threading.Event, *, every: float = EVERY) -> None:
    """Check every so many seconds until `stop` is set."""
    outages = Outages()
    while not stop.is_set():
        check(outages)
        stop.wait(every)


def check(outages: Outages, *, clock: sending.Clock = timezone.now) -> None:
    """Record the watchdog's heartbeat, check the system's health, and send the alerts.

    Each step is made whatever becomes of the others.
    """
    now = clock()
    unavailable = broken = ""
    for step in (
        lambda: Heartbeat.objects.update_or_create(process=NAME, defaults={"at": now}),
        lambda: health_alerts.check(now=now),
        lambda: sending.send_due(kinds=[DeliveryKind.ALERT], clock=clock),
    ):
        try:
            step()
        except _UNAVAILABLE as error:
            logger.warning("The database is unavailable: %s", type(error).__name__)
            unavailable = type(error).__name__
            _reconnect()
        except Exception as error:
            logger.exception("A step of the watchdog failed")
            broken = error_line(error)
    outages.database.observe(now, unavailable)
    if not unavailable:  # what fails for lack of a database says nothing of the checks
        outages.checks.observe(now, broken)
    outages.database.send()
    outages.checks.send()


def _reconnect() -> None:
    if not connection.in_atomic_block:
        connection.close()


def _was_sent(address: str, subject: str, text: str) -> bool:
    try:
        return bool(send_mail(subject, text, settings.PLUMBLINE_EMAIL_FROM, [address]))
    except Exception as error:  # noqa: BLE001  whatever a mail backend raises
        logger.warning("The watchdog could not send an e-mail: %s", type(error).__name__)
        return False
