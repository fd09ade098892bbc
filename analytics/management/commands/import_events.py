"""Import events from files."""

import sys
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from django.core.management.base import CommandError
from django.utils import timezone
from tqdm import tqdm

from analytics.calculations.imports.columns import AS_CAPTURED, Columns
from analytics.calculations.imports.errors import NotUnderstood
from analytics.calculations.imports.products import FileFormat
from analytics.calculations.imports.surprises import LONG_AGO, Times
from analytics.ingestion.files import EventFile, ReadingOptions
from analytics.ingestion.importing import as_file, import_file
from analytics.ingestion.previewing import ImportPreview, preview
from analytics.models import ImportRun
from common.commands import QuickCommand
from common.formatting import counted, decimals, number
from common.locks import Locked

SOME_REJECTED = 2  # exit status
_DELIMITERS = {"tab": "\t", r"\t": "\t"}
_MOST_NAMES = 30
_LONGEST_EXAMPLE = 500  # characters


def delimiter(text: str) -> str:
    """Return the character of an argument, in which a tab may be written as a word."""
    character = _DELIMITERS.get(text.lower(), text)
    if len(character) != 1 or character in '"\r\n':
        raise ArgumentTypeError(f"{text!r} must be one character, or tab")
    return character


class Command(QuickCommand):
    help = (
        "Import events from JSON Lines, JSON or CSV files, plain or gzip; - reads standard input. "
        "A repeated import changes nothing, an interrupted import resumes where it stopped. "
        "Exit status: 0 all events are stored, 1 failed or refused as a whole with nothing stored,"
        " 2 some were rejected."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument(
            "--format",
            choices=[each.value for each in FileFormat],
            default=FileFormat.PLUMBLINE.value,
            help="the product that exported the files (default: %(default)s)",
        )
        parser.add_argument(
            "--encoding", default="", help="default: UTF-8, or by a mark at the start"
        )
        parser.add_argument(
            "--delimiter",
            type=delimiter,
            help="of CSV: one character, or tab (default: the one that fits the header)",
        )
        for name in ("event", "distinct_id", "timestamp", "uuid", "properties"):
            parser.add_argument(
                f"--{name.replace('_', '-')}-column",
                default=getattr(AS_CAPTURED, name),
                metavar="NAME",
                help=f"column or field with the {name} (default: %(default)s)",
            )
        parser.add_argument(
            "--event",
            default="",
            metavar="NAME",
            help="name of all events where no column holds it",
        )
        parser.add_argument(
            "--proved",
            action="store_true",
            help="the files are from your backend: what they say is proved, not only claimed",
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="store nothing; show what was understood, the first events, and surprises",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        reading = ReadingOptions(
            file_format=FileFormat(options["format"]),
            columns=Columns(
                event=options["event_column"],
                distinct_id=options["distinct_id_column"],
                timestamp=options["timestamp_column"],
                uuid=options["uuid_column"],
                properties=options["properties_column"],
                event_name=options["event"],
            ),
            encoding=options["encoding"],
            delimiter=options["delimiter"] or "",
            proved=options["proved"],
        )
        if reading.file_format is not FileFormat.PLUMBLINE and reading.columns != AS_CAPTURED:
            raise CommandError(f"--format {reading.file_format} has columns of its own")
        handle = self._preview if options["dry_run"] else self._import
        rejected = [handle(file, reading) for file in options["files"]]
        if any(rejected):
            sys.exit(SOME_REJECTED)

    def _import(self, file: str, options: ReadingOptions) -> int:
        """Import a file, and return how many of its events were rejected."""
        with _opened(file) as (path, show):
            run = import_file(
                path,
                options,
                name=_name(file),
                progress=lambda position, run: show(position, run.lines),
            )
        self._summarize(file, run)
        return run.rejected

    def _preview(self, file: str, options: ReadingOptions) -> int:
        """Print what importing a file would do, and return how many events would be rejected."""
        with _opened(file) as (path, show):
            seen = preview(
                path,
                options,
                name=_name(file),
                now=timezone.now(),
                progress=lambda position: show(position, 0),
            )
        self._describe(file, seen)
        return seen.rejections.total()

    def _summarize(self, file: str, run: ImportRun) -> None:
        self.stdout.write(
            f"{file}: {counted(run.lines, 'event')} read, {number(run.stored)} stored,"
            f" {number(run.duplicates)} already stored, {number(run.rejected)} rejected"
            + (f", {number(run.erased)} of erased persons dropped" if run.erased else "")
        )
        self._warn(Times(run.first_event_at, run.last_event_at, run.future_events, run.old_events))
        rejected = run.rejectedevent_set.order_by("line")
        reasons = Counter(rejected.values_list("reason", flat=True))
        for reason, count in reasons.most_common():
            examples = rejected.filter(reason=reason)[:3]
            self.stdout.write(f"  {reason}: {number(count)}")
            for example in examples:
                where = f"line {example.line}: " if example.line else ""
                self.stdout.write(f"    {where}{example.detail}")

    def _describe(self, file: str, seen: ImportPreview) -> None:
        self.stdout.write(
            f"{file}: {_kind(seen.file)}\n"
            f"  {counted(seen.events, 'event')} would be stored (unless they are already),"
            f" {number(seen.rejections.total())} rejected\n"
            f"  columns: {_list(seen.columns)}\n"
            f"  properties: {_list(seen.properties)}"
        )
        if seen.not_stored:
            self.stdout.write(f"  not stored: {', '.join(seen.not_stored)}")
        self._warn(seen.times)
        for reason, count in seen.rejections.most_common():
            self.stdout.write(f"  {reason}: {number(count)}")
            for example in seen.rejected:
                if example.reason == reason:
                    self.stdout.write(f"    line {example.line}: {example.detail}")
        for record in seen.examples:
            self.stdout.write(f"  {record.json.decode()[:_LONGEST_EXAMPLE]}")

    def _warn(self, times: Times) -> None:
        if times.first and times.last:
            self.stdout.write(f"  from {times.first:%Y-%m-%d} to {times.last:%Y-%m-%d} (UTC)")
        if times.future:
            self.stdout.write(f"  warning: {_lie(times.future)} in the future")
        if times.long_ago:
            self.stdout.write(f"  warning: {_lie(times.long_ago)} before {LONG_AGO.year}")


@contextmanager
def _opened(file: str) -> Iterator[tuple[Path, Callable[[int, int], None]]]:
    """Yield a file's path and what shows the progress; turn its errors into the command's."""
    if file != "-" and not Path(file).is_file():
        raise CommandError(f"{file}: no such file")
    size = None if file == "-" else Path(file).stat().st_size
    with tqdm(total=size, unit="B", unit_scale=True, desc=file, disable=None) as bar:

        def show(position: int, events: int) -> None:
            bar.update(position - bar.n)
            rate = events / (bar.format_dict["elapsed"] or 1)
            bar.set_postfix_str(f"{counted(events, 'event')}, {decimals(rate, 0)}/s")

        try:
            if file == "-":
                with as_file(cast("Any", sys.stdin.buffer)) as path:
                    yield path, show
            else:
                yield Path(file), show
        except Locked as error:
            raise CommandError(f"{file}: another process is importing this file") from error
        except (OSError, NotUnderstood) as error:
            raise CommandError(f"{file}: {error}") from error


def _name(file: str) -> str:
    return "standard input" if file == "-" else Path(file).name


def _kind(file: EventFile) -> str:
    kind = f"{file.kind}, {file.encoding.upper()}"
    return f"{kind}, separated by {file.header.delimiter!r}" if file.header else kind


def _list(names: Counter[str]) -> str:
    most = names.most_common(_MOST_NAMES)
    listed = ", ".join(f"{name} ({number(events)})" for name, events in most)
    more = len(names) - _MOST_NAMES
    return f"{listed}, and {number(more)} more" if more > 0 else listed or "none"


def _lie(events: int) -> str:
    return f"{counted(events, 'event')} {'lies' if events == 1 else 'lie'}"
