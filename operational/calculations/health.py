"""Health in a word."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Health(StrEnum):
    """How something is; what comes later is worse. Off: it is not set up, which is no fault."""

    OFF = "off"
    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"


_ORDER = list(Health)


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the system: how it is, in a sentence, since when, and what to do."""

    name: str
    health: Health
    detail: str
    since: datetime | None = None
    remedy: str = ""


def overall(components: Iterable[Component]) -> Health:
    """Return the worst health there is."""
    return max((one.health for one in components), key=_ORDER.index, default=Health.OK)


def worst(components: Iterable[Component]) -> list[Component]:
    """Return one component for each name, the worst that there is of it."""
    found: dict[str, Component] = {}
    for one in components:
        known = found.get(one.name)
        if known is None or _ORDER.index(one.health) > _ORDER.index(known.health):
            found[one.name] = one
    return list(found.values())
