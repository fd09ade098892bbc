"""The health of every component: what is wrong, when it began, and the remedy."""

from dataclasses import dataclass
from datetime import datetime

from common import health
from common.calculations.health import Component, Health, overall
from common.read_once import read_once, reading_together


@dataclass(frozen=True, slots=True)
class SystemHealth:
    now: datetime
    health: Health
    components: tuple[Component, ...]


@read_once
@reading_together()
def system_health(now: datetime) -> SystemHealth:
    """Run every registered check; while the database is unavailable, those that can do without."""
    components: list[Component] = []
    for check in health.checks():
        if check.needs_database and _is_database_down(components):
            continue
        components += check.run(now)
    return SystemHealth(now, overall(components), tuple(components))


def _is_database_down(components: list[Component]) -> bool:
    return any(
        component.name == "database" and component.health is Health.CRITICAL
        for component in components
    )
