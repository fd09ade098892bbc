"""O01: a schedule that can never run is one problem; everything else goes ahead."""

from datetime import UTC, datetime, timedelta

import pytest
from django_celery_beat.models import (
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from common.health import HealthCheck
from operational.health import jobs, schedules
from operational.health.system_health import system_health
from operational.monitoring import watchdog
from operational.monitoring.watchdog import Outages
from operational.reports import reports
from tests.api import get
from tests.clocks import stopped
from tests.operational.reports.schedules import begin, subscriber

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now(time_machine):
    time_machine.move_to(NOW, tick=False)


def task(name="odd", **schedule):
    """Create a row as it may exist, although no form would save it."""
    row = PeriodicTask(name=name, task="operational.tasks.clean_up", **schedule)
    PeriodicTask.objects.bulk_create([row])
    return PeriodicTask.objects.get(name=name)


def crontab(**fields):
    return {"crontab": CrontabSchedule.objects.create(**fields)}


def february_31():
    return crontab(minute="0", hour="3", day_of_month="31", month_of_year="2")


def solar():
    return {"solar": SolarSchedule.objects.create(event="sunset", latitude=52, longitude=13)}


def interval(every, period):
    return {"interval": IntervalSchedule.objects.create(every=every, period=period)}


ODD = {
    "february_31": (february_31, "'31' never occurs in month_of_year '2'"),
    "solar": (solar, "solar schedules are not supported"),
    "garbage": (lambda: crontab(minute="soon"), "'soon'"),
    "no_schedule": (dict, "neither a crontab nor an interval"),
    "microseconds": (lambda: interval(1, "microseconds"), "shorter than a second"),
    "negative": (lambda: interval(-5, "minutes"), "shorter than a second"),
    "endless": (lambda: interval(2**31 - 1, "days"), "OverflowError"),
}


@pytest.mark.parametrize("kind", ODD)
def test_o01_a_schedule_that_cannot_run_is_one_problem_in_system_health(kind):
    schedule, reason = ODD[kind]
    task(**schedule())
    parts = {part["name"]: part for part in get("operational/system-health")["components"]}
    assert parts["schedule"]["health"] == "warning"
    assert "odd can never run: " in parts["schedule"]["detail"]
    assert reason in parts["schedule"]["detail"]
    assert parts["health checks"]["health"] == "ok"


def test_o01_beside_it_overdue_jobs_are_still_named():
    task(**february_31())
    yesterday = NOW - timedelta(days=1)
    task("nightly", start_time=yesterday, **crontab(minute="0", hour="3"))
    assert [missed.job for missed in jobs.missed(NOW)] == ["nightly"]
    schedule = next(part for part in system_health(NOW).components if part.name == "schedule")
    assert "Overdue: nightly." in schedule.detail
    assert "odd can never run" in schedule.detail


def test_o01_reports_go_out_although_a_schedule_cannot_run(mail_server):
    begin()
    PeriodicTask.objects.filter(name="weekly-report").update(**february_31())
    subscriber("ada@example.com", "UTC")
    assert reports.send_due(now=NOW) == 1


def test_29_february_is_a_date():
    leap = task(**crontab(minute="0", hour="3", day_of_month="29", month_of_year="2"))
    assert schedules.next_due(leap, NOW) == datetime(2028, 2, 29, 3, tzinfo=UTC)
    assert schedules.unusable() == []


@pytest.mark.parametrize("error", [RuntimeError("odd"), AttributeError("odd"), KeyError("odd")])
def test_a_health_check_that_breaks_is_one_problem_and_the_others_are_made(monkeypatch, error):
    run = HealthCheck.run

    def broken(check, now):
        if check.name == "disk":
            raise error
        return run(check, now)

    monkeypatch.setattr(HealthCheck, "run", broken)
    parts = {part.name: part for part in system_health(NOW).components}
    assert "disk" not in parts
    assert parts["health checks"].detail.startswith("Could not be checked: disk (")
    assert parts["database"].health == "ok"


@pytest.mark.parametrize("name", ["daily-report", "weekly-report"])
def test_o09_a_report_with_an_interval_is_a_problem(name):
    begin()
    PeriodicTask.objects.filter(name=name).update(crontab=None, **interval(1, "days"))
    part = next(part for part in system_health(NOW).components if part.name == "reports")
    assert part.health == "warning"
    assert part.detail == f"Never due: {name}. A report needs a crontab."


@pytest.mark.parametrize("name", ["daily-report", "clean-up"])
@pytest.mark.parametrize("deleted", [True, False])
def test_o09_a_job_that_was_renamed_or_deleted_is_a_problem(name, deleted):
    begin()
    job = PeriodicTask.objects.filter(name=name)
    if deleted:
        job.delete()
    else:
        job.update(name="ours")
    details = [part.detail for part in system_health(NOW).components if part.name == "schedule"]
    assert f"Deleted or renamed: {name}." in details


@pytest.mark.parametrize("kind", ["february_31", "solar", "garbage"])
@pytest.mark.parametrize("path", ["/metrics", "/api/operational/daily-report"])
def test_o01_metrics_and_reports_are_served_although_a_schedule_cannot_run(
    admin_client, kind, path
):
    task(**ODD[kind][0]())
    assert admin_client.get(path).status_code == 200


def test_o01_staff_is_notified_of_a_schedule_that_cannot_run(mail_server):
    task(**solar())
    for minute in range(2):
        watchdog.check(Outages(), clock=stopped(NOW + timedelta(minutes=minute)))
    assert "odd can never run: solar schedules are not supported." in mail_server.text()
