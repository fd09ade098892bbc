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
