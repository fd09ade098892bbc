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

_SHOWN = 5  # line numbers of a reason


class Command(QuickCommand):
    help = (
        "Load raw Stripe objects and events, JSON, one a line, plain or gzip, in any order."
        " Nothing is asked of Stripe; loading a file again changes nothing."
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
        self.stdout.write(f"{'':{width}}  " + "  ".join(f"{one:>13}" for one in LoadOutcome))
        for kind, of_kind in counts.items():
            numbers = "  ".join(f"{of_kind[one] or '':>13}" for one in LoadOutcome)
            self.stdout.write(f"{kind:{width}}  {numbers}".rstrip())
        for (outcome, kind, reason), lines in loading.reasons(loaded).items():
            shown = ", ".join(map(str, lines[:_SHOWN])) + (", ..." if lines[_SHOWN:] else "")
            self.stdout.write(f"{outcome} {kind} ({len(lines)}: line {shown}): {reason}")
        self.stdout.write(f"{len(loaded)} lines read.")


def _opened(file: Path) -> gzip.GzipFile | IO[bytes]:
    """Open a file to be read, compressed or not."""
    with file.open("rb") as beginning:
        compressed = beginning.read(2) == b"\x1f\x8b"
    return gzip.open(file) if compressed else file.open("rb")
