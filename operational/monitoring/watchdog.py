"""The watchdog: a process of its own that looks at the system each minute.

It hears of a dead worker, beat or Valkey, since it needs none of them. A database that is away
leaves no place for alerts and deliveries: of that the watchdog tells ADMIN_EMAIL directly.
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

from common.formatting import moment
from operational.alerting import health_alerts
from operational.messages import deliveries
from operational.models import Heartbeat

logger = logging.getLogger(__name__)

NAME = "watchdog"
EVERY = 60  # seconds
PATIENCE = 2  # looks in vain, after which people are told


@dataclass(slots=True)
class Outage:
    """What the watchdog remembers of a database that is away; nothing else could."""

    since: datetime | None = None
    looks: int = 0
    news: list[tuple[str, str]] = field(default_factory=list)  # not yet sent: subject, text
    is_told: bool = False

    def lasts(self, now: datetime, why: str) -> None:
        self.since, self.looks = self.since or now, self.looks + 1
        if self.looks < PATIENCE or self.is_told:
            return
        text = f"It does not answer since {moment(self.since)}: {why}.\n"
        text += "Nothing is captured and nothing else is told until it does.\n"
        self.news.append(("Plumbline: the database is away", text))
        self.is_told = True

    def ends(self, now: datetime) -> None:
        if self.is_told:
            text = f"It was away from {moment(self.since)} to {moment(now)}.\n"
            self.news.append(("Plumbline: the database is back", text))
        self.since, self.looks, self.is_told = None, 0, False


def run(stop: threading.Event, *, every: float = EVERY) -> None:
    """Look every so many seconds until `stop` is set."""
    outage = Outage()
    while not stop.is_set():
        look(outage, now=timezone.now())
        stop.wait(every)


def look(outage: Outage, *, now: datetime) -> None:
    """Look once: say that the watchdog lives, judge the health, send what is due."""
    try:
        Heartbeat.objects.update_or_create(process=NAME, defaults={"at": now})
        health_alerts.check(now=now)
        deliveries.send_due(now=now)
    except (DatabaseError, psycopg.Error) as error:
        logger.warning("The database is away: %s", type(error).__name__)
        if not connection.in_atomic_block:
            connection.close()
        outage.lasts(now, type(error).__name__)
    else:
        outage.ends(now)
    while outage.news and _tell(*outage.news[0]):
        outage.news.pop(0)


def _tell(subject: str, text: str) -> bool:
    """Tell ADMIN_EMAIL; what cannot be sent is tried again at the next look."""
    if not settings.PLUMBLINE_EMAIL_FROM or not settings.ADMIN_EMAIL:
        return True
    try:
        send_mail(subject, text, settings.PLUMBLINE_EMAIL_FROM, settings.ADMIN_EMAIL)
    except deliveries.EMAIL_ERRORS as error:
        logger.warning("The watchdog could not send an e-mail: %s", type(error).__name__)
        return False
    return True
