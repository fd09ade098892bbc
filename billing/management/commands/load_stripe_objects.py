"""Load Stripe's objects and events from a file, offline."""

import gzip
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandError
from tqdm import tqdm

from billing.stripe import loading
from billing.stripe.loading import LoadOutcome
from common.commands import QuickCommand
from common.formatting import number

_MAX_LINES = 5  # line numbers of a reason


class Command(QuickCommand):
    help = (
        "Load raw Stripe objects and events from a file: one JSON object per line, in any order,"
        " plain or gzip. Stripe is not called; loading a file again changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        try:
            with _opened(file) as lines, tqdm(desc="Loading", unit=" lines", disable=None) as bar:
                loaded = loading.load(lines, progress=bar.update)
        except (OSError, EOFError) as error:
            raise CommandError(f"{file}: {error}") from error
        self._summarize(loaded)

    def _summarize(self, loaded: list[loading.LoadedLine]) -> None:
        counts = loading.counts(loaded)
        width = max(map(len, counts), default=0)
        self.stdout.write(
            f"{'':{width}}  " + "  ".join(f"{outcome:>13}" for outcome in LoadOutcome)
        )
        for kind, of_kind in counts.items():
            numbers = "  ".join(f"{of_kind[outcome] or '':>13}" for outcome in LoadOutcome)
            self.stdout.write(f"{kind:{width}}  {numbers}".rstrip())
        for (outcome, kind, reason), lines in loading.reasons(loaded).items():
            numbers = ", ".join(map(str, lines[:_MAX_LINES])) + (
                ", ..." if lines[_MAX_LINES:] else ""
            )
            self.stdout.write(f"{outcome} {kind} ({len(lines)}: line {numbers}): {reason}")
        self.stdout.write(f"Lines read: {number(len(loaded))}.")


def _opened(file: Path) -> gzip.GzipFile | IO[bytes]:
    """Open a file for reading, compressed or not."""
    with file.open("rb") as start:
        compressed = start.read(2) == b"\x1f\x8b"
    return gzip.open(file) if compressed else file.open("rb")
