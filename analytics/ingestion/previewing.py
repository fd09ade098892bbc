"""What importing a file would do: everything is read, nothing is stored."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from analytics.calculations.imports.products import NOT_STORED
from analytics.calculations.imports.surprises import Times
from analytics.calculations.records import EventRecord, Rejection
from analytics.calculations.stored_json import decoded_or
from analytics.ingestion.files import EventFile, ReadingOptions, understand

EXAMPLES = 3
MOST_COLUMNS = 1_000  # names that are counted

Raws = dict[str, msgspec.Raw]
_decode_raws = msgspec.json.Decoder(Raws).decode


@dataclass
class ImportPreview:
    """A file's events as they would be stored, and what is odd about them."""

    file: EventFile
    events: int = 0
    examples: list[EventRecord] = field(default_factory=list)  # the first
    rejected: list[Rejection] = field(default_factory=list)  # the first of each reason
    rejections: Counter[str] = field(default_factory=Counter)  # by reason
    columns: Counter[str] = field(default_factory=Counter)  # events by name of a field or column
    properties: Counter[str] = field(default_factory=Counter)  # events by name of a property
    times: Times = field(default_factory=Times)

    @property
    def not_stored(self) -> list[str]:
        """The columns that would not be stored."""
        return sorted(NOT_STORED[self.file.options.file_format] & self.columns.keys())


def preview(
    path: Path,
    options: ReadingOptions,
    *,
    name: str,
    now: datetime,
    progress: Callable[[int], None] = lambda _: None,
) -> ImportPreview:
    """Return what importing a file would store, or raise `NotUnderstood`.

    `progress` is called with the bytes of the file read so far.
    """
    seen = ImportPreview(understand(path, name, options))
    with path.open("rb") as file:
        for number, row in enumerate(seen.file.rows(file), start=1):
            if not row.problem:
                _count(seen.columns, row.content)
            _add(seen, seen.file.read(row), now)
            if number % 1_000 == 0:
                progress(file.tell())
    return seen


def _add(seen: ImportPreview, result: EventRecord | Rejection, now: datetime) -> None:
    if isinstance(result, Rejection):
        seen.rejections[result.reason] += 1
        if seen.rejections[result.reason] <= EXAMPLES:
            seen.rejected.append(result)
        return
    seen.events += 1
    seen.times.add(result.timestamp, now)
    _count(seen.properties, result.properties)
    if len(seen.examples) < EXAMPLES:
        seen.examples.append(result)


def _count(names: Counter[str], content: bytes) -> None:
    """Count the names of an object's fields, the first `MOST_COLUMNS` of them."""
    fields: Raws = decoded_or(_decode_raws, content, {})
    for name in fields:
        if name in names or len(names) < MOST_COLUMNS:
            names[name] += 1
