"""Load a small demo company."""

from datetime import timedelta

from django.utils import timezone

from analytics import demo
from analytics.rollups import definitions
from billing import demo as billing_demo
from operational.kpis import readings


def load_demo(persons=300, days=100):
    """Load the demo up to now, with the KPIs of some days."""
    now = timezone.now()
    demo.load(persons=persons, days=days, until=now, seed=1)
    billing_demo.load(until=now, seed=1)
    last = definitions.last_complete_day(now)
    readings.record_readings(days=[last - timedelta(days=ago) for ago in (30, 7, 2, 1, 0)], now=now)
