"""Clocks that a test sets."""

from collections.abc import Callable
from datetime import datetime


def stopped(at: datetime) -> Callable[[], datetime]:
    """Return a clock that always reads the same."""
    return lambda: at
