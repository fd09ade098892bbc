"""Import exchange rates."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from billing.revenue import fx, ledger
from common.commands import QuickCommand
from common.formatting import number


class Command(QuickCommand):
    help = "Import exchange rates from a CSV file with the columns day, currency, into, rate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        try:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                rates = fx.import_rates(lines)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file}: {error}") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        movements = ledger.recount_held(now=timezone.now())
        self.stdout.write(
            f"Exchange rates stored: {number(rates)}. Updated movements: {number(movements)}."
        )
