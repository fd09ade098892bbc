"""Unhealthy components are listed, with their start and the remedy."""

import shutil
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask

from analytics.capture import capture
from analytics.ingestion import partitions
from analytics.models import InboxRequest
from billing.models import StripeEvent
from config.beat_schedule import create_missing_entries
from operational.health import servers
from operational.models import Heartbeat, JobRun, ReportSubscriber
from tests.api import get

NOW = datetime(2026, 4, 1, 12, 0, 30, tzinfo=UTC)
PATH = "operational/system-health"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def healthy(time_machine, monkeypatch):
    """An installation in which everything runs."""
    time_machine.move_to(NOW, tick=False)
    partitions.make_ahead(NOW)
    PeriodicTask.objects.all().delete()
    create_missing_entries()
    PeriodicTask.objects.update(last_run_at=NOW, date_changed=NOW)
    for task in PeriodicTask.objects.all():
        ran(task.name)
    usage = SimpleNamespace(total=100, free=50)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(servers, "CLOCK_WARNING", timedelta(days=36_500))
    return usage


def ran(job, *, at=NOW):
    JobRun.objects.create(task_id=job, job=job, started_at=at, finished_at=at, outcome="ok")


def components():
    return {component["name"]: component for component in get(PATH)["components"]}


def test_the_health_is_ok_if_everything_runs():
    assert get(PATH)["health"] == "ok"


def test_components_that_are_not_set_up_are_off_which_is_not_a_fault():
    assert components()["stripe"]["health"] == components()["mail"]["health"] == "off"


def test_a_worker_that_finishes_no_jobs_is_noticed_after_three_minutes():
    since = NOW - timedelta(minutes=4)
    JobRun.objects.update(finished_at=since)
    worker = components()["worker"]
    assert (worker["health"], worker["since"]) == ("warning", "2026-04-01T11:56:30Z")
    assert "celery -A config worker" in worker["remedy"]
    JobRun.objects.update(finished_at=NOW - timedelta(minutes=11))
    assert get(PATH)["health"] == "critical"


def test_beat_that_schedules_no_jobs_is_noticed():
    PeriodicTask.objects.update(last_run_at=NOW - timedelta(minutes=4))
    by_name = components()
    assert (by_name["beat"]["health"], by_name["worker"]["health"]) == ("warning", "ok")


def test_a_missed_job_is_named():
    JobRun.objects.filter(job="make-partitions").update(started_at=NOW - timedelta(days=2))
    schedule = components()["schedule"]
    assert schedule["health"] == "warning"
    assert "make-partitions" in schedule["detail"]


def test_requests_waiting_in_the_inbox_are_reported():
    InboxRequest.objects.create(
        project_key=capture.ensure_default_project_key(),
        body=b"{}",
        received_at=NOW - timedelta(hours=1),
    )
    component = components()["capture"]
    assert (component["health"], component["since"]) == ("warning", "2026-04-01T11:00:30Z")
    assert "python manage.py ingest" in component["remedy"]


def test_waiting_stripe_events_are_reported(settings):
    settings.STRIPE_SECRET_KEY = "sk_test_" + "x" * 24
    assert components()["stripe"]["detail"] == "No events yet."
    StripeEvent.objects.create(
        event_id="evt_1",
        type="x",
        happened_at=NOW,
        payload={},
        due_at=NOW,
        received_at=NOW - timedelta(minutes=6),
    )
    assert components()["stripe"]["health"] == "warning"


@pytest.mark.parametrize(("free", "health"), [(15, "ok"), (14, "warning"), (4, "critical")])
def test_a_disk_that_fills_up_is_reported(healthy, free, health):
    healthy.free = free
    assert components()["disk"]["health"] == health


def test_a_wrong_clock_is_reported(monkeypatch):
    monkeypatch.setattr(servers, "CLOCK_WARNING", timedelta(seconds=5))
    assert components()["clock"]["health"] == "warning"  # the database's clock is the real one


def test_without_valkey_the_other_components_are_checked(no_valkey):
    by_name = components()
    assert (by_name["valkey"]["health"], by_name["database"]["health"]) == ("critical", "ok")


def test_it_takes_few_queries():
    get(PATH)
    with CaptureQueriesContext(connection) as queries:
        get(PATH)
    assert len(queries) <= 17


def test_only_staff_have_access(client):
    assert client.get(f"/api/{PATH}").status_code == 401


def test_it_takes_few_queries_even_if_everything_is_set_up(settings):
    settings.PLUMBLINE_EMAIL_FROM, settings.ADMIN_EMAIL = "plumbline@example.com", []
    settings.STRIPE_SECRET_KEY = "sk_test_" + 24 * "x"
    ReportSubscriber.objects.create(email="ada@example.com", created_at=NOW - timedelta(days=9))
    PeriodicTask.objects.update(start_time=NOW - timedelta(days=9))
    Heartbeat.objects.create(process="watchdog", at=NOW)
    get(PATH)
    with CaptureQueriesContext(connection) as queries:
        get(PATH)
    assert len(queries) <= 21, [query["sql"][:150] for query in queries]


def test_components_are_listed_servers_first():
    assert [component["name"] for component in get(PATH)["components"]] == [
        *("database", "clock", "valkey", "beat", "worker", "schedule", "capture"),
        *("exclusions", "stripe", "mail caps", "alerts", "mail", "reports", "watchdog", "disk"),
        "health checks",
    ]
