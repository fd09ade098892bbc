"""Health checks of beat, the worker and the scheduled jobs."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from common.calculations.health import CLOCK_TOLERANCE, Component, Health, heartbeat
from operational.health import jobs
from operational.health.jobs import MissedJob
from operational.health.schedules import UnusableSchedule, schedules, unusable

_START_WORKER = "Start one: celery -A config worker"
_START_BEAT = "Start it: celery -A config beat"
_SCHEDULES = "admin:django_celery_beat_periodictask_changelist"


def beat_and_worker(now: datetime) -> Iterator[Component]:
    """Use the jobs of every minute as the heartbeat of beat, which schedules, and of the worker."""
    tasks = schedules()
    first = min((task.date_changed for task in tasks), default=None)
    scheduled = _latest((task.last_run_at for task in tasks), now)
    yield heartbeat("beat", "scheduled a job", scheduled or first, now, remedy=_START_BEAT)
    finished = jobs.last_success(now)
    yield heartbeat("worker", "finished a job", finished or first, now, remedy=_START_WORKER)


def _latest(times: Iterable[datetime | None], now: datetime) -> datetime | None:
    """Return the latest time that is not still to come."""
    return max((time for time in times if time and time <= now + CLOCK_TOLERANCE), default=None)


def schedule(now: datetime) -> Iterator[Component]:
    """Report the jobs that were missed, and the schedules that cannot fire."""
    missed, broken = jobs.missed(now), unusable()
    if not missed and not broken:
        yield Component("schedule", Health.OK, "All jobs ran on time.")
        return
    yield Component(
        "schedule",
        Health.WARNING,
        " ".join([*_overdue(missed), *map(_cannot_fire, broken)]),
        min((missed_job.due for missed_job in missed), default=None),
        "Correct the schedule."
        if broken
        else "Check the job history, and that worker and beat are running.",
        _SCHEDULES if broken else "",
    )


def _overdue(missed: Sequence[MissedJob]) -> Iterator[str]:
    names = ", ".join(missed_job.job for missed_job in missed)
    if names:
        yield f"Overdue: {names}."
    problems = [f"{missed_job.problem}." for missed_job in missed if missed_job.problem]
    yield from problems[:1]


def _cannot_fire(broken: UnusableSchedule) -> str:
    return f"{broken.job} can never run: {broken.problem}."
