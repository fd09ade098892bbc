"""Properties of persons, as events set them in order of arrival, within the bounds."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from operator import itemgetter
from typing import NamedTuple

import psycopg
from msgspec.structs import replace

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.bounds import Refusal
from analytics.calculations.people.identity import Identities
from analytics.calculations.people.profile import Profile, ProfileDraft, PropertyChanges
from analytics.calculations.people.profile_changes import person_changes
from analytics.calculations.records import EventRecord
from analytics.people.journal import Journal

Change = tuple[EventRecord, int, PropertyChanges]  # with the event's person at that time

MOST_AT_ONCE = 16 * 1024 * 1024  # bytes of JSON; as Python objects it takes many times as much
ALWAYS_FIT = 16  # persons, each within the bounds

# Sizes of uncompressed JSON cost nothing to read.
_SIZES = f"""
SELECT id, {
    " + ".join(
        f"CASE WHEN pg_column_compression({column}) IS NULL THEN pg_column_size({column})"
        f" ELSE octet_length({column}::text) END"
        for column in ("properties", "proved", "claimed", "set_at", "proved_set_at")
    )
} FROM analytics_person WHERE id = ANY(%s)
"""

_CONTENT = {
    **dict.fromkeys(["properties", "proved", "claimed", "refused"], "jsonb"),
    "email_claimed_with": "bigint",
}
_TIMES = dict.fromkeys(["set_at", "proved_set_at"], "jsonb")


class TooMuchAtOnce(Exception):
    """The persons that a batch merges away do not fit into memory: split the batch."""


class ProfileUpdate(NamedTuple):
    """The persons that changed, and why events had properties refused, by their uuid."""

    changed: set[int]
    refusals: dict[bytes, Refusal]


def update(
    cursor: psycopg.Cursor,
    events: EventBatch,
    persons: Sequence[int],
    identities: Identities,
    *,
    cause: str = "",
) -> ProfileUpdate:
    """Apply the property changes of events, in order, and write the journal of merges.

    `persons` are those of the events at their times. Return the persons whose properties, or
    what is proved of them, changed. In a merge those of the remaining person win. `cause` is the
    origin of a merge that no event requested. Needs the roll-up lock. Raise `TooMuchAtOnce` where
    the batch merges away more than fits into memory.
    """
    result = ProfileUpdate(set(), {})
    changes = _changes(events, persons, {entry.record.uuid for entry in identities.journal})
    if not changes:
        return result
    journal, merged = Journal(cursor, identities, cause), identities.merges.keys()
    for its_persons, its_changes in _portions(cursor, changes, identities):
        before = _read(cursor, its_persons)
        drafts = {person: ProfileDraft(before.get(person, Profile())) for person in its_persons}
        for record, person, change in its_changes:
            journal.merge(record, drafts)
            if refusal := drafts[person].change(change, record):
                result.refusals[record.uuid] = refusal
        now = {pk: draft.profile for pk, draft in drafts.items() if pk not in merged}
        different = {pk: profile for pk, profile in now.items() if profile != before.get(pk)}
        result.changed.update(_write(cursor, different, before))
    journal.write()
    return result


def _changes(events: EventBatch, persons: Sequence[int], in_journal: Set[bytes]) -> list[Change]:
    """Return the events that change properties or are in the journal, with their persons."""
    rows = [(index, record, person_changes(record)) for index, record in events.special.items()]
    ordinary = in_journal - {record.uuid for _, record, _ in rows}
    if ordinary:
        rows += [
            (index, events[index], PropertyChanges())
            for index, uuid in enumerate(events.uuids.tolist())
            if uuid in ordinary
        ]
    return [
        (record, persons[index], change)
        for index, record, change in sorted(rows, key=itemgetter(0))
        if any(change) or record.uuid in in_journal
    ]


def _portions(
    cursor: psycopg.Cursor, changes: Sequence[Change], identities: Identities
) -> Iterator[tuple[set[int], list[Change]]]:
    """Yield the persons and their changes in portions that fit into memory.

    Persons that become one stay together; the order of each one's changes is kept.
    """
    merges = identities.merges
    involved = {person for _, person, _ in changes} | merges.keys() | set(merges.values())
    sizes = _stored_sizes(cursor, involved)
    if sum(sizes.get(person, 0) for person in merges) > MOST_AT_ONCE and len(changes) > 1:
        raise TooMuchAtOnce
    members: dict[int, list[int]] = defaultdict(list)
    for person in sorted(involved):
        members[merges.get(person, person)].append(person)
    portion_of: dict[int, int] = {}
    portion = size = 0
    for its_persons in members.values():
        size += sum(sizes.get(person, 0) for person in its_persons)
        if size > MOST_AT_ONCE:
            portion, size = portion + 1, sum(sizes.get(person, 0) for person in its_persons)
        portion_of |= dict.fromkeys(its_persons, portion)
    portions: list[tuple[set[int], list[Change]]] = [(set(), []) for _ in range(portion + 1)]
    for person, number in portion_of.items():
        portions[number][0].add(person)
    for change in changes:
        portions[portion_of[change[1]]][1].append(change)
    yield from portions


def _stored_sizes(cursor: psycopg.Cursor, persons: set[int]) -> dict[int, int]:
    """Return the bytes of the persons' properties, or nothing if so few persons always fit."""
    if len(persons) <= ALWAYS_FIT:
        return {}
    cursor.execute(_SIZES, [list(persons)])
    return dict(cursor.fetchall())


def _read(cursor: psycopg.Cursor, persons: set[int]) -> dict[int, Profile]:
    columns = _CONTENT | _TIMES
    selected = [f"{name}::text" if type_ == "jsonb" else name for name, type_ in columns.items()]
    cursor.execute(
        f"SELECT id, {', '.join(selected)} FROM analytics_person WHERE id = ANY(%s)",
        [list(persons)],
    )
    return {
        person: Profile(
            **{
                name: json.loads(value) if columns[name] == "jsonb" else value
                for name, value in zip(columns, values, strict=True)
            }
        )
        for person, *values in cursor.fetchall()
    }


def _write(
    cursor: psycopg.Cursor, profiles: Mapping[int, Profile], before: Mapping[int, Profile]
) -> set[int]:
    """Write profiles, and return the persons of whom more than times changed."""
    changed = {
        person: profile
        for person, profile in profiles.items()
        if profile
        != replace(
            before.get(person, Profile()),
            set_at=profile.set_at,
            proved_set_at=profile.proved_set_at,
        )
    }
    _write_columns(cursor, changed, _CONTENT)
    _write_columns(cursor, profiles, _TIMES)  # which no index holds
    return set(changed)


def _write_columns(
    cursor: psycopg.Cursor, profiles: Mapping[int, Profile], columns: Mapping[str, str]
) -> None:
    """Write columns, named with their types, of the rows of persons."""
    if not profiles:
        return
    changes = ", ".join(f"{name} = new.{name}" for name in columns)
    arrays = ", ".join(f"%s::{type_}[]" for type_ in columns.values())
    values = [
        [
            json.dumps(value) if columns[name] == "jsonb" else value
            for value in (getattr(profile, name) for profile in profiles.values())
        ]
        for name in columns
    ]
    cursor.execute(
        f"UPDATE analytics_person SET {changes} FROM unnest(%s::bigint[], {arrays})"
        f" AS new (id, {', '.join(columns)}) WHERE analytics_person.id = new.id",
        [list(profiles), *values],
    )
