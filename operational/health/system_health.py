"""How every part of the system is: what is wrong, since when, and the remedy."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.models import Q, Value
from django.utils import timezone
from redis.exceptions import RedisError

from analytics import health as capture
from billing.models import StripeEvent, UsageNotice
from common.read_once import read_once, reading_together
from operational.calculations.health import Component, Health, overall
from operational.health import jobs
from operational.messages import deliveries
from operational.models import Delivery, Heartbeat
from operational.reports import report_schedule

WORKER_WARNING, WORKER_CRITICAL = timedelta(minutes=3), timedelta(minutes=10)
DISK_WARNING, DISK_CRITICAL = 0.15, 0.05  # free
CLOCK_WARNING = timedelta(seconds=5)
EVENT_WAITS = timedelta(minutes=5)
UNSENT_SHOWN = timedelta(days=3)
_START_WATCHDOG = "Start it: python manage.py watch"
_START = "Start one: celery -A config worker"
_START_BEAT = (
    "Start it: celery -A config beat --scheduler django_celery_beat.schedulers:DatabaseScheduler"
)


@dataclass(frozen=True, slots=True)
class SystemHealth:
    now: datetime
    health: Health
    components: tuple[Component, ...]


@read_once
@reading_together()
def system_health(now: datetime) -> SystemHealth:
    """Look at every part, cheaply; what cannot be looked at without the database says so."""
    found = [*_database(), _valkey()]
    if found[0].health is not Health.CRITICAL:
        for look in _LOOKS:
            found += look(now)
    found.append(_disk())
    return SystemHealth(now, overall(found), tuple(found))


def _database() -> Iterator[Component]:
    """Look at the database, and compare this machine's clock with its clock."""
    before = timezone.now()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version'), clock_timestamp()")
            version, theirs = cursor.fetchone()
    except (DatabaseError, psycopg.Error) as error:
        yield Component(
            "database",
            Health.CRITICAL,
            f"It does not answer: {type(error).__name__}.",
            remedy="Look at PostgreSQL, and at DATABASE_URL.",
        )
        return
    yield Component("database", Health.OK, f"PostgreSQL {version.split()[0]} answers.")
    difference = abs(theirs - before)
    if difference <= CLOCK_WARNING:
        yield Component("clock", Health.OK, "It agrees with the database's.")
        return
    detail = f"It differs from the database's by {difference.total_seconds():.0f} seconds."
    yield Component("clock", Health.WARNING, detail, remedy="Set the clocks, by NTP say.")


def _valkey() -> Component:
    try:
        cache.get("health")
    except RedisError as error:
        return Component(
            "valkey",
            Health.CRITICAL,
            f"It does not answer: {type(error).__name__}.",
            remedy="Look at Valkey, and at REDIS_URL. Capture goes on without it; jobs wait.",
        )
    return Component("valkey", Health.OK, "It answers.")


def _workers(now: datetime) -> Iterator[Component]:
    """Jobs of every minute are the heartbeat of beat, which asks, and of the worker."""
    tasks = jobs.schedules()
    first = min((task.date_changed for task in tasks), default=None)
    asked = max((task.last_run_at for task in tasks if task.last_run_at), default=None)
    yield _heartbeat("beat", "asked for a job", asked or first, now, remedy=_START_BEAT)
    finished = jobs.last_success()
    yield _heartbeat("worker", "finished a job", finished or first, now, remedy=_START)


def _heartbeat(
    name: str, did: str, last: datetime | None, now: datetime, *, remedy: str
) -> Component:
    if last is None or now - last <= WORKER_WARNING:
        return Component(name, Health.OK, f"It {did} within the last minutes.")
    health = Health.CRITICAL if now - last > WORKER_CRITICAL else Health.WARNING
    return Component(name, health, f"It has not {did} since then.", last, remedy)


def _schedule(now: datetime) -> Iterator[Component]:
    missed = jobs.missed(now)
    if not missed:
        yield Component("schedule", Health.OK, "Every job ran when it was due.")
        return
    names = ", ".join(one.job for one in missed)
    why = next((f" {one.problem}." for one in missed if one.problem), "")
    yield Component(
        "schedule",
        Health.WARNING,
        f"Due, and not done: {names}.{why}",
        min(one.due for one in missed),
        "Look at the jobs' history and at worker and beat.",
    )


