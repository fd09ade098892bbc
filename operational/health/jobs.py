"""Scheduled jobs: the history of their runs, and which are overdue."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce, wraps
from operator import or_
from typing import Any

from celery import states
from django.conf import settings
from django.db.models import Max, Min, Q
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from common.calculations.health import CLOCK_TOLERANCE
from common.formatting import error_line
from common.locks import try_session_lock
from common.read_once import read_once
from operational.health.schedules import CannotFire, next_due, schedules
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
def successes(now: datetime) -> Mapping[str, tuple[datetime, datetime]]:
    """Return when each job's last successful run started, and when it finished.

    Runs of a clock that was ahead do not count: their times are still to come.
    """
    succeeded = JobRun.objects.filter(
        outcome=JobRun.Outcome.OK, finished_at__lte=now + CLOCK_TOLERANCE
    )
    rows = succeeded.values_list("job").annotate(Max("started_at"), Max("finished_at"))
    return {job: (started, finished) for job, started, finished in rows}


def last_success(now: datetime) -> datetime | None:
    """Return when a worker last finished a scheduled job."""
    return max((finished for _, finished in successes(now).values()), default=None)


def missed(now: datetime, *, patience: timedelta = PATIENCE) -> Sequence[MissedJob]:
    """Return the enabled jobs that were due longer than `patience` ago and did not succeed.

    A job that is running is not missed. Schedules that cannot fire are left to `unusable`.
    """
    late = []
    for task in schedules():
        last, _ = successes(now).get(task.name, (None, None))
        try:
            due = next_due(task, last or _beginning(task))
        except CannotFire:
            continue
        if due + patience < now:
            late.append((task.name, due, last))
    if not late:
        return []
    problems, running = _problems(), _running({name: due for name, due, _ in late}, now)
    return [
        MissedJob(name, due, last, problems.get(name, ""))
        for name, due, last in late
        if name not in running
    ]


def _beginning(task: PeriodicTask) -> datetime:
    """Return when a job that has never succeeded was scheduled first.

    beat changes `date_changed` with every run, so it says little of a job that has run.
    """
    times = [task.start_time, _first_runs().get(task.name), task.date_changed]
    return min((time for time in times if time), default=timezone.now())


@read_once
def _first_runs() -> Mapping[str, datetime]:
    return dict(JobRun.objects.values_list("job").annotate(first=Min("started_at")))


def _running(due: Mapping[str, datetime], now: datetime) -> set[str]:
    """Return the jobs whose first run since they were due is under way.

    A run that takes longer than a job may was killed.
    """
    since_due = reduce(or_, (Q(job=job, started_at__gte=time) for job, time in due.items()))
    runs = JobRun.objects.filter(since_due).order_by("job", "started_at").distinct("job")
    longest = timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT)
    return {
        run.job
        for run in runs
        if run.outcome == JobRun.Outcome.RUNNING and run.started_at > now - longest
    }


def _problems() -> dict[str, str]:
    failed = JobRun.objects.filter(outcome=JobRun.Outcome.FAILED).order_by("started_at")
    return dict(failed.values_list("job", "problem"))


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


def run_all(*steps: Callable[[], object]) -> None:
    """Run each step of a job even if an earlier one fails; then raise the first failure."""
    failures = []
    for step in steps:
        try:
            step()
        except Exception as error:  # noqa: BLE001  it is raised once the others have run
            failures.append(error)
    for failure in failures[1:]:
        logger.error("Another step of the job failed.", exc_info=failure)
    if failures:
        raise failures[0]


def delete_old(now: datetime) -> None:
    """Delete old runs, but not a job's last success, however long ago it was."""
    succeeded = JobRun.objects.filter(outcome=JobRun.Outcome.OK)
    last = succeeded.order_by("job", "-started_at").distinct("job").values("pk")
    JobRun.objects.filter(started_at__lt=now - KEPT).exclude(pk__in=last).delete()
