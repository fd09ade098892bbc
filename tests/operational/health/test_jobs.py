"""Every run of a scheduled job is recorded, and a missed run is noticed."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from config.celery import app
from operational.health import jobs, schedules
from operational.models import JobRun

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@app.task
def works():
    return None


@app.task
def breaks():
    raise ValueError("no bread today\nand no butter")


@pytest.fixture(autouse=True)
def only_ours(time_machine):
    time_machine.move_to(NOW, tick=False)
    PeriodicTask.objects.all().delete()


def scheduled(name="nightly", *, since=NOW - timedelta(days=3), zone="UTC", **crontab):
    schedule = CrontabSchedule.objects.create(timezone=zone, **crontab)
    task = PeriodicTask.objects.create(name=name, task="x", crontab=schedule)
    PeriodicTask.objects.filter(pk=task.pk).update(date_changed=since)
    return task


def run(task, *, job="nightly"):
    task.apply(headers={"periodic_task_name": job})
    return JobRun.objects.get(job=job)


def succeeded(job="nightly", *, at):
    JobRun.objects.create(
        task_id=f"{job} {at}", job=job, started_at=at, finished_at=at, outcome="ok"
    )


def test_a_run_is_recorded_with_its_outcome():
    recorded = run(works)
    assert (recorded.outcome, recorded.problem, recorded.finished_at) == ("ok", "", NOW)


def test_a_failed_run_is_recorded_with_the_reason():
    recorded = run(breaks)
    assert (recorded.outcome, recorded.problem) == ("failed", "ValueError: no bread today")


def test_a_task_without_a_schedule_is_not_a_job():
    works.apply()
    assert not JobRun.objects.exists()


def test_a_job_is_missed_five_minutes_after_it_was_due():
    scheduled(minute="30", hour="11", since=NOW - timedelta(hours=1))
    assert [missed_job.job for missed_job in jobs.missed(NOW)] == ["nightly"]
    assert jobs.missed(datetime(2026, 4, 1, 11, 35, tzinfo=UTC)) == []


def test_a_job_that_has_run_since_is_not_missed():
    scheduled(minute="30", hour="11")
    succeeded(at=datetime(2026, 4, 1, 11, 30, tzinfo=UTC))
    assert jobs.missed(NOW) == []


def test_p34_a_new_schedule_is_not_missed_before_it_is_first_due():
    scheduled(minute="0", hour="3", since=NOW - timedelta(minutes=1))
    assert jobs.missed(NOW) == []


def test_o05_a_job_that_never_succeeded_is_missed_although_beat_starts_it_each_day():
    task = scheduled(minute="30", hour="11")
    PeriodicTask.objects.filter(pk=task.pk).update(
        start_time=NOW - timedelta(days=9),
        date_changed=NOW - timedelta(minutes=30),
        last_run_at=NOW - timedelta(minutes=30),
    )
    (missed_job,) = jobs.missed(NOW)
    assert (missed_job.last_success, missed_job.due.day) == (None, 24)


def test_o05_a_job_without_a_start_is_missed_since_its_first_run():
    scheduled(minute="30", hour="11", since=NOW - timedelta(minutes=30))
    at = NOW - timedelta(days=2)
    JobRun.objects.create(task_id="1", job="nightly", started_at=at, outcome="failed", problem="no")
    (missed_job,) = jobs.missed(NOW)
    assert (missed_job.due, missed_job.problem) == (datetime(2026, 3, 31, 11, 30, tzinfo=UTC), "no")


def test_o05_the_last_success_is_kept_however_old_it_is():
    scheduled(minute="30", hour="11")
    for days in (90, 60):
        succeeded(at=NOW - timedelta(days=days))
    jobs.delete_old(NOW)
    (missed_job,) = jobs.missed(NOW)
    assert missed_job.last_success == NOW - timedelta(days=60)
    assert JobRun.objects.count() == 1


@pytest.mark.parametrize(("minutes", "is_missed"), [(10, False), (31, True)])
def test_o06_a_job_that_is_being_caught_up_is_not_missed_for_half_an_hour(minutes, is_missed):
    scheduled(minute="0", hour="3")
    succeeded(at=NOW - timedelta(days=1, hours=9))
    at = NOW - timedelta(minutes=minutes)
    JobRun.objects.create(task_id="1", job="nightly", started_at=at, outcome="running")
    assert bool(jobs.missed(NOW)) == is_missed


def test_o04_a_success_of_a_clock_that_was_ahead_does_not_hide_missed_runs():
    scheduled(minute="30", hour="11", since=NOW - timedelta(days=300))
    succeeded(at=NOW - timedelta(days=2))
    succeeded(at=NOW + timedelta(days=300))
    (missed_job,) = jobs.missed(NOW)
    assert missed_job.last_success == NOW - timedelta(days=2)
    assert jobs.last_success(NOW) == NOW - timedelta(days=2)


def test_a_step_that_fails_does_not_stop_the_others_and_fails_the_job():
    done = []
    with pytest.raises(ValueError, match="first"):
        jobs.run_all(lambda: int("first"), lambda: done.append(1), lambda: int("third"))
    assert done == [1]


def test_a_failed_job_is_missed_with_the_reason():
    scheduled(minute="30", hour="11", since=NOW - timedelta(hours=1))
    run(breaks)
    (missed_job,) = jobs.missed(NOW)
    assert (missed_job.last_success, missed_job.problem) == (None, "ValueError: no bread today")


def test_a_disabled_job_is_not_missed():
    task = scheduled(minute="30", hour="11")
    PeriodicTask.objects.filter(pk=task.pk).update(enabled=False)
    assert jobs.missed(NOW) == []


def test_an_interval_is_watched_too():
    every = IntervalSchedule.objects.create(every=10, period="minutes")
    PeriodicTask.objects.create(name="often", task="x", interval=every)
    succeeded("often", at=NOW - timedelta(minutes=14))
    assert jobs.missed(NOW) == []
    JobRun.objects.update(started_at=NOW - timedelta(minutes=16))
    assert [missed_job.due for missed_job in jobs.missed(NOW)] == [NOW - timedelta(minutes=6)]


@pytest.mark.parametrize(
    ("zone", "last", "due"),
    [
        # Clocks go forward: 2:30 does not exist on 29 March in Berlin.
        ("Europe/Berlin", "2026-03-28T02:30+01:00", "2026-03-29T03:30+02:00"),
        # Clocks go back on 1 November in New York: 9:00 is an hour later in UTC.
        ("America/New_York", "2026-10-31T09:00-04:00", "2026-11-01T09:00-05:00"),
    ],
)
def test_p29_a_job_is_due_once_on_the_day_the_clocks_change(zone, last, due):
    moment, expected = datetime.fromisoformat(last), datetime.fromisoformat(due)
    minute, hour = str(moment.minute), str(moment.hour)
    task = scheduled(minute=minute, hour=hour, zone=zone)
    next_due = schedules.next_due(task, moment)
    assert abs(next_due - expected) <= timedelta(hours=1)
    assert next_due.astimezone(UTC).date() == expected.astimezone(UTC).date()
    assert schedules.next_due(task, next_due).date() > next_due.date()


def test_the_history_is_kept_for_30_days():
    succeeded(at=NOW - timedelta(days=31))
    succeeded(at=NOW - timedelta(days=29))
    jobs.delete_old(NOW)
    assert JobRun.objects.get().started_at == NOW - timedelta(days=29)


@pytest.mark.django_db(transaction=True)
def test_a_running_job_is_not_started_again():
    started, release, runs = threading.Event(), threading.Event(), []

    @jobs.one_at_a_time
    def job():
        runs.append(1)
        started.set()
        release.wait(10)

    def other():
        job()
        connection.close()

    first = threading.Thread(target=other)
    first.start()
    started.wait(10)
    job()
    assert len(runs) == 1
    release.set()
    first.join()
    job()
    assert len(runs) == 2
