"""Properties of persons and groups, as events set them in order of arrival."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
import psycopg

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.identity import Identities, JournalEntry, MergeVerdict
from analytics.calculations.people.merge import (
    Before,
    Properties,
    Side,
    merged_decision,
    merged_is_demo,
    merged_properties,
)
from analytics.calculations.people.profile_changes import (
    group_change,
    may_change_person,
    person_changes,
)
from analytics.calculations.records import EventRecord
from analytics.models import PersonMerge

# Properties to set, to set once, and names to unset.
Changes = tuple[Properties, Properties, Sequence[str]]


def update(
    cursor: psycopg.Cursor,
    events: EventBatch,
    persons: Sequence[int],
    identities: Identities,
    *,
    cause: str = "",
) -> set[int]:
    """Apply the property changes of events, in order, and write the journal of merges.

    `persons` are those of the events at their times. Return the persons whose properties
    changed. In a merge the properties of the remaining person win. `cause` is the origin of a
    merge that no event requested. Needs the roll-up lock.
    """
    merges = {entry.record.uuid: entry for entry in identities.journal}
    changes = _changes_and_merges(events, persons, merges)
    if not changes:
        return set()
    involved = _involved(changes, identities)
    before = _read(cursor, involved)
    now = {person: before.get(person, {}) for person in involved}
    journal = _Journal(cursor, identities, cause)
    for record, person, (set_, once, unset) in changes:
        if merge := merges.get(record.uuid):
            journal.add(merge, now)
        properties = {**once, **now[person], **set_}
        now[person] = {name: properties[name] for name in properties if name not in unset}
    journal.write()
    merged = identities.merges
    changed = {
        person: properties
        for person, properties in now.items()
        if person not in merged and properties != before.get(person)
    }
    _write(cursor, changed)
    return set(changed)


def _changes_and_merges(
    events: EventBatch, persons: Sequence[int], merges: Mapping[bytes, JournalEntry]
) -> list[tuple[EventRecord, int, Changes]]:
    """Return the events that change properties or are in the journal, with their persons."""
    return [
        (record, persons[index], change)
        for index, record in events.special.items()
        if (may_change_person(record.properties) or record.uuid in merges)
        and (any(change := _changes(record)) or record.uuid in merges)
    ]


def _involved(
    changes: Sequence[tuple[EventRecord, int, Changes]], identities: Identities
) -> set[int]:
    """Return the persons of the changes and of the journal."""
    involved = {person for _, person, _ in changes}
    for entry in identities.journal:
        involved |= {person for person in (entry.person, entry.other) if person is not None}
    return involved


def update_groups(cursor: psycopg.Cursor, events: EventBatch) -> None:
    """Apply the properties of ``$groupidentify`` events; later ones win."""
    groups: dict[tuple[str, str], Properties] = defaultdict(dict)
    for record in events.special.values():
        if change := group_change(record):
            group_type, key, properties = change
            groups[group_type, key] |= properties
    if not groups:
        return
    rows = sorted(groups)
    cursor.execute(
        """
        INSERT INTO analytics_group AS stored (group_type, group_key, properties)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::jsonb[])
        ON CONFLICT (group_type, group_key)
        DO UPDATE SET properties = stored.properties || excluded.properties
        """,
        [
            [group_type for group_type, _ in rows],
            [key for _, key in rows],
            [json.dumps(groups[row]) for row in rows],
        ],
    )


class _Journal:
    """The journal lines of a batch, with the data that an undo will need."""

    def __init__(self, cursor: psycopg.Cursor, identities: Identities, cause: str) -> None:
        self._lines: list[PersonMerge] = []
        self._ids: dict[int, set[str]] = defaultdict(set)
        self._flags: dict[int, tuple[bool | None, bool]] = {}  # excluded by hand, demo
        self._attached = list(identities.attached)
        self._identities = identities
        self._applied = 0
        self._cause = cause
        merges = [entry for entry in identities.journal if entry.verdict == MergeVerdict.MERGED]
        if involved := list({id_ for entry in merges for id_ in (entry.person, entry.other)}):
            cursor.execute(
                "SELECT person_id, distinct_id FROM analytics_distinctid"
                " WHERE person_id = ANY(%s) AND distinct_id <> ALL(%s)",
                [involved, self._attached],
            )
            for person, distinct_id in cursor.fetchall():
                self._ids[person].add(distinct_id)
            cursor.execute(
                "SELECT id, excluded_by_hand, is_demo FROM analytics_person WHERE id = ANY(%s)",
                [involved],
            )
            self._flags = {person: (by_hand, demo) for person, by_hand, demo in cursor.fetchall()}

    def add(self, entry: JournalEntry, properties: dict[int, Properties]) -> None:
        """Add a line, and merge the properties of the two persons where they were merged."""
        before = None
        if (
            entry.verdict == MergeVerdict.MERGED
            and entry.person is not None
            and entry.other is not None
        ):
            before = self._merge(entry, entry.person, entry.other, properties)
        self._lines.append(
            PersonMerge(
                result=PersonMerge.Result(entry.verdict),
                cause=self._cause or entry.record.event,
                event_uuid=None if self._cause else UUID(bytes=entry.record.uuid),
                distinct_id=entry.record.distinct_id,
                other_id=entry.record.other_id or "",
                person_id=entry.person,
                other_person_id=entry.other,
                before=msgspec.to_builtins(before) if before else {},
            )
        )

    def _merge(
        self, entry: JournalEntry, person: int, other: int, properties: dict[int, Properties]
    ) -> Before:
        for distinct_id in self._attached[self._applied : entry.attached]:
            self._ids[self._identities.attached[distinct_id]].add(distinct_id)
        self._applied = entry.attached
        (by_hand, demo), (other_by_hand, other_demo) = (
            self._flags.get(pk, (None, False)) for pk in (person, other)
        )
        before = Before(
            distinct_ids=sorted(self._ids[other]),
            person=Side(properties[person], entry.person_identified, by_hand, demo),
            other=Side(properties[other], entry.other_identified, other_by_hand, other_demo),
        )
        self._ids[person] |= self._ids.pop(other)
        self._flags[person] = (
            merged_decision(by_hand, other_by_hand),
            merged_is_demo(demo, other_demo),
        )
        properties[person] = merged_properties(properties[person], properties[other])
        return before

    def write(self) -> None:
        PersonMerge.objects.bulk_create(self._lines)


def _changes(record: EventRecord) -> Changes:
    if not record.profile:
        return {}, {}, ()
    set_, once, unset = person_changes(record.properties)
    return dict(set_), dict(once), unset


def _read(cursor: psycopg.Cursor, persons: set[int]) -> dict[int, Properties]:
    cursor.execute(
        "SELECT id, properties::text FROM analytics_person WHERE id = ANY(%s)", [list(persons)]
    )
    return {person: json.loads(properties) for person, properties in cursor.fetchall()}


def _write(cursor: psycopg.Cursor, changed: dict[int, Properties]) -> None:
    if not changed:
        return
    cursor.execute(
        "UPDATE analytics_person SET properties = new.properties"
        " FROM unnest(%s::bigint[], %s::jsonb[]) AS new (id, properties)"
        " WHERE analytics_person.id = new.id",
        [list(changed), [json.dumps(properties) for properties in changed.values()]],
    )
