"""The watchdog notices what is down, and notifies people once."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django_celery_beat.models import PeriodicTask

from common.calculations.health import Component, Health, overall
from config.beat_schedule import create_missing_entries
from operational.alerting import health_alerts
from operational.health.system_health import SystemHealth, system_health
from operational.messages import deliveries, sending
from operational.models import Alert, DeliveryKind, Heartbeat, JobRun
from operational.monitoring import watchdog
from operational.monitoring.watchdog import Outages
from tests.clocks import stopped

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 4, 1, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GOOD = Component("disk", Health.OK, "50 % free.")
BAD = Component("disk", Health.CRITICAL, "2 % free.", remedy="Make room.")


@pytest.fixture
def check_each(monkeypatch, mail_server):
    """Check these components, one a minute; return the subjects that arrived."""

    def run(*components):
        for number, component in enumerate(components):
            health = SystemHealth(NOW, overall([component]), (component,))
            monkeypatch.setattr(health_alerts, "system_health", lambda _, latest=health: latest)
            watchdog.check(Outages(), clock=stopped(NOW + number * MINUTE))
        return mail_server.subjects

    return run


def test_a_component_down_for_two_minutes_is_reported_once_with_its_remedy(check_each, mail_server):
    assert check_each(GOOD, BAD, BAD, BAD, BAD) == ["Plumbline: Disk: critical"]
    assert "2 % free." in mail_server.text()
    assert "What to do: Make room." in mail_server.text()


def test_a_single_failed_check_is_not_an_alert(check_each):
    assert check_each(GOOD, BAD, GOOD, GOOD) == []


def test_a_component_that_recovers_is_reported_as_resolved(check_each):
    assert check_each(BAD, BAD, GOOD)[1:] == ["Plumbline: Disk: resolved"]


def test_a_component_that_is_not_set_up_is_not_an_alert(check_each):
    off = Component("disk", Health.OFF, "Not set up.")
    assert check_each(off, off, off) == []


def test_two_checks_in_a_minute_count_once(check_each, mail_server):
    check_each(BAD)
    watchdog.check(Outages(), clock=stopped(NOW + timedelta(seconds=10)))
    assert not mail_server.subjects
    assert Alert.objects.get().recent == [[1, "critical"]]


def test_a_missed_job_is_reported(mail_server, time_machine):
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
        return next(part for part in system_health(NOW).components if part.name == "watchdog")

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
        raise OperationalError

    monkeypatch.setattr(health_alerts, "check", fail)


def test_an_unavailable_database_is_reported_directly_and_once(no_database, mail_server):
    outage = Outages()
    for minutes in range(5):
        watchdog.check(outage, clock=stopped(NOW + minutes * MINUTE))
    assert mail_server.subjects == ["Plumbline: the database is unavailable"]
    assert "Since 2026-04-01 12:00 UTC: OperationalError" in mail_server.text()


def test_a_recovered_database_is_reported_too(no_database, mail_server, monkeypatch):
    outage = Outages()
    for minutes in range(3):
        watchdog.check(outage, clock=stopped(NOW + minutes * MINUTE))
    monkeypatch.undo()
    monkeypatch.setattr(health_alerts, "check", lambda **_: [])
    for minutes in range(3, 6):
        watchdog.check(outage, clock=stopped(NOW + minutes * MINUTE))
    assert mail_server.subjects[1:] == ["Plumbline: the database is available again"]
    assert "from 2026-04-01 12:00 UTC to 2026-04-01 12:03 UTC" in mail_server.text()


def test_an_outage_is_reported_once_the_mail_server_recovers(no_database, mail_server):
    outage = Outages()
    mail_server.refusal = "451 later"
    for minutes in range(3):
        watchdog.check(outage, clock=stopped(NOW + minutes * MINUTE))
    mail_server.refusal = ""
    for minutes in range(3, 5):
        watchdog.check(outage, clock=stopped(NOW + minutes * MINUTE))
    assert mail_server.subjects == ["Plumbline: the database is unavailable"]


def test_failed_mail_is_shown_by_system_health(mail_server):
    def mail():
        return next(part for part in system_health(NOW).components if part.name == "mail")

    assert mail().health == "ok"
    mail_server.refusal = "554 no thanks"
    message = deliveries.Message("Subject", "Text")
    deliveries.post(DeliveryKind.ALERT, "key", message, to=["ada@example.com"], now=NOW)
    sending.send_due(clock=stopped(NOW))
    assert mail().health == "warning"
    assert mail().detail == "Messages that could not be sent: 1."


def fail(error):
    def failing(*_, **__):
        raise error

    return failing


@pytest.mark.parametrize("error", [RuntimeError("odd"), ImportError("odd"), KeyError("odd")])
def test_o01_the_watchdog_survives_what_it_watches_and_says_so_once(
    error, mail_server, monkeypatch
):
    monkeypatch.setattr(health_alerts, "check", fail(error))
    outages = Outages()
    for minutes in range(4):
        watchdog.check(outages, clock=stopped(NOW + minutes * MINUTE))
    assert mail_server.subjects == ["Plumbline: the watchdog's checks fail"]
    assert f"Since 2026-04-01 12:00 UTC: {type(error).__name__}" in mail_server.text()
    monkeypatch.undo()
    watchdog.check(outages, clock=stopped(NOW + 5 * MINUTE))
    assert "Plumbline: the watchdog's checks work again" in mail_server.subjects


def test_o01_messages_are_sent_although_the_checks_fail(mail_server, monkeypatch):
    monkeypatch.setattr(health_alerts, "check", fail(RuntimeError("odd")))
    message = deliveries.Message("Subject", "Text")
    deliveries.post(DeliveryKind.ALERT, "key", message, to=["ada@example.com"], now=NOW)
    watchdog.check(Outages(), clock=stopped(NOW))
    assert mail_server.subjects == ["Subject"]


def test_o02_the_watchdog_survives_a_mail_backend_that_does_not_exist(settings, no_database):
    settings.PLUMBLINE_EMAIL_FROM, settings.ADMIN_EMAIL = "a@example.com", ["b@example.com"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smpt.EmailBackend"
    outages = Outages()
    for minutes in range(3):
        watchdog.check(outages, clock=stopped(NOW + minutes * MINUTE))
    assert len(outages.database.unsent) == 1


def test_o01_an_alert_that_cannot_be_checked_is_one_problem_and_the_others_fire(
    mail_server, monkeypatch
):
    parts = (BAD, Component("beat", Health.CRITICAL, "Stopped."))
    health = SystemHealth(NOW, Health.CRITICAL, parts)
    monkeypatch.setattr(health_alerts, "system_health", lambda _: health)
    Alert.objects.create(kind="health", subject="disk", recent=[["odd", "row"]])
    for minutes in range(2):
        watchdog.check(Outages(), clock=stopped(NOW + minutes * MINUTE))
    assert mail_server.subjects == ["Plumbline: Beat: critical"]
    monkeypatch.undo()
    alerts = next(part for part in system_health(NOW).components if part.name == "alerts")
    assert alerts.health == "warning"
    assert alerts.detail.startswith("Could not be checked: Disk (")


def test_o01_an_alert_that_cannot_be_explained_is_sent_all_the_same(check_each, monkeypatch):
    monkeypatch.setattr(health_alerts, "_notification", fail(LookupError("odd")))
    assert check_each(BAD, BAD) == ["Plumbline: Disk: critical"]


AHEAD = timedelta(days=300)


def watch(monkeypatch, component, *moments):
    health = SystemHealth(NOW, overall([component]), (component,))
    monkeypatch.setattr(health_alerts, "system_health", lambda _: health)
    for moment in moments:
        watchdog.check(Outages(), clock=stopped(moment))


def test_o04_an_alert_fires_after_the_clock_was_ahead(mail_server, monkeypatch):
    watch(monkeypatch, BAD, NOW + AHEAD, NOW + AHEAD + MINUTE)
    watch(monkeypatch, GOOD, NOW + AHEAD + 2 * MINUTE)
    watch(monkeypatch, BAD, NOW, NOW + MINUTE)
    subjects = ["Disk: critical", "Disk: resolved", "Disk: critical"]
    assert mail_server.subjects == [f"Plumbline: {subject}" for subject in subjects]


def test_o04_an_alert_fires_while_the_clock_is_behind(mail_server, monkeypatch):
    watch(monkeypatch, GOOD, NOW)
    watch(monkeypatch, BAD, NOW - AHEAD, NOW - AHEAD + MINUTE)
    assert mail_server.subjects == ["Plumbline: Disk: critical"]


def test_o04_reminders_do_not_wait_for_the_time_of_a_clock_that_was_ahead(mail_server, monkeypatch):
    watch(monkeypatch, BAD, NOW + AHEAD, NOW + AHEAD + MINUTE)
    watch(monkeypatch, BAD, NOW, NOW + MINUTE, NOW + 2 * MINUTE)
    assert mail_server.subjects[1:] == ["Plumbline: Disk: still critical"]


def test_o04_a_silence_of_a_clock_that_was_ahead_has_ended(mail_server, monkeypatch):
    watch(monkeypatch, GOOD, NOW)
    Alert.objects.update(silenced_until=NOW + AHEAD + timedelta(hours=1))
    watch(monkeypatch, BAD, NOW + MINUTE, NOW + 2 * MINUTE)
    assert mail_server.subjects == ["Plumbline: Disk: critical"]


def test_o04_two_processes_whose_clocks_differ_by_seconds_count_as_one(mail_server, monkeypatch):
    seconds = timedelta(seconds=40)  # NOW is half past the minute
    watch(monkeypatch, BAD, NOW + seconds, NOW + timedelta(seconds=5))
    assert not mail_server.subjects


def test_o04_the_heartbeat_of_a_clock_that_was_ahead_is_not_a_sign_of_life():
    Heartbeat.objects.create(process="watchdog", at=NOW + AHEAD)
    part = next(part for part in system_health(NOW).components if part.name == "watchdog")
    assert part.health == "warning"
    assert "it was ahead" in part.detail
