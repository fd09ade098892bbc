"""The health of every component: what is wrong, when it began, and the remedy."""

import logging
from dataclasses import dataclass
from datetime import datetime

from common import health
from common.calculations.health import Component, Health, overall
from common.formatting import error_line
from common.read_once import read_once, reading_together

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SystemHealth:
    now: datetime
    health: Health
    components: tuple[Component, ...]


@read_once
@reading_together()
def system_health(now: datetime) -> SystemHealth:
    """Run every registered check; while the database is unavailable, those that can do without.

    A check that breaks is a problem of its own, "health checks"; the others run.
    """
    components: list[Component] = []
    broken: list[str] = []
    for check in health.checks():
        if check.needs_database and _is_database_down(components):
            continue
        try:
            components += check.run(now)
        except Exception as error:
            logger.exception("The health check %s broke", check.name)
            broken.append(f"{check.name} ({error_line(error)})")
    components.append(_health_checks(broken))
    return SystemHealth(now, overall(components), tuple(components))


def _health_checks(broken: list[str]) -> Component:
    if not broken:
        return Component("health checks", Health.OK, "All checks could be made.")
    detail = f"Could not be checked: {'; '.join(broken)}."
    remedy = "The log has the traceback; what these checks watch is unknown until they work."
    return Component("health checks", Health.WARNING, detail, remedy=remedy)


def _is_database_down(components: list[Component]) -> bool:
    return any(
        component.name == "database" and component.health is Health.CRITICAL
        for component in components
    )
