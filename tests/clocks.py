"""Clocks that a test sets."""

from collections.abc import Callable
from datetime import datetime, timedelta


def stopped(at: datetime) -> Callable[[], datetime]:
    """Return a clock that always reads the same."""
    return lambda: at


class Clock:
    """A clock that moves when the test says so."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def step(self, **time: float) -> datetime:
        """Move by so many `minutes=`, `days=`, ..., backwards too; return the new time."""
        self.now += timedelta(**time)
        return self.now
