"""Convert the spend that waits for an exchange rate."""

from argparse import ArgumentParser
from collections import defaultdict
from typing import Any

from django.utils import timezone

from common.commands import QuickCommand
from common.formatting import counted, money, month_year
from growth.spend import recording


class Command(QuickCommand):
    help = (
        "Convert held spend for which there is an exchange rate by now, and list the months that"
        " change. Recorded rates stay as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show what would change")

    def handle(self, *_: Any, dry_run: bool, **__: Any) -> None:
        act = recording.convertible if dry_run else recording.convert_held
        rows = act(now=timezone.now())
        months: dict[Any, int] = defaultdict(int)
        for row in rows:
            months[row.day.replace(day=1)] += row.reported or 0
        for month, amount in sorted(months.items()):
            self.stdout.write(f"{month_year(month)}: {money(amount, rows[0].into)} more")
        verb = "Would convert" if dry_run else "Converted"
        self.stdout.write(f"{verb}: {counted(len(rows), 'day')} of spend.")
