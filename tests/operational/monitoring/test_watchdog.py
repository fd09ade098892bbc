"""The watchdog hears of what is down, and tells people once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError
from django_celery_beat.models import PeriodicTask

from common.calculations.health import Component, Health, overall
from config.beat_schedule import create_missing_entries
from operational.alerting import health_alerts
from operational.health.system_health import SystemHealth, system_health
from operational.messages import deliveries
from operational.models import Alert, Delivery, Heartbeat, JobRun
from operational.monitoring import watchdog
from operational.monitoring.watchdog import DatabaseOutage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 1, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GOOD = Component("disk", Health.OK, "50 % free.")
BAD = Component("disk", Health.CRITICAL, "2 % free.", remedy="Make room.")


@pytest.fixture
def looks(monkeypatch, mail_server):
    """Look once a minute at the components given; return the subjects that arrived."""

    def run(*components):
        for number, component in enumerate(components):
            health = SystemHealth(NOW, overall([component]), (component,))
            monkeypatch.setattr(health_alerts, "system_health", lambda _now, found=health: found)
            watchdog.check(DatabaseOutage(), now=NOW + number * MINUTE)
        return mail_server.subjects

    return run


def test_a_part_that_is_down_for_two_minutes_is_told_once_with_its_remedy(looks, mail_server):
    assert looks(GOOD, BAD, BAD, BAD, BAD) == ["Plumbline: Disk: critical"]
    assert "2 % free." in mail_server.text()
    assert "What to do: Make room." in mail_server.text()


def test_one_bad_look_is_no_alert(looks):
    assert looks(GOOD, BAD, GOOD, GOOD) == []


def test_what_works_again_is_told_as_resolved(looks):
    assert looks(BAD, BAD, GOOD)[1:] == ["Plumbline: Disk: resolved"]


def test_what_is_not_set_up_is_no_alert(looks):
    off = Component("disk", Health.OFF, "Not set up.")
    assert looks(off, off, off) == []


def test_two_looks_in_one_minute_count_once(looks, mail_server):
    looks(BAD)
    watchdog.check(DatabaseOutage(), now=NOW + timedelta(seconds=10))
    assert not mail_server.subjects
    assert Alert.objects.get().recent == [[int(NOW.timestamp() // 60), "critical"]]


def test_a_job_that_was_missed_is_reported(mail_server, time_machine):
    create_missing_entries()
    yesterday = NOW - timedelta(days=1)
    PeriodicTask.objects.update(date_changed=yesterday, last_run_at=NOW)
    for task in PeriodicTask.objects.exclude(name="record-kpi-readings"):
        JobRun.objects.create(
            task_id=task.name, job=task.name, outcome="ok", started_at=NOW, finished_at=NOW
        )
    for minutes in range(3):
        time_machine.move_to(NOW + minutes * MINUTE)
        health_alerts.check(now=NOW + minutes * MINUTE)
    schedule = Alert.objects.get(subject="schedule")
    assert schedule.status == "warning"
    assert "Overdue: record-kpi-readings." in schedule.latest


def test_the_watchdog_is_watched():
    def watched():
        return next(one for one in system_health(NOW).components if one.name == "watchdog")

    assert watched().health == "off"
    Heartbeat.objects.create(process="watchdog", at=NOW - MINUTE)
    assert watched().health == "ok"
    Heartbeat.objects.update(at=NOW - 4 * MINUTE)
    assert watched().health == "warning"
    assert watched().since == NOW - 4 * MINUTE
    assert "manage.py watch" in watched().remedy


@pytest.fixture
def no_database(monkeypatch):
    def fail(**_):
        raise DatabaseError

    monkeypatch.setattr(health_alerts, "check", fail)


def test_a_database_that_is_away_is_told_directly_and_once(no_database, mail_server):
    outage = DatabaseOutage()
    for minutes in range(5):
        watchdog.check(outage, now=NOW + minutes * MINUTE)
    assert mail_server.subjects == ["Plumbline: the database is unavailable"]
    assert "since 2026-04-01 12:00 UTC: DatabaseError" in mail_server.text()


def test_a_database_that_is_back_is_told_too(no_database, mail_server, monkeypatch):
    outage = DatabaseOutage()
    for minutes in range(3):
        watchdog.check(outage, now=NOW + minutes * MINUTE)
    monkeypatch.undo()
    monkeypatch.setattr(health_alerts, "check", lambda **_: [])
    for minutes in range(3, 6):
        watchdog.check(outage, now=NOW + minutes * MINUTE)
    assert mail_server.subjects[1:] == ["Plumbline: the database is available again"]
    assert "from 2026-04-01 12:00 to 2026-04-01 12:03 UTC" in mail_server.text()


def test_of_an_outage_is_told_when_the_mail_server_is_back(no_database, mail_server):
    outage = DatabaseOutage()
    mail_server.refusal = "451 later"
    for minutes in range(3):
        watchdog.check(outage, now=NOW + minutes * MINUTE)
    mail_server.refusal = ""
    for minutes in range(3, 5):
        watchdog.check(outage, now=NOW + minutes * MINUTE)
    assert mail_server.subjects == ["Plumbline: the database is unavailable"]


def test_mail_that_fails_is_shown_by_system_health(mail_server):
    def mail():
        return next(one for one in system_health(NOW).components if one.name == "mail")

    assert mail().health == "ok"
    mail_server.refusal = "554 no thanks"
    message = deliveries.Message("Subject", "Text")
    deliveries.post(Delivery.Kind.ALERT, "one", message, to=["ada@example.com"], now=NOW)
    deliveries.send_due(now=NOW)
    assert mail().health == "warning"
    assert mail().detail == "Messages that could not be sent: 1."