def _capture(now: datetime) -> Iterator[Component]:
    found = capture.capture_health(now)
    for problem in found.problems:
        detail = " ".join(filter(None, [problem.what, problem.why]))
        remedy = " ".join(filter(None, [problem.remedy, problem.command]))
        yield Component("capture", Health.WARNING, detail, problem.since, remedy)
    if not found.problems:
        yield Component("capture", Health.OK, f"{found.waiting:,} requests wait in the inbox.")


def _stripe(now: datetime) -> Iterator[Component]:
    if not settings.STRIPE_SECRET_KEY and not settings.STRIPE_WEBHOOK_SECRETS:
        yield Component("stripe", Health.OFF, "It is not set up.")
        return
    waiting = StripeEvent.objects.filter(due_at__isnull=False)
    late = waiting.filter(received_at__lt=now - EVENT_WAITS).order_by("received_at")
    newest = StripeEvent.objects.order_by("-received_at")
    moments = dict(
        late.values_list(Value("late"), "received_at")[:1].union(
            newest.values_list(Value("newest"), "received_at")[:1], all=True
        )
    )
    if since := moments.get("late"):
        yield Component(
            "stripe",
            Health.WARNING,
            f"Events wait or fail: {waiting.count():,}.",
            since,
            "Stripe events in the admin says why; a worker has to run.",
        )
        return
    last = moments.get("newest")
    detail = f"The last event came at {last:%Y-%m-%d %H:%M} UTC." if last else "No event came yet."
    yield Component("stripe", Health.OK, detail)


def _mail(now: datetime) -> Iterator[Component]:
    if not settings.PLUMBLINE_EMAIL_FROM:
        yield Component("mail", Health.OFF, "PLUMBLINE_EMAIL_FROM is not set: no e-mail is sent.")
        return
    notices = UsageNotice.objects.filter(email=UsageNotice.Email.FAILED)
    unsent = Delivery.objects.filter(created_at__gt=now - UNSENT_SHOWN).filter(
        Q(status=Delivery.Status.FAILED) | Q(status=Delivery.Status.WAITING, attempts__gt=0)
    )
    failed = notices.values_list("created_at").union(unsent.values_list("created_at"), all=True)
    if moments := [created_at for (created_at,) in failed]:
        since, number = min(moments), len(moments)
        detail = f"Messages that could not be sent: {number:,}."
        remedy = "Deliveries in the admin says why; look at the mail server's settings."
        yield Component("mail", Health.WARNING, detail, since, remedy)
    elif not settings.ADMIN_EMAIL and not deliveries.watchers():
        detail = "Nobody hears of alerts: neither ADMIN_EMAIL nor a channel is set."
        yield Component("mail", Health.OFF, detail)
    else:
        yield Component("mail", Health.OK, "No message has failed.")


def _reports(now: datetime) -> Iterator[Component]:
    late = report_schedule.overdue(now=now)
    if not late:
        yield Component("reports", Health.OK, "Every report that was due is out.")
        return
    kinds = " and ".join(sorted({f"{one.kind.value} report" for one in late}))
    yield Component(
        "reports",
        Health.WARNING,
        f"Not sent in time: {kinds}, to {len(late):,} recipients.",
        min(one.since for one in late),
        "Deliveries in the admin says why; worker, beat and the mail server have to run.",
    )


def _watchdog(now: datetime) -> Iterator[Component]:
    beat = Heartbeat.objects.filter(pk="watchdog").first()
    if beat is None:
        yield Component("watchdog", Health.OFF, f"It has never run. {_START_WATCHDOG}")
        return
    yield _heartbeat("watchdog", "looked", beat.at, now, remedy=_START_WATCHDOG)


def _disk() -> Component:
    usage = shutil.disk_usage(Path(settings.BASE_DIR))
    free = usage.free / usage.total
    detail = f"{usage.free / 2**30:,.1f} GiB ({free:.0%}) are free."
    if free >= DISK_WARNING:
        return Component("disk", Health.OK, detail)
    health = Health.CRITICAL if free < DISK_CRITICAL else Health.WARNING
    return Component("disk", health, detail, remedy="Make room, or drop old months of events.")


_LOOKS: list[Callable[[datetime], Iterator[Component]]] = [
    _workers,
    _schedule,
    _capture,
    _stripe,
    _mail,
    _reports,
    _watchdog,
]
