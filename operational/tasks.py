"""Celery entry points."""

from celery import shared_task
from django.utils import timezone

from operational import readings


@shared_task  # type: ignore[untyped-decorator]
def record_kpi_readings() -> None:
    """Record the KPIs of the last complete day and restate the past 65."""
    readings.record_recent(now=timezone.now())
