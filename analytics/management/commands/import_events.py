"""Import events from files."""

import sys
from argparse import ArgumentParser
from collections import Counter
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

from django.core.management.base import CommandError
from tqdm import tqdm

from analytics.ingestion.importing import Columns, Format, import_file, import_stream
from analytics.models import ImportRun
from common.commands import QuickCommand
from common.formatting import counted, decimals, number
from common.locks import Locked

SOME_REJECTED = 2  # exit status


class Command(QuickCommand):
    help = (
        "Import events from JSON Lines or CSV files, plain or gzip; - reads standard input. "
        "A repeated import changes nothing, an interrupted import resumes where it stopped. "
        "Exit status: 0 all lines are stored, 1 failed, 2 some lines were rejected."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument(
            "--format", choices=["jsonl", "csv"], help="default: by the file name, else jsonl"
        )
        defaults = Columns()
        for name in ("event", "distinct_id", "timestamp", "uuid", "properties"):
            parser.add_argument(
                f"--{name.replace('_', '-')}-column",
                default=getattr(defaults, name),
                metavar="NAME",
                help=f"column or field with the {name} (default: %(default)s)",
            )
        parser.add_argument(
            "--event",
            default="",
            metavar="NAME",
            help="name of all events where no column holds it",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        columns = Columns(
            event=options["event_column"],
            distinct_id=options["distinct_id_column"],
            timestamp=options["timestamp_column"],
            uuid=options["uuid_column"],
            properties=options["properties_column"],
            event_name=options["event"],
        )
        runs = [self._import(file, options["format"], columns) for file in options["files"]]
        if any(run.rejected for run in runs):
            sys.exit(SOME_REJECTED)

    def _import(self, file: str, file_format: Format | None, columns: Columns) -> ImportRun:
        if file != "-" and not Path(file).is_file():
            raise CommandError(f"{file}: no such file")
        file_format = file_format or ("csv" if ".csv" in Path(file).suffixes else "jsonl")
        size = None if file == "-" else Path(file).stat().st_size
        with tqdm(total=size, unit="B", unit_scale=True, desc=file, disable=None) as bar:

            def show(position: int, run: ImportRun) -> None:
                bar.update(position - bar.n)
                rate = run.lines / (bar.format_dict["elapsed"] or 1)
                bar.set_postfix_str(f"{counted(run.lines, 'event')}, {decimals(rate, 0)}/s")

            try:
                if file == "-":
                    run = import_stream(
                        cast("BufferedReader", sys.stdin.buffer),
                        name="standard input",
                        file_format=file_format,
                        columns=columns,
                        progress=lambda run: show(bar.n, run),
                    )
                else:
                    run = import_file(
                        Path(file), file_format=file_format, columns=columns, progress=show
                    )
            except Locked as error:
                raise CommandError(f"{file}: another process is importing this file") from error
            except (OSError, EOFError) as error:
                raise CommandError(f"{file}: {error}") from error
        self._summarize(file, run)
        return run

    def _summarize(self, file: str, run: ImportRun) -> None:
        self.stdout.write(
            f"{file}: {counted(run.lines, 'event')} read, {number(run.stored)} stored,"
            f" {number(run.duplicates)} already stored, {number(run.rejected)} rejected"
            + (f", {number(run.erased)} of erased persons dropped" if run.erased else "")
        )
        rejected = run.rejectedevent_set.order_by("line")
        reasons = Counter(rejected.values_list("reason", flat=True))
        for reason, count in reasons.most_common():
            examples = rejected.filter(reason=reason)[:3]
            self.stdout.write(f"  {reason}: {number(count)}")
            for example in examples:
                where = f"line {example.line}: " if example.line else ""
                self.stdout.write(f"    {where}{example.detail}")
