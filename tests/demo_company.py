"""Load a small demo company."""

from datetime import datetime, timedelta

from django.utils import timezone

from analytics import demo
from analytics.rollups import definitions
from billing import demo as billing_demo
from operational.kpis import readings
from tests.snapshots import build_once


def load_demo(persons: int, days: int) -> None:
    """Load the demo up to now (the hour of the first time), with the KPIs of some days."""
    now = timezone.now()
    key = "demo", persons, days, now.replace(minute=0, second=0, microsecond=0)
    build_once(key, lambda: _load(persons, days, now))


def _load(persons: int, days: int, now: datetime) -> None:
    demo.load(persons=persons, days=days, until=now, seed=1)
    billing_demo.load(until=now, seed=1)
    last = definitions.last_complete_day(now)
    readings.record_readings(days=[last - timedelta(days=ago) for ago in (30, 7, 2, 1, 0)], now=now)
