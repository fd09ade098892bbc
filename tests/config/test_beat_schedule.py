"""Every scheduled job exists and has a task."""

import pytest
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from config.beat_schedule import SCHEDULE, create_missing_entries
from config.celery import app

pytestmark = pytest.mark.django_db


def test_every_job_has_a_task():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in SCHEDULE.values()} <= app.tasks.keys()


def test_a_migrated_database_has_the_jobs():
    assert set(SCHEDULE) <= set(PeriodicTask.objects.values_list("name", flat=True))


def test_an_edited_job_is_not_overwritten():
    PeriodicTask.objects.filter(name="make-partitions").update(enabled=False)
    create_missing_entries()
    assert not PeriodicTask.objects.get(name="make-partitions").enabled


def test_a_job_of_every_minute_expires_if_no_worker_runs():
    assert PeriodicTask.objects.get(name="forward-to-posthog").expire_seconds == 60


def test_a_new_job_waits_for_its_time():
    PeriodicTask.objects.filter(name="check-kpi-alerts").delete()
    create_missing_entries()
    entry = ModelEntry(PeriodicTask.objects.get(name="check-kpi-alerts"), app=app)
    assert not entry.is_due().is_due
