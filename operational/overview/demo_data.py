"""Remove the demo company, from its events to its recorded KPIs."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from analytics.people import persons
from analytics.privacy import erasure
from analytics.rollups import definitions
from billing import demo
from growth import demo as growth_demo
from operational.kpis import readings
from operational.models import KpiReading, PriorityAction, QualityRun


def remove(*, now: datetime, progress: Callable[[int], None] = lambda _: None) -> int:
    """Erase the demo's persons and events, and return how many persons were erased.

    The recorded days are measured again without them; `progress` is called with the number of
    persons done.
    """
    demo.clear()
    removed = erasure.erase_demo(progress=progress)
    growth_demo.clear()
    last = definitions.last_complete_day(now)
    with transaction.atomic():
        recorded = KpiReading.objects.filter(day__lte=last).values_list("day", flat=True)
        days = sorted(set(recorded)) if persons.any_persons() else []
        KpiReading.objects.all().delete()
        readings.record_readings(days=days, now=now)
        PriorityAction.objects.all().delete()
        QualityRun.objects.all().delete()
    return removed
