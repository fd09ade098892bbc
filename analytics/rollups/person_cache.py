"""What a process remembers about persons, so that it need not ask the database for every event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from threading import Lock

import numpy as np
import psycopg
from numpy.typing import NDArray

from analytics.calculations import activity_bitmap
from analytics.rollups.milestones import MILESTONES

_MAX_PERSONS = 250_000  # some 60 MB

# What decides whether an event can change anything about its person.
PERSON_STATE = np.dtype(
    [
        ("excluded", "?"),
        ("has_profile", "?"),
        *[(milestone, "i8") for milestone in MILESTONES],  # microseconds; only earlier ones count
        *activity_bitmap.FIELDS,
        ("last_minute", "i8"),  # the latest known active one, since 1970
    ]
)


@dataclass
class CachedPersons:
    """The ids and persons cached in one epoch."""

    epoch: int = 0
    person_of: dict[str, int] = field(default_factory=dict)  # by distinct id
    proved: set[str] = field(default_factory=set)  # distinct ids
    _index_of: dict[int, int] = field(default_factory=dict)  # of persons, in `_states`
    _states: NDArray[np.void] = field(default_factory=lambda: np.zeros(1024, PERSON_STATE))
    _lock: Lock = field(default_factory=Lock)

    @property
    def is_full(self) -> bool:
        return max(len(self.person_of), len(self._index_of)) > _MAX_PERSONS

    def add(self, person_of: Mapping[str, int], proved_ids: Mapping[int, set[str]]) -> None:
        """Cache whose ids these are, and which are proved, once the transaction has ended."""
        self.person_of.update(person_of)
        self.proved.update(id_ for ids in proved_ids.values() for id_ in ids if id_ in person_of)

    def states(self, persons: Sequence[int]) -> tuple[NDArray[np.void], list[int]]:
        """Return a copy of the persons' states, and the indices of those not cached yet."""
        with self._lock:
            cached = map(self._index_of.get, persons, repeat(-1))
            indices = np.fromiter(cached, np.int64, len(persons))
            return self._states[indices], np.flatnonzero(indices < 0).tolist()

    def store(self, persons: Sequence[int], states: NDArray[np.void]) -> None:
        """Cache the persons' states; an older state may replace a newer one, which is harmless."""
        with self._lock:
            for person in persons:
                self._index_of.setdefault(person, len(self._index_of))
            while len(self._index_of) > len(self._states):
                self._states = np.concatenate([self._states, np.zeros_like(self._states)])
            indices = np.fromiter(map(self._index_of.__getitem__, persons), np.int64, len(persons))
            self._states[indices] = states


@dataclass
class PersonCache:
    """The persons that all threads of one process have cached.

    A distinct id stays with its person, and proved; milestones only move to earlier times, and
    active days stay. So the cache can decide that an event changes nothing; where it might, the
    database is asked. What breaks that rule (merging, splitting, erasing, excluding, undoing a
    merge, rebuilding) raises the epoch and so empties the cache. A transaction stores, once
    committed, into the `CachedPersons` it started with: if those were dropped by then, so is what
    it stored.
    """

    erased: set[str] = field(default_factory=set)  # ids that events still name: ask again
    _persons: CachedPersons = field(default_factory=CachedPersons)

    def current(self, cursor: psycopg.Cursor) -> CachedPersons:
        """Return the persons that are valid in this transaction; their number is bounded.

        Ids need the shared identity lock; milestones and days need the roll-up lock.
        """
        # A sequence's first number equals its last one before the first call.
        cursor.execute("SELECT last_value + is_called::int FROM analytics_rollup_epoch")
        (epoch,) = cursor.fetchone() or (0,)
        persons = self._persons
        if epoch != persons.epoch or persons.is_full:
            persons = self._persons = CachedPersons(epoch)
        return persons


def empty_everywhere(cursor: psycopg.Cursor) -> None:
    """Empty the cache of every process; needs the locks that `PersonCache.current` names."""
    cursor.execute("SELECT nextval('analytics_rollup_epoch')")
