"""The times of persons' first events, from which the roll-ups derive cohorts and activation."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import psycopg

from analytics.calculations.cells import Firsts, delay_bucket
from analytics.calculations.event_times import microseconds
from analytics.calculations.records import EventRecord
from analytics.rollups import definitions
from analytics.rollups.definitions import Definitions
from common.calculations.calendar import LocalCalendar
from common.postgres import array_literal

# When a person first had an event of a kind; an earlier event changes cohorts or activation.
MILESTONES = ("first_event_at", "signup_at", "activated_at")
_ANY_TIME = np.iinfo(np.int64).max


class Milestones(msgspec.Struct, frozen=True, gc=False):
    """The times of a person's first events, with time zone, and whether the person counts."""

    excluded: bool = False
    has_profile: bool = True
    first_seen_at: datetime | None = None
    first_event_at: datetime | None = None
    signup_at: datetime | None = None
    activated_at: datetime | None = None

    def firsts(self, calendar: LocalCalendar) -> Firsts:
        """Return the milestones as local days, as the counters need them."""
        signup, activation = self.signup_at, self.activated_at
        return Firsts(
            signup_day=calendar.day(signup) if signup else None,
            activation_delay=delay_bucket(activation - signup if signup and activation else None),
            active_day=calendar.day(self.first_event_at) if self.first_event_at else None,
            excluded=self.excluded or not self.has_profile,
        )

    def changes_before(self, milestone: str) -> int:
        """Return the Unix time in microseconds before which an event changes this milestone."""
        time: datetime | None = getattr(self, milestone)
        return microseconds(time) if time and self.has_profile else _ANY_TIME


def with_event(milestones: Milestones, record: EventRecord, in_force: Definitions) -> Milestones:
    """Return the milestones after an event: it counts where it is the first of its kind."""
    changes: dict[str, Any] = {}
    if record.profile and not milestones.has_profile:
        changes["has_profile"] = True
    qualifies = record.event not in in_force.ignored_events
    if in_force.signup_event == definitions.FIRST_EVENT:
        is_signup = qualifies
    else:
        is_signup = record.event == in_force.signup_event
    for name, applies in (
        ("first_seen_at", True),
        ("first_event_at", qualifies),
        ("signup_at", is_signup),
        ("activated_at", record.event == in_force.activation_event),
    ):
        time: datetime | None = getattr(milestones, name)
        if applies and (time is None or record.timestamp < time):
            changes[name] = record.timestamp
    return msgspec.structs.replace(milestones, **changes) if changes else milestones


def read_milestones(cursor: psycopg.Cursor, person_ids: Iterable[int]) -> dict[int, Milestones]:
    """Return the persons' milestones; persons that do not exist are absent."""
    cursor.execute(
        "SELECT id, excluded, has_profile, first_seen_at, first_event_at, signup_at, activated_at"
        " FROM analytics_person WHERE id = ANY(%s::bigint[])",
        [array_literal(person_ids)],
        binary=True,
    )
    return {person_id: Milestones(*values) for person_id, *values in cursor.fetchall()}


def write_milestones(cursor: psycopg.Cursor, milestones: Mapping[int, Milestones]) -> None:
    """Store the persons' milestones."""
    if not milestones:
        return
    columns = ("first_seen_at", "first_event_at", "signup_at", "activated_at")
    cursor.execute(
        """
        UPDATE analytics_person SET
            first_seen_at = new.first_seen_at, first_event_at = new.first_event_at,
            signup_at = new.signup_at, activated_at = new.activated_at,
            has_profile = new.has_profile
        FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
                    %s::timestamptz[], %s::boolean[])
            AS new (id, first_seen_at, first_event_at, signup_at, activated_at, has_profile)
        WHERE analytics_person.id = new.id
        """,
        [
            array_literal(milestones),
            *(
                array_literal(_iso(values, column) for values in milestones.values())
                for column in columns
            ),
            array_literal(values.has_profile for values in milestones.values()),
        ],
    )


def _iso(milestones: Milestones, column: str) -> str | None:
    time: datetime | None = getattr(milestones, column)
    return time.isoformat() if time else None
