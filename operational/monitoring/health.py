"""Health check of the watchdog, which itself checks the system each minute."""

from collections.abc import Iterator
from datetime import datetime

from common.calculations.health import Component, Health, heartbeat
from operational.models import Heartbeat

_START = "Start it: python manage.py watch"


def watchdog(now: datetime) -> Iterator[Component]:
    beat = Heartbeat.objects.filter(pk="watchdog").first()
    if beat is None:
        yield Component("watchdog", Health.OFF, f"Has never run. {_START}")
        return
    yield heartbeat("watchdog", "checked the system", beat.at, now, remedy=_START)
