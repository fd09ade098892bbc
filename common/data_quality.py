"""Data-quality checks: each app registers the checks of its own data."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from common.late import LateRegistry


class CheckVerdict(StrEnum):
    PASS = "pass"  # noqa: S105  no password
    WARNING = "warning"
    FAIL = "fail"
    NO_DATA = "no_data"  # nothing to check yet


@dataclass(frozen=True, slots=True)
class Example:
    """An affected row; `page` and `argument` name the page that shows it, if there is one."""

    text: str
    page: str = ""
    argument: str | int = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of a check: how many rows are affected, the details in words, and examples."""

    verdict: CheckVerdict
    affected: int = 0
    detail: str = ""
    examples: Sequence[Example] = ()


PASSED = Finding(CheckVerdict.PASS)
NO_DATA = Finding(CheckVerdict.NO_DATA)


class Check(ABC):
    """A check of one aspect of the data; `remedy` says how to resolve a finding."""

    slug: ClassVar[str]
    name: ClassVar[str]
    family: ClassVar[str]
    remedy: ClassVar[str]

    @abstractmethod
    def run(self, *, now: datetime) -> Finding:
        """Check the current data, at a bounded cost."""


class RepairableCheck(Check):
    """A check whose remedy is safe to apply with a button."""

    repair_label: ClassVar[str]

    @abstractmethod
    def preview(self, *, now: datetime) -> Sequence[Example]:
        """Return examples of what `repair` would change now."""

    @abstractmethod
    def repair(self, *, now: datetime, by: str) -> int:
        """Apply the remedy for the staff user `by`; return how many rows it changed."""


registry: LateRegistry[Sequence[Check]] = LateRegistry()  # sequences of checks


def checks() -> Mapping[str, Check]:
    """Return every check by its slug, in the order of registration."""
    return {check.slug: check for registered in registry for check in registered}
