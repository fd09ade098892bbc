"""The moments of persons' first events, from which the roll-ups tell cohorts and activation."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
import psycopg

from analytics.calculations.batch import microseconds
from analytics.calculations.cells import Firsts, activation_window
from analytics.calculations.records import EventRecord
from analytics.rollups import definitions
from analytics.rollups.definitions import Definitions
from common.calculations.calendar import LocalCalendar
from common.postgres import array_literal

# When a person first had an event of a kind; an earlier one changes cohorts or activation.
MILESTONES = ("first_event_at", "signup_at", "activated_at")
_ANY_TIME = np.iinfo(np.int64).max


class Milestones(msgspec.Struct, frozen=True, gc=False):
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

    def news_before(self, moment: str) -> int:
        """Return the Unix time in microseconds before which an event of its kind is news."""
        known: datetime | None = getattr(self, moment)
        return microseconds(known) if known and self.has_profile else _ANY_TIME


def with_event(moments: Milestones, record: EventRecord, in_force: Definitions) -> Milestones:
    """Return the moments with the event's, where it is the first of its kind."""
    earlier: dict[str, Any] = {}
    if record.profile and not moments.has_profile:
        earlier["has_profile"] = True
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
        known: datetime | None = getattr(moments, name)
        if applies and (known is None or record.timestamp < known):
            earlier[name] = record.timestamp
    return msgspec.structs.replace(moments, **earlier) if earlier else moments


def read_milestones(cursor: psycopg.Cursor, person_ids: Iterable[int]) -> dict[int, Milestones]:
    """Return the persons' moments; unknown persons are absent."""
    cursor.execute(
        "SELECT id, excluded, has_profile, first_seen_at, first_event_at, signup_at, activated_at"
        " FROM analytics_person WHERE id = ANY(%s::bigint[])",
        [array_literal(person_ids)],
        binary=True,
    )
    return {person_id: Milestones(*values) for person_id, *values in cursor.fetchall()}


def write_milestones(cursor: psycopg.Cursor, moments: Mapping[int, Milestones]) -> None:
    """Store the persons' moments."""
    if not moments:
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
            array_literal(moments),
            *(
                array_literal(_iso(values, column) for values in moments.values())
                for column in columns
            ),
            array_literal(values.has_profile for values in moments.values()),
        ],
    )


def _iso(moments: Milestones, column: str) -> str | None:
    moment: datetime | None = getattr(moments, column)
    return moment.isoformat() if moment else None
