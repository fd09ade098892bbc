"""O01, O09: the forms refuse schedules that can never run, and names that others go by."""

from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from config.beat_schedule import create_missing_entries
from operational.admin.schedules import PeriodicTaskAdmin

ADMIN = "/admin/django_celery_beat/"
CRONTAB = {
    "minute": "0",
    "hour": "3",
    "day_of_month": "*",
    "month_of_year": "*",
    "day_of_week": "*",
    "timezone": "UTC",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def report():
    create_missing_entries()
    return PeriodicTask.objects.get(name="daily-report")


def form(task=None, /, **fields):
    values = {"args": "[]", "kwargs": "{}", "task": "operational.tasks.clean_up", "enabled": "on"}
    if task:
        values |= {"task": task.task, "crontab": task.crontab_id}
    return values | fields


def errors(response):
    assert response.status_code == 200
    return " ".join(map(str, response.context["errors"]))


@pytest.mark.parametrize(("day", "month"), [("31", "2"), ("30,31", "2"), ("31", "4,6")])
def test_o01_a_crontab_without_any_date_is_refused(admin_client, day, month):
    data = {**CRONTAB, "day_of_month": day, "month_of_year": month}
    response = admin_client.post(f"{ADMIN}crontabschedule/add/", data)
    assert "This can never run" in errors(response)


def test_a_crontab_with_dates_is_saved(admin_client):
    data = {**CRONTAB, "day_of_month": "29", "month_of_year": "2"}
    assert admin_client.post(f"{ADMIN}crontabschedule/add/", data).status_code == 302


@pytest.mark.parametrize(("every", "period"), [(1, "microseconds"), (2**31 - 1, "days")])
def test_o01_an_interval_that_is_too_short_or_endless_is_refused(admin_client, every, period):
    data = {"every": every, "period": period}
    response = admin_client.post(f"{ADMIN}intervalschedule/add/", data)
    assert "This can never run" in errors(response)


def test_o01_solar_schedules_are_not_offered(admin_client, report):
    assert admin_client.get(f"{ADMIN}solarschedule/add/").status_code == 404
    page = admin_client.get(f"{ADMIN}periodictask/{report.pk}/change/")
    assert "solar" not in page.context["adminform"].form.fields


def test_o01_a_job_whose_task_does_not_exist_is_refused(admin_client):
    crontab = CrontabSchedule.objects.create()
    data = form(name="odd", task="operational.tasks.cleanup", crontab=crontab.pk)
    assert "no such task" in errors(admin_client.post(f"{ADMIN}periodictask/add/", data))


@pytest.mark.parametrize("task", ["celery.map", "celery.chord", "celery.group"])
def test_s07_celerys_own_tasks_which_run_any_other_are_refused(admin_client, task):
    crontab = CrontabSchedule.objects.create()
    data = form(name="odd", task=task, crontab=crontab.pk)
    assert "no such task" in errors(admin_client.post(f"{ADMIN}periodictask/add/", data))


ARGUMENTS = {
    "too many": {"args": "[1]"},
    "of a wrong name": {"kwargs": '{"x": 1}'},
    "not a list": {"args": "5"},
    "missing": {"task": "billing.tasks.send_usage_notices"},
}


@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_o01_a_job_whose_arguments_do_not_fit_is_refused(admin_client, arguments):
    crontab = CrontabSchedule.objects.create()
    data = form(name="odd", crontab=crontab.pk, **arguments)
    assert "these arguments" in errors(admin_client.post(f"{ADMIN}periodictask/add/", data))


@pytest.mark.parametrize(
    "fields",
    [
        {"task": "celery.backend_cleanup"},
        {"task": "billing.tasks.send_usage_notices", "args": "[7]"},
    ],
)
def test_a_job_whose_arguments_fit_is_saved(admin_client, fields):
    crontab = CrontabSchedule.objects.create()
    data = form(name="own", crontab=crontab.pk, **fields)
    assert admin_client.post(f"{ADMIN}periodictask/add/", data).status_code == 302


def test_o01_a_job_that_has_expired_is_refused(admin_client):
    crontab = CrontabSchedule.objects.create()
    data = form(name="odd", crontab=crontab.pk, expires_0="2026-01-01", expires_1="00:00:00")
    assert "never run" in errors(admin_client.post(f"{ADMIN}periodictask/add/", data))


def test_o05_a_new_job_begins_when_it_is_created(admin_client, time_machine):
    now = datetime(2026, 4, 1, 12, tzinfo=UTC)
    time_machine.move_to(now, tick=False)
    crontab = CrontabSchedule.objects.create()
    data = form(name="ours", crontab=crontab.pk)
    assert admin_client.post(f"{ADMIN}periodictask/add/", data).status_code == 302
    assert PeriodicTask.objects.get(name="ours").start_time == now


@pytest.mark.parametrize("name", ["daily-report", "weekly-report"])
def test_o09_a_report_without_a_crontab_is_refused(admin_client, report, name):
    every = IntervalSchedule.objects.create(every=1, period="days")
    job = PeriodicTask.objects.get(name=name)
    data = form(job, crontab="", interval=every.pk)
    response = admin_client.post(f"{ADMIN}periodictask/{job.pk}/change/", data)
    assert "A report needs a crontab" in errors(response)


def test_o09_a_job_keeps_its_name(admin_client, report):
    data = form(report, name="morning")
    assert admin_client.post(f"{ADMIN}periodictask/{report.pk}/change/", data).status_code == 302
    report.refresh_from_db()
    assert report.name == "daily-report"


def test_a_crontab_that_cannot_be_read_breaks_no_page(admin_client, report):
    odd = CrontabSchedule.objects.create(minute="soon")
    PeriodicTask.objects.bulk_create([PeriodicTask(name="odd", task="x", crontab=odd)])
    page = admin_client.get(f"{ADMIN}periodictask/")
    assert (page.status_code, b"Last run" in page.content) == (200, True)
    assert admin_client.get(f"{ADMIN}periodictask/{report.pk}/change/").status_code == 200


@pytest.mark.parametrize(("runs", "last_run"), [(0, None), (1, "as recorded")])
def test_a_job_that_has_never_run_has_no_last_run(report, runs, last_run):
    report.total_run_count = runs
    job_admin = admin.site.get_model_admin(PeriodicTask)
    assert isinstance(job_admin, PeriodicTaskAdmin)
    assert job_admin.last_run(report) == (report.last_run_at if last_run else None)
