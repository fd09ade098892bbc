"""Health checks: each app registers those of its own components in `AppConfig.ready`.

Import paths are registered, not functions, so that commands start quickly.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, auto
from typing import Any

from django.db.models import QuerySet

from common.calculations.health import Component
from common.late import LateRegistry, late


class Section(IntEnum):
    """Where a check's components are listed; within a section in the order of registration."""

    SERVERS = auto()
    JOBS = auto()
    DATA = auto()
    MESSAGES = auto()
    MACHINE = auto()


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A registered check, imported when it runs."""

    path: str  # of a function that takes the time and returns components
    section: Section
    needs_database: bool = True

    @property
    def name(self) -> str:
        """Return what it checks, such as "beat and worker"."""
        return self.path.rpartition(".")[2].replace("_", " ")

    def run(self, now: datetime) -> Iterable[Component]:
        """Check now, at a bounded cost."""
        components: Iterable[Component] = late(self.path)(now)
        return components


_checks: dict[str, HealthCheck] = {}


def register(section: Section, *paths: str, needs_database: bool = True) -> None:
    """Add the checks at these import paths to the system's health."""
    _checks.update({path: HealthCheck(path, section, needs_database) for path in paths})


def checks() -> list[HealthCheck]:
    """Return every check, in the order in which its components are listed."""
    return sorted(_checks.values(), key=lambda check: check.section)


# Functions that take the time and return a queryset of one column: when each e-mail of an app that
# could not be sent was created.
failed_email_queries: LateRegistry[Callable[[datetime], QuerySet[Any, tuple[datetime]]]]
failed_email_queries = LateRegistry()


def failed_emails(now: datetime) -> list[datetime]:
    """Return when each e-mail that could not be sent was created, with one query."""
    first, *others = (query(now) for query in failed_email_queries)
    return [created_at for (created_at,) in first.union(*others, all=True)]
