"""Suppress the addresses of a CSV file."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from common.commands import QuickCommand
from common.formatting import counted
from growth.calculations.mail.suppression_file import NotReadable
from growth.suppression import importing

_MOST_ERRORS = 20


class Command(QuickCommand):
    help = (
        "Suppress the addresses of a CSV file with the columns address, and perhaps topic and"
        " reason. It adds addresses and lifts none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only say what it would do")

    def handle(self, *_: Any, file: Path, dry_run: bool, **__: Any) -> None:
        run = importing.preview if dry_run else importing.import_rows
        try:
            result = run(file.read_bytes(), at=timezone.now())
        except (OSError, NotReadable) as error:
            raise CommandError(f"{file.name}: {error}") from error
        for problem in result.errors[:_MOST_ERRORS]:
            self.stderr.write(f"line {problem.line}: {problem.problem}")
        verb = "would be suppressed" if dry_run else "suppressed"
        self.stdout.write(
            f"{counted(result.added, 'address', 'addresses')} {verb},"
            f" {result.already_suppressed} already in the list,"
            f" {counted(len(result.errors), 'line')} refused."
        )
