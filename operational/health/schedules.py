"""Schedules: when each is next due, and which can never fire."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from common.formatting import error_line
from common.read_once import read_once

SHORTEST = timedelta(seconds=1)  # interval; a shorter one would only fill the broker


class CannotFire(Exception):
    """A schedule that never fires, and the reason."""


@dataclass(frozen=True, slots=True)
class UnusableSchedule:
    job: str
    problem: str


@read_once
def schedules() -> Sequence[PeriodicTask]:
    """Return the enabled schedules of recurring jobs, by name."""
    tasks = PeriodicTask.objects.filter(enabled=True, one_off=False)
    return list(tasks.select_related("crontab", "interval", "solar").order_by("name"))


def unusable() -> list[UnusableSchedule]:
    """Return the enabled schedules that can never fire."""
    problems = []
    for task in schedules():
        try:
            next_due(task, timezone.now())
        except CannotFire as error:
            problems.append(UnusableSchedule(task.name, str(error)))
    return problems


def next_due(task: PeriodicTask, after: datetime) -> datetime:
    """Return when a job is next due after a time, in the time zone of its schedule.

    Raises `CannotFire`: rows that no form has checked may hold anything.
    """
    try:
        return _next_due(task, after)
    except Exception as error:
        raise CannotFire(_reason(task, error)) from error


def _next_due(task: PeriodicTask, after: datetime) -> datetime:
    schedule = task.schedule
    if task.crontab:
        zone = getattr(schedule, "tz", None)
        start, delta, _ = schedule.remaining_delta(after.astimezone(zone))
        return cast("datetime", start + delta)
    if task.clocked:
        return cast("datetime", task.clocked.clocked_time)
    if schedule.run_every < SHORTEST:
        raise ValueError("its interval is shorter than a second")
    return cast("datetime", after + schedule.run_every)


def _reason(task: PeriodicTask, error: Exception) -> str:
    if task.solar:
        return "solar schedules are not supported"
    if task.crontab and isinstance(error, RuntimeError):
        return "there is no such date"
    if not (task.crontab or task.interval or task.clocked):
        return "it has neither a crontab nor an interval"
    return str(error).rstrip(".") if isinstance(error, ValueError) else error_line(error)


def next_on_clock(task: PeriodicTask, after: datetime) -> datetime:
    """Return when a job with a crontab is next due after a wall clock time without a zone.

    Raises `CannotFire`.
    """
    try:
        crontab = copy(task.schedule)
        crontab.tz = UTC  # so that nothing is converted: the caller knows the zone
        start, delta, _ = crontab.remaining_delta(after.replace(tzinfo=UTC))
        return cast("datetime", start + delta).replace(tzinfo=None)
    except Exception as error:
        raise CannotFire(_reason(task, error)) from error
