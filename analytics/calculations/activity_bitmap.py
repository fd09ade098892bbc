"""The recent days on which persons were active, for many persons at a time: 16 bytes each.

A person's latest day is an ordinal (0: none), and bit n of the days says whether the person was
active n days before it. Older days are not stored.
"""

import numpy as np
from numpy.typing import NDArray

DAYS = 64  # the latest and those before it

FIELDS = [("latest_day", "i8"), ("days", "u8")]  # of a structured array


def contains(
    persons: NDArray[np.void], index: NDArray[np.int64], days: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return for each day, an ordinal, whether it is stored for the person at its index."""
    age = persons["latest_day"][index] - days
    is_recent = (age >= 0) & (age < DAYS)
    bits = persons["days"][index] >> np.where(is_recent, age, 0).astype(np.uint64) & np.uint64(1)
    stored: NDArray[np.bool_] = is_recent & (bits == 1)
    return stored


def add(persons: NDArray[np.void], index: NDArray[np.int64], days: NDArray[np.int64]) -> None:
    """Add days to the persons at these indices; an index may occur several times."""
    before = persons["latest_day"].copy()
    np.maximum.at(persons["latest_day"], index, days)
    persons["days"] = _shifted(persons["days"], persons["latest_day"] - before)
    age = persons["latest_day"][index] - days
    bit = _shifted(np.ones_like(age, np.uint64), age)
    np.bitwise_or.at(persons["days"], index, bit)


def _shifted(bits: NDArray[np.uint64], number: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Shift to the left; a shift by `DAYS` or more gives 0, which a processor would not do."""
    shift = np.minimum(number, DAYS - 1).astype(np.uint64)
    return np.where(number < DAYS, bits << shift, np.uint64(0))
