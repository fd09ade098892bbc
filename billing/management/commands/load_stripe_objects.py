"""Load Stripe's objects and events from a file, offline."""

import gzip
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from django.core.management.base import CommandError
from tqdm import tqdm

from billing.calculations.loaded_lines import LoadedLine, LoadOutcome, counts, reasons
from billing.stripe import loading
from billing.stripe.loading import LoadStep
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
            with _opened(file) as lines, _Progress() as progress:
                loaded = loading.load(lines, progress=progress)
        except (OSError, EOFError) as error:
            raise CommandError(f"{file}: {error}") from error
        self._summarize(loaded)

    def _summarize(self, loaded: list[LoadedLine]) -> None:
        numbers_of = counts(loaded)
        width = max(map(len, numbers_of), default=0)
        self.stdout.write(
            f"{'':{width}}  " + "  ".join(f"{outcome:>13}" for outcome in LoadOutcome)
        )
        for kind, of_kind in numbers_of.items():
            numbers = "  ".join(f"{of_kind[outcome] or '':>13}" for outcome in LoadOutcome)
            self.stdout.write(f"{kind:{width}}  {numbers}".rstrip())
        for (outcome, kind, reason), lines in reasons(loaded).items():
            numbers = ", ".join(map(str, lines[:_MAX_LINES])) + (
                ", ..." if lines[_MAX_LINES:] else ""
            )
            self.stdout.write(f"{outcome} {kind} ({len(lines)}: line {numbers}): {reason}")
        self.stdout.write(f"Lines read: {number(len(loaded))}.")


class _Progress(ExitStack):
    """A bar for each step, on standard error if it is a terminal."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: dict[LoadStep, tqdm] = {}

    def __call__(self, step: LoadStep, more: int) -> None:
        if step not in self._bars:
            self._bars[step] = self.enter_context(tqdm(desc=step, disable=None))
        self._bars[step].update(more)


def _opened(file: Path) -> gzip.GzipFile | IO[bytes]:
    """Open a file for reading, compressed or not."""
    with file.open("rb") as start:
        compressed = start.read(2) == b"\x1f\x8b"
    return gzip.open(file) if compressed else file.open("rb")
