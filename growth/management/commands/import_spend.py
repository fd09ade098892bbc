"""Import marketing and sales spend."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from analytics.calculations.imports.errors import NotUnderstood
from common.commands import QuickCommand
from common.formatting import counted, money
from growth.calculations.spend.files import decoded
from growth.spend import importing, recording
from growth.spend.recording import Changes


class Command(QuickCommand):
    help = (
        "Import spend from a CSV file with the columns channel, amount, day (or from and to), and"
        " optionally campaign and currency. The same rows again replace themselves."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="show what would change")

    def handle(self, *_: Any, file: Path, dry_run: bool, **__: Any) -> None:
        try:
            spend = importing.read(decoded(file.read_bytes()))
        except (OSError, NotUnderstood) as error:
            raise CommandError(f"{file}: {error}") from error
        if spend.problems:
            lines = [f"line {number}, {text}" for number, text in spend.problems.items()]
            raise CommandError("\n".join([f"{file}: nothing was imported.", *lines]))
        act = recording.preview if dry_run else recording.save
        self._show(act(spend.lines, now=timezone.now()), dry_run=dry_run)

    def _show(self, changes: Changes, *, dry_run: bool) -> None:
        for row in changes.replaced:
            before = money(row.before.amount, row.before.currency)
            after = money(row.after.amount, row.after.currency)
            name = " ".join(filter(None, [str(row.after), row.after.campaign]))
            self.stdout.write(f"{name}: {before} -> {after}")
        self.stdout.write(
            f"{'Would store' if dry_run else 'Stored'}: {counted(len(changes.added), 'day')} added,"
            f" {len(changes.replaced)} replaced, {len(changes.converted)} converted,"
            f" {changes.unchanged} unchanged."
        )
        if changes.held:
            self.stdout.write(
                f"No exchange rate: {', '.join(changes.held).upper()}. Import the rates, then run"
                " manage.py convert_spend."
            )
