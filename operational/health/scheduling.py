"""Health checks of beat, the worker and the scheduled jobs."""

from collections.abc import Iterator
from datetime import datetime

from common.calculations.health import Component, Health, heartbeat
from operational.health import jobs

_START_WORKER = "Start one: celery -A config worker"
_START_BEAT = (
    "Start it: celery -A config beat --scheduler django_celery_beat.schedulers:DatabaseScheduler"
)


def beat_and_worker(now: datetime) -> Iterator[Component]:
    """Use the jobs of every minute as the heartbeat of beat, which schedules, and of the worker."""
    tasks = jobs.schedules()
    first = min((task.date_changed for task in tasks), default=None)
    scheduled = max((task.last_run_at for task in tasks if task.last_run_at), default=None)
    yield heartbeat("beat", "scheduled a job", scheduled or first, now, remedy=_START_BEAT)
    finished = jobs.last_success()
    yield heartbeat("worker", "finished a job", finished or first, now, remedy=_START_WORKER)


def schedule(now: datetime) -> Iterator[Component]:
    missed = jobs.missed(now)
    if not missed:
        yield Component("schedule", Health.OK, "All jobs ran on time.")
        return
    names = ", ".join(missed_job.job for missed_job in missed)
    why = next((f" {missed_job.problem}." for missed_job in missed if missed_job.problem), "")
    yield Component(
        "schedule",
        Health.WARNING,
        f"Overdue: {names}.{why}",
        min(missed_job.due for missed_job in missed),
        "Check the job history, and that worker and beat are running.",
    )
