"""How long events are kept, and how old they may be when they arrive."""

from datetime import datetime, timedelta

from django.conf import settings

from analytics.calculations.records import EARLIEST

# Every month that events name gets a partition, and each query pays for each partition: so no one
# with the public key may name any month since 1990.
OLDEST_CLAIM = timedelta(days=5 * 365)


def oldest(now: datetime, *, is_claim: bool) -> datetime:
    """Return the time before which an arriving event is rejected as too old."""
    days = settings.PLUMBLINE_EVENT_RETENTION_DAYS
    kept_since = now - timedelta(days=days) if days else EARLIEST
    return max(EARLIEST, kept_since, now - OLDEST_CLAIM if is_claim else EARLIEST)
