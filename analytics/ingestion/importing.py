"""Import events from files: repeatable, resumable, each row stored or refused with its line."""

import hashlib
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, astuple, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from analytics.calculations.imports.errors import NotUnderstood
from analytics.calculations.imports.rows import Row
from analytics.calculations.imports.surprises import Times
from analytics.calculations.records import EventRecord, Rejection
from analytics.capture import rejections
from analytics.ingestion import ingest
from analytics.ingestion.files import EventFile, ReadingOptions, understand
from analytics.models import EventOutcome, ImportRun
from common.locks import import_key, session_lock

LINES_PER_TRANSACTION = 20_000

T = TypeVar("T")
RowBatch = tuple[list[EventRecord], list[Rejection]]
Progress = Callable[[int, ImportRun], None]

_DEFAULTS = ReadingOptions()


def import_file(
    path: Path,
    options: ReadingOptions = _DEFAULTS,
    *,
    name: str = "",
    is_demo: bool = False,
    progress: Progress = lambda *_: None,
) -> ImportRun:
    """Import a file, and return the finished run.

    An interrupted import resumes where it stopped; a repeated one changes nothing. `progress` is
    called with the bytes of the file read so far and the run. Raise `NotUnderstood`, with nothing
    stored, where the file as a whole cannot be read; `Locked` where another process is importing
    the same content; or `OSError`.
    """
    name = name or path.name
    fingerprint = _fingerprint(path, options)
    understood = understand(path, name, options)
    with path.open("rb") as file, session_lock(import_key(fingerprint)):
        _check_proof(fingerprint, proved=options.proved)
        run = _unfinished_run(
            fingerprint,
            name,
            file_format=options.file_format,
            columns=asdict(understood.columns),
            proved=options.proved,
        )
        rows = islice(understood.rows(file), run.lines, None)
        return _import(
            _batches(rows, understood),
            run,
            is_demo=is_demo,
            progress=lambda run: progress(file.tell(), run),
        )


def import_stream(
    stream: io.BufferedIOBase,
    options: ReadingOptions = _DEFAULTS,
    *,
    name: str,
    is_demo: bool = False,
    progress: Progress = lambda *_: None,
) -> ImportRun:
    """Import a stream that can be read only once, such as standard input, through a file."""
    with as_file(stream) as path:
        return import_file(path, options, name=name, is_demo=is_demo, progress=progress)


@contextmanager
def as_file(stream: io.BufferedIOBase) -> Iterator[Path]:
    """Yield a temporary file with the content of a stream."""
    with tempfile.NamedTemporaryFile() as file:
        shutil.copyfileobj(stream, file)
        file.flush()
        yield Path(file.name)


def _fingerprint(path: Path, options: ReadingOptions) -> str:
    """Return a hash of the content and of how it is read, whatever it proves."""
    with path.open("rb") as file:
        fingerprint = hashlib.file_digest(file, "sha256")
    fingerprint.update(repr(astuple(replace(options, proved=False))).encode())
    return fingerprint.hexdigest()


def _check_proof(fingerprint: str, *, proved: bool) -> None:
    """Refuse a file whose events are stored with another proof: they would count twice."""
    others = ImportRun.objects.filter(fingerprint=fingerprint, stored__gt=0)
    if others.exclude(proved=proved).exists():
        before, now = ("claims", "proved") if proved else ("proved", "claims")
        raise NotUnderstood(
            f"proof: this file was imported as {before} before; as {now}, its events would count"
            " twice"
        )


def _import(
    batches: Iterator[RowBatch],
    run: ImportRun,
    *,
    is_demo: bool,
    progress: Callable[[ImportRun], None],
) -> ImportRun:
    now = timezone.now()
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
            _add_times(run, records, now)
            run.save()
        progress(run)
    run.finished_at = timezone.now()
    run.save()
    return run


def _add_times(run: ImportRun, records: list[EventRecord], now: datetime) -> None:
    times = Times(run.first_event_at, run.last_event_at, run.future_events, run.old_events)
    for record in records:
        times.add(record.timestamp, now)
    run.first_event_at, run.last_event_at = times.first, times.last
    run.future_events, run.old_events = times.future, times.long_ago


def _unfinished_run(fingerprint: str, file_name: str, **mapping: Any) -> ImportRun:
    """Return the interrupted run to resume, or one that starts at the first line."""
    run, _ = ImportRun.objects.update_or_create(
        fingerprint=fingerprint,
        defaults=mapping,
        create_defaults={"file_name": file_name[-255:], **mapping},
    )
    if run.finished_at is not None:
        run.lines = run.stored = run.duplicates = run.rejected = run.erased = 0
        run.future_events = run.old_events = 0
        run.first_event_at = run.last_event_at = run.finished_at = None
        run.save()
    return run


def _batches(rows: Iterator[Row], file: EventFile) -> Iterator[RowBatch]:
    while batch := list(islice(rows, LINES_PER_TRANSACTION)):
        records: list[EventRecord] = []
        unreadable: list[Rejection] = []
        for row in batch:
            result = file.read(row)
            if isinstance(result, Rejection):
                unreadable.append(result)
            else:
                records.append(result)
        yield records, unreadable


def _read_ahead(items: Iterator[T]) -> Iterator[T]:
    """Read the next item in a thread while the current one is processed."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        upcoming = reader.submit(next, items, None)
        while (item := upcoming.result()) is not None:
            upcoming = reader.submit(next, items, None)
            yield item
