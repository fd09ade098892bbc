"""Workers, beat, Valkey, PostgreSQL and the mail server are stopped and brought back.

No message is lost, none is sent twice, and what is down is told, with since when.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import requests
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from devstack.data_dir import DataDir
from devstack.postgres import Postgres
from devstack.valkey import Valkey
from operational.alerting import kpi_alerts
from operational.health import jobs
from operational.health.system_health import system_health
from operational.kpis import readings
from operational.messages import deliveries
from operational.messages.deliveries import Message
from operational.models import AlertChange, Delivery, JobRun, KpiReading
from operational.monitoring import watchdog
from operational.monitoring.watchdog import Outage
from tests.mail_server import listening, use
from tests.operational.kpi_data import AS_OF, NOW
from tests.processes import ROOT, environment, fork, kill, wait_until

MINUTE = timedelta(minutes=1)


def part(name, now):
    return next(one for one in system_health(now).components if one.name == name)


def message_ids(server):
    return Counter(message["Message-ID"] for message in server.messages)


# --- Senders and checkers that are killed ---


@pytest.mark.django_db(transaction=True)
def test_p25_senders_that_are_killed_lose_nothing_and_repeat_only_what_they_could_not_note(
    mail_server,
):
    for number in range(60):
        deliveries.post(
            Delivery.Kind.ALERT,
            f"message {number}",
            Message(f"Message {number}", "Text"),
            to=["ada@example.com"],
            now=NOW,
        )
    chance, kills, now = random.Random(7), 0, NOW
    while Delivery.objects.filter(due_at__isnull=False).exists():
        moment = now
        pid = fork(lambda moment=moment: deliveries.send_due(now=moment))
        time.sleep(chance.uniform(0.0, 0.25))
        kill(pid)
        kills += 1
        now += deliveries.CLAIMED  # until then a claim is respected
        assert now < NOW + deliveries.USEFUL
    assert set(Delivery.objects.values_list("status", flat=True)) == {"sent"}
    found = message_ids(mail_server)
    assert len(found) == 60
    assert found.total() - 60 <= kills  # at most the one that each was sending


@pytest.mark.django_db(transaction=True)
def test_p25_a_check_that_is_killed_at_any_moment_tells_a_change_once(mail_server, monkeypatch):
    readings.record_readings(
        days=[AS_OF - number * timedelta(days=1) for number in range(3)], now=NOW
    )
    KpiReading.objects.filter(kpi="churn_rate").update(value=0.12, status="ok")
    monkeypatch.setattr(readings, "record_readings", lambda **_: None)
    chance = random.Random(11)
    for number in range(12):
        pid = fork(lambda: kpi_alerts.check(now=NOW))
        time.sleep(chance.uniform(0.0, 0.06) * (1 + number / 4))
        kill(pid)
    kpi_alerts.check(now=NOW)
    deliveries.send_due(now=NOW)
    assert mail_server.subjects == ["Plumbline: Customer churn, monthly: critical"]
    assert AlertChange.objects.filter(notification="firing").count() == 1


# --- The mail server ---


@pytest.mark.django_db
def test_a_mail_server_that_is_stopped_and_started_gets_every_message_once(settings):
    with listening() as server:
        port = server.port  # free again when the server is stopped
    use(settings, server)
    for number in range(5):
        message = Message(f"Message {number}", "Text")
        to = ["ada@example.com"]
        deliveries.post(Delivery.Kind.ALERT, f"message {number}", message, to=to, now=NOW)
    deliveries.send_due(now=NOW)
    down = part("mail", NOW)
    assert (down.health, down.since) == ("warning", NOW)
    with listening(port) as server:
        deliveries.send_due(now=NOW + 2 * MINUTE)
        deliveries.send_due(now=NOW + 4 * MINUTE)
        assert sorted(server.subjects) == [f"Message {number}" for number in range(5)]
    assert part("mail", NOW + 4 * MINUTE).health == "ok"


# --- Worker and beat ---


class Program:
    """A part of Plumbline in a process of its own, on the tests' database."""

    def __init__(self, *command, env):
        self.process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=env, start_new_session=True
        )

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


WORKER = "-m", "celery", "--quiet", "-A", "config", "worker", "--pool", "threads", "-c", "1"
BEAT = (
    *("-m", "celery", "--quiet", "-A", "config", "beat", "--max-interval", "1"),
    *("--scheduler", "django_celery_beat.schedulers:DatabaseScheduler"),
)


