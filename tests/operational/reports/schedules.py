"""Schedules of reports, and their subscribers."""

from datetime import UTC, datetime, timedelta

from django_celery_beat.models import PeriodicTask

from config.beat_schedule import create_missing_entries
from operational.models import ReportSubscriber

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
MORNING = datetime(2026, 4, 1, 9, tzinfo=UTC)  # a Wednesday


def begin(at=MORNING - 90 * DAY):
    """Create the schedules, as if Plumbline had been installed then."""
    create_missing_entries()
    PeriodicTask.objects.update(start_time=at)


def subscriber(email="ada@example.com", zone="UTC", *, created_at=MORNING - 90 * DAY, **options):
    return ReportSubscriber.objects.create(
        email=email, time_zone=zone, created_at=created_at, **options
    )


def weekly_off():
    PeriodicTask.objects.filter(name="weekly-report").update(enabled=False)
