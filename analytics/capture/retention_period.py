"""How long events are kept."""

from datetime import datetime, timedelta

from django.conf import settings

from analytics.calculations.records import EARLIEST


def oldest(now: datetime) -> datetime:
    """Return the time before which an arriving event is rejected as too old."""
    days = settings.PLUMBLINE_EVENT_RETENTION_DAYS
    return max(EARLIEST, now - timedelta(days=days)) if days else EARLIEST
