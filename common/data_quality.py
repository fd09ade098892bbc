"""Data-quality checks: what each app checks of its own data, in one registry."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from common.late import LateRegistry


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105  no password
    WARNING = "warning"
    FAIL = "fail"
    NO_DATA = "no_data"  # there is nothing yet that could be checked


@dataclass(frozen=True, slots=True)
class Example:
    """One of the rows affected; `page` and `argument` name the page that shows it, if any does."""

    text: str
    page: str = ""
    argument: str | int = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: how many rows are affected, in words, and some of them."""

    verdict: Verdict
    affected: int = 0
    detail: str = ""
    examples: Sequence[Example] = ()


PASSED = Finding(Verdict.PASS)
NO_DATA = Finding(Verdict.NO_DATA)


class Check(ABC):
    """Checks one thing. `remedy` says what to do about a finding."""

    slug: ClassVar[str]
    name: ClassVar[str]
    family: ClassVar[str]
    remedy: ClassVar[str]

    @abstractmethod
    def look(self, *, now: datetime) -> Finding:
        """Look at the data as they are now, at a bounded cost."""


class MendableCheck(Check):
    """A check whose remedy is safe, so that a button applies it."""

    mend_label: ClassVar[str]

    @abstractmethod
    def preview(self, *, now: datetime) -> Sequence[Example]:
        """Return what `mend` would change now."""

    @abstractmethod
    def mend(self, *, now: datetime) -> int:
        """Apply the remedy; return how many rows it changed."""


registry: LateRegistry[Sequence[Check]] = LateRegistry()  # sequences of checks


def checks() -> Mapping[str, Check]:
    """Return every check by its slug, in the order of registration."""
    return {check.slug: check for registered in registry for check in registered}
