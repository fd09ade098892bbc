"""Celery entry points."""

from celery import shared_task
from django.utils import timezone

from analytics import last_day
from operational import jobs, readings


@shared_task  # type: ignore[untyped-decorator]
def record_kpi_readings() -> None:
    """Record the KPIs of the last complete day and restate the past 65."""
    readings.record_recent(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
def clean_up() -> None:
    """Forget what nobody needs any more."""
    jobs.forget_old(timezone.now())
    last_day.forget_old()
