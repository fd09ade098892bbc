"""Health checks: each app registers the checks of its own components in `AppConfig.ready`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, auto

from django.utils.module_loading import import_string

from common.calculations.health import Component


class Section(IntEnum):
    """Where a check's components are listed; within a section in the order of registration."""

    SERVERS = auto()
    JOBS = auto()
    DATA = auto()
    MESSAGES = auto()
    MACHINE = auto()


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A registered check. It is imported when it first runs, so that commands start quickly."""

    path: str  # of a function that takes the time and returns components
    section: Section
    needs_database: bool = True

    def run(self, now: datetime) -> Iterable[Component]:
        """Check now, at a bounded cost."""
        check: Callable[[datetime], Iterable[Component]] = import_string(self.path)
        return check(now)


_checks: dict[str, HealthCheck] = {}


def register(section: Section, *paths: str, needs_database: bool = True) -> None:
    """Add the checks at these import paths to the system's health."""
    _checks.update({path: HealthCheck(path, section, needs_database) for path in paths})


def checks() -> list[HealthCheck]:
    """Return every check, in the order in which its components are listed."""
    return sorted(_checks.values(), key=lambda check: check.section)
