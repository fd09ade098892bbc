"""The demo company's product events, loaded through the normal import as its backend's."""

import io
from collections.abc import Callable
from datetime import datetime

import msgspec

from analytics.calculations import company
from analytics.ingestion.files import ReadingOptions
from analytics.ingestion.importing import import_stream
from analytics.models import ImportRun, Person

FILE_NAME = "demo.jsonl"


def load(
    *,
    persons: int,
    days: int,
    until: datetime,
    seed: int,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> ImportRun:
    """Import the demo's events; `progress` is called with the events done and their total."""
    events = list(company.events(persons=persons, days=days, until=until, seed=seed))
    lines = b"\n".join(map(msgspec.json.encode, events))
    return import_stream(
        io.BytesIO(lines),
        ReadingOptions(proved=True),
        name=FILE_NAME,
        is_demo=True,
        progress=lambda _, run: progress(run.lines, len(events)),
    )


def exists() -> bool:
    return Person.objects.filter(is_demo=True).exists()


def activated_persons() -> list[tuple[str, str, datetime]]:
    """Return distinct id, e-mail address and activation time of those who activated."""
    rows = Person.objects.filter(is_demo=True).values_list(
        "distinct_ids__distinct_id", "properties__email", "activated_at"
    )
    return [
        (distinct_id, email or "", activated_at)
        for distinct_id, email, activated_at in rows
        if activated_at
    ]
