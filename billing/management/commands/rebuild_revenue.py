"""Build the MRR and cash ledgers from scratch."""

from argparse import ArgumentParser
from typing import Any

from tqdm import tqdm

from billing.revenue import ledger
from common.commands import QuickCommand
from common.formatting import counted


class Command(QuickCommand):
    help = (
        "Rebuild the MRR and cash ledgers from stored Stripe objects. Readers see the old ledgers"
        " until the end."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--new-rates",
            action="store_true",
            help="use the current exchange rates instead of the frozen rates",
        )

    def handle(self, *_: Any, new_rates: bool, **__: Any) -> None:
        with tqdm(unit=" customers", disable=None) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            movements = ledger.rebuild(show, new_rates=new_rates)
        self.stdout.write(f"MRR ledger rebuilt: {counted(movements, 'movement')}.")
