"""Celery entry points."""

from celery import shared_task
from django.utils import timezone

from analytics.people import exclusion_records
from analytics.rollups import minute_counts
from operational.access import limits
from operational.actions import priority_actions
from operational.alerting import health_alerts, kpi_alerts
from operational.health import jobs
from operational.kpis import readings
from operational.messages import deliveries, sending
from operational.quality import data_quality
from operational.reports import reports


@shared_task  # type: ignore[untyped-decorator]
@jobs.one_at_a_time
def record_kpi_readings() -> None:
    """Record the KPIs of the last complete day, restate the past 65, and rank the actions."""
    now = timezone.now()
    jobs.run_all(
        lambda: readings.record_recent(now=now),
        lambda: priority_actions.refresh(now=now),
    )


@shared_task  # type: ignore[untyped-decorator]
@jobs.one_at_a_time
def check_kpi_alerts() -> None:
    """Check the KPIs of the last complete day, and notify people of changes."""
    jobs.run_all(lambda: kpi_alerts.check(now=timezone.now()), deliveries.send_soon)


@shared_task  # type: ignore[untyped-decorator]
@jobs.one_at_a_time
def check_system_health() -> None:
    """Check the system's health, as the watchdog does."""
    jobs.run_all(lambda: health_alerts.check(now=timezone.now()), deliveries.send_soon)


@shared_task  # type: ignore[untyped-decorator]
@jobs.one_at_a_time
def send_messages() -> None:
    """Send the messages that wait, alerts first."""
    sending.send_due()


@shared_task  # type: ignore[untyped-decorator]
@jobs.one_at_a_time
def send_due_reports() -> None:
    """Queue the daily and weekly reports that are due in each recipient's time zone."""
    reports.send_due(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
@jobs.one_at_a_time
def check_data_quality() -> None:
    """Run every data-quality check and keep its findings."""
    data_quality.run(now=timezone.now())


@shared_task  # type: ignore[untyped-decorator]
@jobs.one_at_a_time
def clean_up() -> None:
    """Delete old history."""
    now = timezone.now()
    jobs.run_all(
        lambda: jobs.delete_old(now),
        minute_counts.delete_old,
        lambda: exclusion_records.delete_old(now),
        lambda: deliveries.delete_old(now),
        lambda: data_quality.delete_old(now),
        lambda: limits.delete_old(now),
    )
