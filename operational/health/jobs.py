"""Scheduled jobs: the history of their runs, and which are overdue."""

import logging
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, cast

from celery import states
from django.db.models import Max
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from common.formatting import error_line
from common.locks import try_session_lock
from common.read_once import read_once
from operational.models import JobRun

logger = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=5)  # after the time at which a job is due
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class MissedJob:
    """A job that was due and has not succeeded since; `last_success` None: never."""

    job: str
    due: datetime
    last_success: datetime | None
    problem: str  # of the last run, "" if it did not fail


def record_start(task_id: str, task: Any, **_: Any) -> None:
    """Record that a scheduled job starts, in the worker that runs it."""
    if job := _job_of(task):
        started = {"job": job, "started_at": timezone.now(), "outcome": JobRun.Outcome.RUNNING}
        JobRun.objects.update_or_create(task_id=task_id, defaults=started)


def record_end(task_id: str, task: Any, state: str, retval: Any, **_: Any) -> None:
    """Record how a scheduled job ended, in the worker that ran it."""
    if not _job_of(task):
        return
    failed = state != states.SUCCESS
    problem = error_line(retval) if failed else ""
    JobRun.objects.filter(pk=task_id).update(
        finished_at=timezone.now(),
        outcome=JobRun.Outcome.FAILED if failed else JobRun.Outcome.OK,
        problem=problem,
    )


def _job_of(task: Any) -> str:
    """Return the name of the schedule that started a task, "" for other tasks."""
    headers = getattr(task.request, "headers", None) or {}
    return str(
        headers.get("periodic_task_name") or getattr(task.request, "periodic_task_name", "") or ""
    )


@read_once
def schedules() -> Sequence[PeriodicTask]:
    """Return the enabled schedules of recurring jobs, by name."""
    tasks = PeriodicTask.objects.filter(enabled=True, one_off=False)
    return list(tasks.select_related("crontab", "interval").order_by("name"))


@read_once
def successes() -> Mapping[str, tuple[datetime, datetime]]:
    """Return when each job's last successful run started, and when it finished."""
    succeeded = JobRun.objects.filter(outcome=JobRun.Outcome.OK)
    rows = succeeded.values_list("job").annotate(Max("started_at"), Max("finished_at"))
    return {job: (started, finished) for job, started, finished in rows}


def last_success() -> datetime | None:
    """Return when a worker last finished a scheduled job."""
    return max((finished for _, finished in successes().values()), default=None)


def missed(now: datetime, *, patience: timedelta = PATIENCE) -> Sequence[MissedJob]:
    """Return the enabled jobs that were due longer than `patience` ago and did not succeed."""
    late = []
    for task in schedules():
        last, _ = successes().get(task.name, (None, None))
        due = next_due(task, last or task.date_changed)
        if due + patience < now:
            late.append((task.name, due, last))
    problems = _problems() if late else {}
    return [MissedJob(name, due, last, problems.get(name, "")) for name, due, last in late]


def _problems() -> dict[str, str]:
    failed = JobRun.objects.filter(outcome=JobRun.Outcome.FAILED).order_by("started_at")
    return dict(failed.values_list("job", "problem"))


def next_due(task: PeriodicTask, after: datetime) -> datetime:
    """Return when a job is next due after a time, in the time zone of its schedule."""
    schedule = task.schedule
    if not hasattr(schedule, "remaining_delta"):  # an interval, which has no time of day
        start, delta = after, schedule.run_every
    else:
        start, delta, _ = schedule.remaining_delta(after.astimezone(getattr(schedule, "tz", None)))
    return cast("datetime", start + delta)


def next_on_clock(task: PeriodicTask, after: datetime) -> datetime:
    """Return when a job with a crontab is next due after a wall clock time without a zone."""
    crontab = copy(task.schedule)
    crontab.tz = UTC  # so that nothing is converted: the caller knows the zone
    start, delta, _ = crontab.remaining_delta(after.replace(tzinfo=UTC))
    return cast("datetime", start + delta).replace(tzinfo=None)


def one_at_a_time(job: Callable[[], None]) -> Callable[[], None]:
    """Let only one run of a job proceed at a time; another run does nothing.

    The database holds the claim, and drops it if the process dies.
    """

    @wraps(job)
    def exclusive() -> None:
        with try_session_lock(job.__qualname__) as acquired:
            if acquired:
                job()
            else:
                logger.info("%s is already running.", job.__qualname__)

    return exclusive


def delete_old(now: datetime) -> None:
    JobRun.objects.filter(started_at__lt=now - KEPT).delete()
