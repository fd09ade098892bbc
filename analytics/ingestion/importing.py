"""Import events from files: JSON Lines or CSV, plain or gzip, repeatable and resumable."""

import csv
import gzip
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from django.db import transaction
from django.utils import timezone

from analytics.calculations.records import EventRecord, InvalidEvent, Reason, Rejection
from analytics.calculations.stored_json import UNREADABLE
from analytics.calculations.wire import event_record
from analytics.calculations.wire_format import WireEvent, decode_event
from analytics.capture import rejections
from analytics.ingestion import ingest
from analytics.models import EventOutcome, ImportRun
from common.locks import import_key, session_lock

LINES_PER_TRANSACTION = 20_000

T = TypeVar("T")
Format = Literal["jsonl", "csv"]
Line = tuple[int, bytes]  # line number from 1, content
LineBatch = tuple[list[EventRecord], list[Rejection]]


@dataclass(frozen=True)
class Columns:
    """The names of the columns or JSON fields to read; all others become properties."""

    event: str = "event"
    distinct_id: str = "distinct_id"
    timestamp: str = "timestamp"
    uuid: str = "uuid"
    properties: str = "properties"
    event_name: str = ""  # the name of every event, where no column holds it


_AS_CAPTURED = Columns()


def import_file(
    path: Path,
    *,
    file_format: Format,
    columns: Columns = _AS_CAPTURED,
    is_demo: bool = False,
    progress: Callable[[int, ImportRun], None] = lambda *_: None,
) -> ImportRun:
    """Import a file and return the finished run.

    An interrupted import resumes where it stopped; a repeated one changes nothing. `progress` is
    called with the bytes of the file read so far and the run. Raise `Locked` where another process
    is importing the same content, or `OSError`.
    """
    with path.open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256")
        fingerprint.update(repr((file_format, astuple(columns))).encode())
    with path.open("rb") as file, session_lock(import_key(fingerprint.hexdigest())):
        run = _unfinished_run(
            fingerprint.hexdigest(), path.name, file_format=file_format, columns=asdict(columns)
        )
        lines = islice(_lines(file, file_format), run.lines, None)
        return _import(
            _batches(lines, file_format, columns),
            run,
            is_demo=is_demo,
            progress=lambda run: progress(file.tell(), run),
        )


def import_stream(
    stream: io.BufferedReader,
    *,
    name: str,
    file_format: Format,
    columns: Columns = _AS_CAPTURED,
    is_demo: bool = False,
    progress: Callable[[ImportRun], None] = lambda _: None,
) -> ImportRun:
    """Import a stream that can be read only once, such as standard input; it cannot be resumed."""
    run = ImportRun.objects.create(
        file_name=name, fingerprint="", file_format=file_format, columns=asdict(columns)
    )
    batches = _batches(_lines(stream, file_format), file_format, columns)
    return _import(batches, run, is_demo=is_demo, progress=progress)


def _import(
    batches: Iterator[LineBatch],
    run: ImportRun,
    *,
    is_demo: bool,
    progress: Callable[[ImportRun], None],
) -> ImportRun:
    for records, unreadable in _read_ahead(batches):
        with transaction.atomic():
            results = ingest.store(records, is_demo=is_demo)
            rejected = unreadable + [result for result in results if isinstance(result, Rejection)]
            rejections.record(
                rejections.imported(rejection, import_run_id=run.pk) for rejection in rejected
            )
            run.lines += len(records) + len(unreadable)
            run.stored += results.count(EventOutcome.STORED)
            run.duplicates += results.count(EventOutcome.DUPLICATE)
            run.rejected += len(rejected)
            run.erased += results.count(EventOutcome.ERASED)
            run.save()
        progress(run)
    run.finished_at = timezone.now()
    run.save()
    return run


def _unfinished_run(fingerprint: str, file_name: str, **mapping: Any) -> ImportRun:
    """Return the interrupted run to resume, or one that starts at the first line."""
    run, _ = ImportRun.objects.update_or_create(
        fingerprint=fingerprint,
        defaults=mapping,
        create_defaults={"file_name": file_name[-255:], **mapping},
    )
    if run.finished_at is not None:
        run.lines = run.stored = run.duplicates = run.rejected = run.erased = 0
        run.finished_at = None
        run.save()
    return run


def _lines(file: io.BufferedReader, file_format: Format) -> Iterator[Line]:
    """Yield the lines that are not blank; a CSV row becomes a JSON object, its header is line 1."""
    is_gzip = file.peek(2)[:2] == b"\x1f\x8b"
    content = io.BufferedReader(gzip.GzipFile(fileobj=file)) if is_gzip else file
    if file_format == "jsonl":
        for number, line in enumerate(content, start=1):
            if not line.isspace():
                yield number, line.strip()
        return
    text = io.TextIOWrapper(content, "utf-8-sig", "replace", newline="")
    rows = csv.DictReader(text)
    for row in rows:
        fields = {name: value for name, value in row.items() if isinstance(name, str) and value}
        yield rows.line_num, msgspec.json.encode(fields)
    text.detach()  # or the file would be closed with it


def _batches(lines: Iterator[Line], file_format: Format, columns: Columns) -> Iterator[LineBatch]:
    while batch := list(islice(lines, LINES_PER_TRANSACTION)):
        yield _parse(batch, file_format, columns)


def _read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Read the next item in a thread while the current one is processed."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        upcoming = reader.submit(next, items, None)
        while (item := upcoming.result()) is not None:
            upcoming = reader.submit(next, items, None)
            yield item


def _parse(lines: Iterable[Line], file_format: Format, columns: Columns) -> LineBatch:
    records: list[EventRecord] = []
    rejected: list[Rejection] = []
    for number, line in lines:
        try:
            records.append(read_line(number, line, file_format, columns))
        except InvalidEvent as error:
            rejected.append(Rejection(error.reason, error.detail, line, number))
    return records, rejected


def read_line(number: int, line: bytes, file_format: Format, columns: Columns) -> EventRecord:
    """Return the event in a line (a CSV row as a JSON object), or raise `Refused`."""
    is_as_captured = file_format == "jsonl" and columns == _AS_CAPTURED
    event = decode_event(line) if is_as_captured else _mapped(line, file_format, columns)
    return event_record(event, line, None, line=number)


def _mapped(line: bytes, file_format: Format, columns: Columns) -> WireEvent:
    """Return the event in a JSON object whose fields are named by `columns`."""
    try:
        fields: dict[str, Any] = msgspec.json.decode(line, type=dict)
    except UNREADABLE as error:
        raise InvalidEvent(Reason.MALFORMED, str(error)) from error
    properties = fields.pop(columns.properties, None)
    if file_format == "csv":
        others = fields.keys() - {
            columns.event,
            columns.distinct_id,
            columns.timestamp,
            columns.uuid,
        }
        properties = {name: fields[name] for name in sorted(others)} | _json_object(properties)
    return decode_event(
        msgspec.json.encode(
            {
                "event": fields.get(columns.event) or columns.event_name,
                "distinct_id": fields.get(columns.distinct_id),
                "timestamp": fields.get(columns.timestamp),
                "uuid": fields.get(columns.uuid),
                "properties": properties,
            }
        )
    )


def _json_object(cell: str | None) -> dict[str, Any]:
    """Return the JSON object in a CSV cell."""
    try:
        return msgspec.json.decode(cell, type=dict) if cell else {}
    except msgspec.DecodeError as error:
        raise InvalidEvent(Reason.BAD_FIELD, f"properties: {error}") from error
