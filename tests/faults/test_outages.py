"""Workers, beat, Valkey and PostgreSQL stop: each outage is reported until it is over."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
import requests
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from devstack.data_dir import DataDir
from devstack.postgres import Postgres
from devstack.valkey import Valkey
from operational.health import jobs
from operational.health.schedules import schedules
from operational.health.system_health import system_health
from operational.models import JobRun
from operational.monitoring import watchdog
from operational.monitoring.watchdog import Outages
from tests.clocks import stopped
from tests.mail_server import listening
from tests.processes import ROOT, environment, wait_until

MINUTE = timedelta(minutes=1)


def last_success():
    success = jobs.last_success(timezone.now())
    assert success
    return success


def part(name, now):
    return next(part for part in system_health(now).components if part.name == name)


class Program:
    """A Plumbline program in its own process, on the test database."""

    def __init__(self, *command, env):
        self.process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=env, start_new_session=True
        )

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


WORKER = "-m", "celery", "--quiet", "-A", "config", "worker", "--pool", "threads", "-c", "1"
BEAT = (*("-m", "celery", "--quiet", "-A", "config", "beat", "--max-interval", "1"),)


@pytest.mark.django_db(transaction=True)
def test_a_dead_worker_or_beat_is_unhealthy_since_its_last_run_until_it_is_back(mail_server):
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
        last = last_success()
        dead = part("worker", last + 4 * MINUTE)
        assert (dead.health, dead.since) == ("warning", last)
        assert part("worker", last + 11 * MINUTE).health == "critical"
        worker = Program(*WORKER, env=env)
        wait_until(lambda: last_success() > last)
        assert part("worker", timezone.now()).health == "ok"
        beat.kill()
        last = max(task.last_run_at for task in schedules() if task.last_run_at)
        assert part("beat", last + 11 * MINUTE).health == "critical"
        missed = [run.job for run in jobs.missed(timezone.now() + 20 * MINUTE)]
        assert "check-system-health" in missed
    finally:
        worker.kill()
        if beat.process.poll() is None:
            beat.kill()


@pytest.mark.django_db
def test_a_valkey_that_is_down_is_reported_and_the_web_stays_up(settings, mail_server, tmp_path):
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
            watchdog.check(Outages(), clock=stopped(now + minutes * MINUTE))
        assert Client().get("/readyz").status_code == 200
        assert part("valkey", now).health == "critical"
        critical = "Valkey: critical\nNot responding: ConnectionError."
        assert _count(mail_server, critical) == 1
        server.start()
        for minutes in range(3, 6):
            watchdog.check(Outages(), clock=stopped(now + minutes * MINUTE))
        assert _count(mail_server, "Valkey: resolved") == 1
        assert _count(mail_server, critical) == 1
    finally:
        server.process.kill()
        server.process.wait()


def _count(server, text):
    """Return how many messages contain a text."""
    return sum(text in server.text(number) for number in range(len(server.messages)))


@pytest.mark.slow
def test_a_postgresql_that_is_down_is_reported_by_the_watchdog_and_livez_stays_up(
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
    web = Program("-m", "web", "--port", str(port), env=env)
    watch = Program("manage.py", "watch", "--every", "0.5", env=env)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _status(f"{url}/readyz") == 200)
        server.process.send_signal(signal.SIGINT)  # a fast shutdown
        server.process.wait()
        wait_until(lambda: "Plumbline: the database is unavailable" in mail_server.subjects)
        assert _status(f"{url}/livez") == 200
        assert _status(f"{url}/readyz") == 503
        server.start()
        wait_until(lambda: "Plumbline: the database is available again" in mail_server.subjects)
        wait_until(lambda: _status(f"{url}/readyz") == 200)
        reports = [subject for subject in mail_server.subjects if "the database" in subject]
        assert reports == [
            "Plumbline: the database is unavailable",
            "Plumbline: the database is available again",
        ]
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
