"""Record the KPI readings of past days."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.utils import timezone
from tqdm import tqdm

from analytics.rollups import definitions
from common.commands import QuickCommand
from operational.kpis import readings
from operational.management import hints
from operational.models import KpiReading


def _number_of_days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 3660:
        raise ArgumentTypeError(f"{text!r} is not a number of days from 1 to 3660.")
    return int(text)


class Command(QuickCommand):
    help = "Record or restate the KPI readings of the days up to the last complete one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=_number_of_days, default=90)

    def handle(self, **options: Any) -> None:
        now = timezone.now()
        last = definitions.last_complete_day(now)
        days = [last - timedelta(days=back) for back in range(options["days"] - 1, -1, -1)]
        for day in tqdm(days, desc="Recording KPIs", unit="day"):
            readings.record_readings(days=[day], now=now)
        self.stdout.write(f"Recorded the KPIs from {days[0]} to {last}.")
        if not KpiReading.objects.filter(day__in=days, value__isnull=False).exists():
            self.stderr.write(hints.NO_DATA)
