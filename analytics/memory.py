"""What a process remembers of persons, so as not to ask the database for every event."""

from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import psycopg

from analytics.calculations.calendar import LocalCalendar
from analytics.calculations.cells import Firsts, activation_window

# Some 150 MB altogether.
_MAX_PERSONS = 250_000
_MAX_DAYS = 750_000


class Moments(msgspec.Struct, frozen=True, gc=False):
    """A person's first events, as aware moments, and whether the person counts."""

    excluded: bool = False
    has_profile: bool = True
    first_seen_at: datetime | None = None
    first_event_at: datetime | None = None
    signup_at: datetime | None = None
    activated_at: datetime | None = None

    def firsts(self, calendar: LocalCalendar) -> Firsts:
        signup, activation = self.signup_at, self.activated_at
        return Firsts(
            signup_day=calendar.day(signup) if signup else None,
            activated_within=activation_window(
                activation - signup if signup and activation else None
            ),
            active_day=calendar.day(self.first_event_at) if self.first_event_at else None,
            excluded=self.excluded or not self.has_profile,
        )


@dataclass
class Known:
    """What was learned of ids, persons and their days in one epoch."""

    epoch: int = 0
    person_of: dict[str, int] = field(default_factory=dict)  # by distinct id
    moments: dict[int, Moments] = field(default_factory=dict)
    days: set[tuple[int, int]] = field(default_factory=set)
    last_minutes: dict[int, int] = field(default_factory=dict)  # of activity, by person

    @property
    def is_full(self) -> bool:
        persons = max(len(self.person_of), len(self.moments))
        return persons > _MAX_PERSONS or len(self.days) > _MAX_DAYS


@dataclass
class Memory:
    """What the threads of one process know together.

    A distinct id stays with its person, first moments only move to earlier times and active days
    stay, so what is remembered decides that an event changes nothing; where it might, the database
    is asked. What breaks that rule (merging, erasing, excluding, undoing a merge, rebuilding)
    raises the epoch, and everything is forgotten. A transaction learns, once committed, into what
    it was given: should that be forgotten by then, so is what it learned.
    """

    _known: Known = field(default_factory=Known)

    def known(self, cursor: psycopg.Cursor) -> Known:
        """Return what holds now, for this transaction; the memory is bounded.

        Ids need the identity lock, shared; moments and days the roll-up lock.
        """
        # A sequence's first number is its last before it was ever called.
        cursor.execute("SELECT last_value + is_called::int FROM analytics_rollup_epoch")
        (epoch,) = cursor.fetchone() or (0,)
        known = self._known
        if epoch != known.epoch or known.is_full:
            known = self._known = Known(epoch)
        return known


def forget(cursor: psycopg.Cursor) -> None:
    """Let every process forget; call it under the locks that `Memory.known` names."""
    cursor.execute("SELECT nextval('analytics_rollup_epoch')")
