"""Read which codes persons' events and properties name."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from analytics.models import Person
from analytics.models.event import READABLE_PROPERTIES
from analytics.rollups import definitions
from common.postgres import array_literal
from growth.calculations.referral import Naming, normalized
from growth.referrals import checks

EVENTS_READ = 1_000  # of a person, the latest before the signup
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LINK_PATTERN = f"[?&]{checks.LINK_PARAMETER}=([A-Za-z0-9_-]+)"
NAMES_A_CODE = f"""
    ({READABLE_PROPERTIES} ?| %(names)s::text[]
     OR {READABLE_PROPERTIES} ->> '$current_url' ~ %(pattern)s)
"""

_NAMED = f"""
    (SELECT array_agg({READABLE_PROPERTIES} ->> name ORDER BY number)
     FROM unnest(%(names)s::text[]) WITH ORDINALITY AS names (name, number))
    || substring({READABLE_PROPERTIES} ->> '$current_url' FROM %(pattern)s)
"""
_IS_SIGNUP = "%(signup)s IN (event, %(first)s)"
# The latest events before the signup, and the first proved signup: anyone can send a person more
# events than may be read while persons are locked.
_PERSONS = """
    (SELECT id, signup_at FROM analytics_person WHERE id = ANY(%(persons)s::bigint[])) AS person
"""
_NAMINGS = f"""
    SELECT id, timestamp, distinct_id, proved, {_NAMED},
        timestamp = signup_at AND {_IS_SIGNUP}, false
    FROM {_PERSONS} CROSS JOIN LATERAL (
        SELECT * FROM analytics_event
        WHERE person_id = id AND timestamp <= coalesce(signup_at, 'infinity')
        ORDER BY timestamp DESC LIMIT {EVENTS_READ}
    ) AS event
    WHERE {NAMES_A_CODE}
    UNION ALL
    SELECT id, timestamp, distinct_id, proved, {_NAMED}, false, true
    FROM {_PERSONS} CROSS JOIN LATERAL (
        SELECT * FROM analytics_event
        WHERE person_id = id AND proved AND {_IS_SIGNUP}
        ORDER BY timestamp, distinct_id, uuid LIMIT 1
    ) AS event
"""


def of_events(
    cursor: psycopg.Cursor, person_ids: Collection[int]
) -> list[tuple[int, Naming, bool, bool]]:
    """Return persons' events that name a code: whether each is the signup, or the first proved one.

    The first proved signup is there, with the code "", where it names none, too.
    """
    cursor.execute(_NAMINGS, parameters(person_ids))
    return [*_readable(cursor.fetchall())]


def order(naming: Naming) -> tuple[bool, str, str]:
    """Of several signup events of one moment the proved one decides."""
    return not naming.proved, naming.distinct_id, naming.code


def _readable(rows: Collection[tuple]) -> Iterator[tuple[int, Naming, bool, bool]]:
    for person_id, at, distinct_id, proved, texts, is_signup, is_first_proved in rows:
        code = next(filter(None, map(normalized, texts)), "")
        if code or is_first_proved:
            yield person_id, Naming(code, at, distinct_id, proved), is_signup, is_first_proved


def of_person(person: Person) -> Naming | None:
    """Return the code among a person's properties, a proved one first."""
    for layer, times, proved in (
        (person.proved, person.proved_set_at, True),
        (person.properties, person.set_at, False),
    ):
        for name in checks.property_names():
            if code := normalized(layer.get(name)):
                at = _EPOCH + timedelta(microseconds=abs(times.get(name, 0)))
                return Naming(code, at, _first_id(person), proved)
    return None


def _first_id(person: Person) -> str:
    return str(person.distinct_ids.order_by("pk").values_list("pk", flat=True)[0])


def parameters(person_ids: Collection[int] = ()) -> dict[str, object]:
    return {
        "names": checks.property_names(),
        "pattern": _LINK_PATTERN,
        "persons": array_literal(person_ids),
        "signup": definitions.in_force().signup_event,
        "first": definitions.FIRST_EVENT,
    }
