"""How long to wait before trying again."""

from datetime import timedelta

_MOST_DOUBLINGS = 20


def backoff(failures: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """Return the wait after that many failures in a row: it doubles from `first` to `longest`."""
    return min(first * (1 << min(failures - 1, _MOST_DOUBLINGS)), longest)
