"""Health states of the system's components."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

HEARTBEAT_WARNING, HEARTBEAT_CRITICAL = timedelta(minutes=3), timedelta(minutes=10)
CLOCK_TOLERANCE = timedelta(minutes=1)  # between machines; later times are of a wrong clock


class Health(StrEnum):
    """The state of a component, from best to worst. Off means not set up, which is not a fault."""

    OFF = "off"
    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


_ORDER = list(Health)


@dataclass(frozen=True, slots=True)
class Component:
    """A component's health: the details in a sentence, when it became unhealthy, and the remedy.

    `page` names the URL, without parameters, of the page where it can be remedied; "": none.
    """

    name: str
    health: Health
    detail: str
    since: datetime | None = None
    remedy: str = ""
    page: str = ""


def overall(components: Iterable[Component]) -> Health:
    """Return the worst health of all components."""
    return max((component.health for component in components), key=_ORDER.index, default=Health.OK)


def worst(components: Iterable[Component]) -> list[Component]:
    """Return one component for each name: the one with the worst health."""
    by_name: dict[str, Component] = {}
    for component in components:
        existing = by_name.get(component.name)
        if existing is None or _is_worse(component.health, existing.health):
            by_name[component.name] = component
    return list(by_name.values())


def _is_worse(health: Health, other: Health) -> bool:
    return _ORDER.index(health) > _ORDER.index(other)


def heartbeat(
    name: str, activity: str, last: datetime | None, now: datetime, *, remedy: str
) -> Component:
    """Return the health of a process by its last sign of life, as "finished a job".

    `last` None: it was only just set up. A time to come says nothing: a clock was wrong.
    """
    if last is not None and last > now + CLOCK_TOLERANCE:
        detail = f"Has not {activity} since the clock was corrected: it was ahead."
        return Component(name, Health.WARNING, detail, remedy=remedy)
    if last is None or now - last <= HEARTBEAT_WARNING:
        return Component(name, Health.OK, f"{activity.capitalize()} in the last few minutes.")
    health = Health.CRITICAL if now - last > HEARTBEAT_CRITICAL else Health.WARNING
    return Component(name, health, f"Has not {activity} since then.", last, remedy)
