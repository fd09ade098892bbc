"""Load a made-up company, or remove it."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from tqdm import tqdm

from analytics import demo
from analytics.people.persons import any_persons
from analytics.rollups import definitions
from billing import demo as billing_demo
from common.commands import QuickCommand
from common.formatting import counted
from growth import demo as growth_demo
from operational.actions import priority_actions
from operational.kpis import readings
from operational.overview import demo_data
from operational.quality import data_quality

HISTORY_DAYS = 97  # the sparklines' 90 days, and the week before them for the trend


class Command(QuickCommand):
    help = "Load a realistic made-up company, or remove it again (--clear)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--persons", type=int, default=2_000)
        parser.add_argument("--days", type=int, default=180, help="days of history, up to now")
        parser.add_argument(
            "--seed", type=int, default=1, help="the same seed makes the same company"
        )
        parser.add_argument("--clear", action="store_true", help="remove the demo data")
        parser.add_argument(
            "--if-empty", action="store_true", help="do nothing if there are persons already"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if options["clear"]:
            self._clear()
        elif not (options["if_empty"] and any_persons()):
            self._load(options["persons"], options["days"], options["seed"])

    def _load(self, persons: int, days: int, seed: int) -> None:
        if demo.exists():
            raise CommandError(
                "The demo data is already loaded. Remove it with: manage.py demo --clear"
            )
        if persons < 1 or days < 1:
            raise CommandError("--persons and --days must be at least 1.")

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        with tqdm(desc="Demo events", unit=" events", disable=None, leave=False) as bar:
            run = demo.load(
                persons=persons, days=days, until=timezone.now(), seed=seed, progress=show
            )
        with tqdm(desc="Demo subscriptions", unit=" events", disable=None, leave=False) as bar:
            customers = billing_demo.load(until=timezone.now(), seed=seed, progress=show)
        growth_demo.load(until=timezone.now(), seed=seed)
        last = definitions.last_complete_day()
        history = [last - timedelta(days=ago) for ago in reversed(range(HISTORY_DAYS))]
        readings.record_readings(
            days=tqdm(history, desc="KPI history", unit=" days", disable=None, leave=False),
            now=timezone.now(),
        )
        data_quality.run(now=timezone.now())
        priority_actions.refresh(now=timezone.now())
        self.stdout.write(
            f"Demo company loaded: {counted(run.stored, 'event')} of {counted(persons, 'person')}"
            f" over {counted(days, 'day')},"
            f" including {counted(customers, 'current or former customer')}."
            " Remove it with: manage.py demo --clear"
        )

    def _clear(self) -> None:
        with tqdm(desc="Removing persons", unit=" persons", disable=None, leave=False) as bar:
            removed = demo_data.remove(
                now=timezone.now(), progress=lambda done: bar.update(done - bar.n)
            )
        self.stdout.write(f"Demo data removed: {counted(removed, 'person')} and their events.")
