"""Recompute the roll-ups from the raw events, or check them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from analytics.rollups import rebuild
from common.commands import QuickCommand
from common.formatting import counted


class Command(QuickCommand):
    help = (
        "Recompute every roll-up from the raw events under the configured definitions. "
        "Ingest pauses during the rebuild; readers see the old numbers until it is done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="change nothing; fail if the roll-ups differ from a rebuild",
        )

    def handle(self, *_: Any, check: bool, **__: Any) -> None:
        with tqdm(unit=" persons", disable=None) as bar:

            def show(step: str, done: int, total: int) -> None:
                bar.set_description(step)
                bar.total = total or None
                bar.update(done - bar.n)

            if not check:
                rebuild.rebuild(progress=show)
                differences = []
            else:
                differences = rebuild.check(progress=show)
        for difference in differences:
            self.stderr.write(
                f"{difference.rollup}: {counted(difference.rows, 'row')} different, for example"
            )
            for example in difference.examples:
                self.stderr.write(f"  {example}")
        if differences:
            raise CommandError("The roll-ups differ from the raw events. Run rebuild_rollups.")
        self.stdout.write("The roll-ups equal the raw events." if check else "Roll-ups rebuilt.")
