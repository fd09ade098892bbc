"""The recent days on which persons were active, for many persons at a time: 16 bytes each.

A person's latest day is an ordinal (0: none), and bit n of the days says whether the person was
active n days before it. Older days than these are not known.
"""

import numpy as np
from numpy.typing import NDArray

DAYS = 64  # the latest and those before it

FIELDS = [("latest_day", "i8"), ("days", "u8")]  # of a structured array


def are_known(
    persons: NDArray[np.void], place: NDArray[np.int64], days: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell of each day, an ordinal, whether it is known of the person at its place."""
    age = persons["latest_day"][place] - days
    is_recent = (age >= 0) & (age < DAYS)
    bits = persons["days"][place] >> np.where(is_recent, age, 0).astype(np.uint64) & np.uint64(1)
    known: NDArray[np.bool_] = is_recent & (bits == 1)
    return known


def add(persons: NDArray[np.void], place: NDArray[np.int64], days: NDArray[np.int64]) -> None:
    """Add days to the persons at these places; a place may come several times."""
    before = persons["latest_day"].copy()
    np.maximum.at(persons["latest_day"], place, days)
    persons["days"] = _shifted(persons["days"], persons["latest_day"] - before)
    age = persons["latest_day"][place] - days
    one = _shifted(np.ones_like(age, np.uint64), age)
    np.bitwise_or.at(persons["days"], place, one)


def _shifted(bits: NDArray[np.uint64], number: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Shift to the left; what is `DAYS` or more is gone, which a processor would not do."""
    by = np.minimum(number, DAYS - 1).astype(np.uint64)
    return np.where(number < DAYS, bits << by, np.uint64(0))
