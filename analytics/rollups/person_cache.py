"""What a process remembers of persons, so as not to ask the database for every event."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat
from threading import Lock

import numpy as np
import psycopg
from numpy.typing import NDArray

from analytics.calculations import activity_bitmap
from analytics.rollups.milestones import MILESTONES

_MAX_PERSONS = 250_000  # some 60 MB

# What of a person decides whether an event can change anything.
STANDING = np.dtype(
    [
        ("excluded", "?"),
        ("has_profile", "?"),
        *[(moment, "i8") for moment in MILESTONES],  # Unix time in microseconds; earlier is news
        *activity_bitmap.FIELDS,
        ("last_minute", "i8"),  # the latest active one that is known, since 1970
    ]
)


@dataclass
class CachedPersons:
    """What was learned of ids and persons in one epoch."""

    epoch: int = 0
    person_of: dict[str, int] = field(default_factory=dict)  # by distinct id
    _place_of: dict[int, int] = field(default_factory=dict)  # of persons, among `_standings`
    _standings: NDArray[np.void] = field(default_factory=lambda: np.zeros(1024, STANDING))
    _lock: Lock = field(default_factory=Lock)

    @property
    def is_full(self) -> bool:
        return max(len(self.person_of), len(self._place_of)) > _MAX_PERSONS

    def standings(self, persons: Sequence[int]) -> tuple[NDArray[np.void], list[int]]:
        """Return a copy of what is known of persons, and the places of those not known yet."""
        with self._lock:
            found = map(self._place_of.get, persons, repeat(-1))
            places = np.fromiter(found, np.int64, len(persons))
            return self._standings[places], np.flatnonzero(places < 0).tolist()

    def learn(self, persons: Sequence[int], standings: NDArray[np.void]) -> None:
        """Remember how persons stand; what was true once may be older than what is known."""
        with self._lock:
            for person in persons:
                self._place_of.setdefault(person, len(self._place_of))
            while len(self._place_of) > len(self._standings):
                self._standings = np.concatenate([self._standings, np.zeros_like(self._standings)])
            places = np.fromiter(map(self._place_of.__getitem__, persons), np.int64, len(persons))
            self._standings[places] = standings


@dataclass
class PersonCache:
    """What the threads of one process know together.

    A distinct id stays with its person, first moments only move to earlier times and active days
    stay, so what is remembered decides that an event changes nothing; where it might, the database
    is asked. What breaks that rule (merging, erasing, excluding, undoing a merge, rebuilding)
    raises the epoch, and everything is forgotten. A transaction learns, once committed, into what
    it was given: should that be forgotten by then, so is what it learned.
    """

    _known: CachedPersons = field(default_factory=CachedPersons)

    def known(self, cursor: psycopg.Cursor) -> CachedPersons:
        """Return what holds now, for this transaction; the memory is bounded.

        Ids need the identity lock, shared; moments and days the roll-up lock.
        """
        # A sequence's first number is its last before it was ever called.
        cursor.execute("SELECT last_value + is_called::int FROM analytics_rollup_epoch")
        (epoch,) = cursor.fetchone() or (0,)
        known = self._known
        if epoch != known.epoch or known.is_full:
            known = self._known = CachedPersons(epoch)
        return known


def forget(cursor: psycopg.Cursor) -> None:
    """Let every process forget; call it under the locks that `Memory.known` names."""
    cursor.execute("SELECT nextval('analytics_rollup_epoch')")
