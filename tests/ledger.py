"""Totals of the ingestion ledger."""

from collections import Counter

from analytics.models import CaptureHour


def totals() -> Counter[str]:
    """Return the number of events by outcome; an outcome that did not occur is 0."""
    events: Counter[str] = Counter()
    for row in CaptureHour.objects.all():
        events[row.outcome] += row.events
    return events