@pytest.mark.django_db(transaction=True)
def test_a_worker_and_a_beat_that_die_are_noticed_with_since_when_until_they_are_back(mail_server):
    every, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
    PeriodicTask.objects.all().delete()
    PeriodicTask.objects.create(
        name="check-system-health",
        task="operational.tasks.check_system_health",
        interval=every,
        expire_seconds=5,
    )
    env = {**environment(), "REDIS_URL": django_settings.REDIS_URL.rpartition("/")[0] + "/9"}
    worker, beat = Program(*WORKER, env=env), Program(*BEAT, env=env)
    try:
        wait_until(lambda: JobRun.objects.filter(outcome="ok").exists())
        assert part("worker", timezone.now()).health == "ok"
        worker.kill()
        last = jobs.last_success()
        dead = part("worker", last + 4 * MINUTE)
        assert (dead.health, dead.since) == ("warning", last)
        assert part("worker", last + 11 * MINUTE).health == "critical"
        worker = Program(*WORKER, env=env)
        wait_until(lambda: jobs.last_success() > last)
        assert part("worker", timezone.now()).health == "ok"
        beat.kill()
        asked = max(task.last_run_at for task in jobs.schedules() if task.last_run_at)
        assert part("beat", asked + 11 * MINUTE).health == "critical"
        missed = [one.job for one in jobs.missed(timezone.now() + 20 * MINUTE)]
        assert "check-system-health" in missed
    finally:
        worker.kill()
        if beat.process.poll() is None:
            beat.kill()


# --- Valkey ---


@pytest.mark.django_db
def test_a_valkey_that_is_away_is_told_and_the_web_lives_on(settings, mail_server, tmp_path):
    server = Valkey(DataDir(tmp_path), durable=False)
    server.start()
    caches = {"default": {**settings.CACHES["default"], "LOCATION": server.url}}
    settings.CACHES = caches
    now = datetime(2026, 4, 1, 12, 0, 30, tzinfo=UTC)
    try:
        cache.set("alive", 1)
        assert part("valkey", now).health == "ok"
        server.process.kill()
        server.process.wait()
        for minutes in range(3):  # P35
            assert Client().get("/livez").status_code == 200
            watchdog.look(Outage(), now=now + minutes * MINUTE)
        assert Client().get("/readyz").status_code == 200
        assert part("valkey", now).health == "critical"
        critical = "Valkey: critical\nNot responding: ConnectionError."
        assert _told(mail_server, critical) == 1
        server.start()
        for minutes in range(3, 6):
            watchdog.look(Outage(), now=now + minutes * MINUTE)
        assert _told(mail_server, "Valkey: resolved") == 1
        assert _told(mail_server, critical) == 1
    finally:
        server.process.kill()
        server.process.wait()


def _told(server, text):
    """Return how many messages say something."""
    return sum(text in server.text(number) for number in range(len(server.messages)))


# --- PostgreSQL ---


@pytest.mark.slow
def test_a_postgresql_that_is_away_is_told_by_the_watchdog_and_livez_stays_up(
    settings, mail_server, tmp_path
):
    server = Postgres(DataDir(tmp_path), durable=False)
    server.start()
    env = {
        **os.environ,
        "DATABASE_URL": server.url,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mail_server.port),
        "PLUMBLINE_EMAIL_FROM": "plumbline@example.com",
        "ADMIN_EMAIL": "ada@example.com",
    }
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--noinput"],
        cwd=ROOT, env=env, check=True, capture_output=True,
    )  # fmt: skip
    port = _free_port()
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    web = Program("-m", "granian", *options, "config.wsgi:application", env=env)
    watch = Program("manage.py", "watch", "--every", "0.5", env=env)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _status(f"{url}/readyz") == 200)
        server.process.send_signal(signal.SIGINT)  # a fast shutdown
        server.process.wait()
        wait_until(lambda: "Plumbline: the database is away" in mail_server.subjects)
        assert _status(f"{url}/livez") == 200
        assert _status(f"{url}/readyz") == 503
        server.start()
        wait_until(lambda: "Plumbline: the database is back" in mail_server.subjects)
        wait_until(lambda: _status(f"{url}/readyz") == 200)
        told = [one for one in mail_server.subjects if "the database" in one]
        assert told == ["Plumbline: the database is away", "Plumbline: the database is back"]
    finally:
        watch.kill()
        web.kill()
        server.process.send_signal(signal.SIGINT)
        server.process.wait()


def _status(url):
    try:
        return requests.get(url, timeout=15).status_code
    except requests.RequestException:
        return None


def _free_port():
    with listening() as server:
        return server.port


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_while_a_message_is_noted_does_not_double_it(mail_server):
    """The sender goes on trying to note that the message is out."""
    deliveries.post(
        Delivery.Kind.ALERT, "one", Message("One", "Text"), to=["ada@example.com"], now=NOW
    )
    sent = threading.Event()
    original = deliveries._by_email

    def cut_after_sending(delivery):
        original(delivery)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (backend,) = cursor.fetchone()
        pid = fork(lambda: _terminate(backend))
        os.waitpid(pid, 0)
        sent.set()

    deliveries._by_email = cut_after_sending
    try:
        deliveries.send_due(now=NOW)
    finally:
        deliveries._by_email = original
    assert sent.is_set()
    assert Delivery.objects.get().status == "sent"
    deliveries.send_due(now=NOW + deliveries.CLAIMED)
    assert len(mail_server.messages) == 1


def _terminate(backend):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
