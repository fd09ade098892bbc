"""Store the histories of a few people."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from analytics.ingestion.ingest import store
from tests.events import record

DAY = timedelta(days=1)


def at(text: str) -> datetime:
    """Return a UTC time from ``2024-05-01`` or ``2024-05-01 23:45``."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def did(person: str, *events: tuple[str, str]) -> None:
    """Store what a person did: pairs of an event's name and its UTC time."""
    with transaction.atomic():
        store([record(event, person, at(time)) for event, time in events])
