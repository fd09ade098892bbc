"""beat starts what is due, whatever else is in its table, and catches up what it missed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from config import scheduler
from config.beat_schedule import SCHEDULE, create_missing_entries
from config.celery import app
from config.scheduler import Scheduler
from tests.operational.health.test_schedules import ODD, task

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
NIGHTLY = {"make-partitions", "check-revenue", "clean-up"}

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation(time_machine, monkeypatch):
    """The jobs of an installation that have run until now."""
    time_machine.move_to(NOW, tick=False)
    # The test's transaction ends with its connection.
    monkeypatch.setattr("django_celery_beat.schedulers.close_old_connections", lambda: None)
    PeriodicTask.objects.all().delete()
    create_missing_entries()


@pytest.fixture
def beat(monkeypatch):
    """A scheduler, and a function that lets it start what is due; returns the jobs' names."""
    started = []
    monkeypatch.setattr(Scheduler, "apply_entry", lambda _, entry, **__: started.append(entry.name))

    def tick(instance):
        started.clear()
        while instance.tick() == 0:
            pass
        instance.sync()
        return set(started)

    return tick


def start():
    instance = Scheduler(app=app, Producer=lambda *_, **__: None)
    instance._finalize.cancel()  # it would save at the end of all tests
    return instance


def test_celery_uses_it():
    assert app.conf.beat_scheduler == "config.scheduler:Scheduler"
    assert issubclass(Scheduler, DatabaseScheduler)


@pytest.mark.parametrize("kind", ODD)
def test_o01_a_row_that_cannot_be_scheduled_does_not_end_beat(kind, beat, time_machine):
    task(**ODD[kind][0]())
    instance = start()
    time_machine.move_to(NOW + timedelta(minutes=1), tick=False)
    assert "check-system-health" in beat(instance)
    assert "odd" not in instance.schedule


def test_o06_the_jobs_of_a_missed_night_are_started_at_once(beat, time_machine):
    time_machine.move_to(NOW + timedelta(hours=22), tick=False)  # 10:00 the next day
    started = beat(start())
    assert started >= NIGHTLY | {"daily-report", "check-kpi-alerts"}
    assert "weekly-report" not in started  # it is due on Mondays
    assert not beat(start())  # each once


def test_o06_jobs_are_caught_up_once_however_long_beat_was_away(beat, time_machine):
    time_machine.move_to(NOW + timedelta(days=9), tick=False)
    instance = start()
    assert beat(instance) == set(SCHEDULE)
    assert not beat(instance)


def test_o04_after_the_clock_was_ahead_jobs_do_not_wait_for_that_time_again(beat, time_machine):
    PeriodicTask.objects.update(last_run_at=NOW + timedelta(days=300))
    assert beat(start()) == set(SCHEDULE)


def test_o04_a_running_beat_notices_that_the_clock_was_set_back(beat, time_machine, monkeypatch):
    instance, offset = start(), scheduler._clock_offset()
    beat(instance)
    monkeypatch.setattr(scheduler, "_clock_offset", lambda: offset + 300 * 86_400)
    time_machine.move_to(NOW + timedelta(days=300), tick=False)
    assert "check-system-health" in beat(instance)
    monkeypatch.setattr(scheduler, "_clock_offset", lambda: offset)
    time_machine.move_to(NOW + timedelta(minutes=1), tick=False)
    assert "check-system-health" in beat(instance)


def test_while_the_schedules_cannot_be_read_the_last_ones_apply(beat, time_machine, monkeypatch):
    instance = start()
    beat(instance)

    def unavailable(_):
        raise OperationalError

    monkeypatch.setattr(Scheduler, "enabled_models", unavailable)
    time_machine.move_to(NOW + timedelta(minutes=6), tick=False)  # it reads them every 5 minutes
    assert "check-system-health" in beat(instance)
