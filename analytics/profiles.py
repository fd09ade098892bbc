"""What is known of persons and groups: the properties that events set, in order of arrival."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg

from analytics.calculations.identity import Identities, JournalEntry, Verdict
from analytics.calculations.wire import (
    EventRecord,
    group_change,
    may_change_person,
    person_changes,
)
from analytics.models import PersonMerge

Properties = dict[str, Any]


def update(
    cursor: psycopg.Cursor,
    records: Sequence[EventRecord],
    persons: Sequence[int],
    identities: Identities,
) -> set[int]:
    """Apply what events set, one after the other, and keep the journal of merges.

    `persons` are those of the records at their moment. Return the persons whose properties
    changed. At a merge the properties of the person that stays win. Needs the roll-up lock.
    """
    merges = {entry.record.uuid: entry for entry in identities.journal}
    changes = [
        (record, person, change)
        for record, person in zip(records, persons, strict=True)
        if (may_change_person(record.properties) or record.uuid in merges)
        and (any(change := _changes(record)) or record.uuid in merges)
    ]
    if not changes:
        return set()
    involved = {person for _, person, _ in changes}
    for noted in identities.journal:
        involved |= {person for person in (noted.person, noted.other) if person is not None}
    before = _read(cursor, involved)
    now = {person: before.get(person, {}) for person in involved}
    journal = _Journal(cursor, identities)
    for record, person, (set_, once, unset) in changes:
        if entry := merges.get(record.uuid):
            journal.add(entry, now)
        properties = {**once, **now[person], **set_}
        now[person] = {name: properties[name] for name in properties if name not in unset}
    journal.write()
    gone = identities.merges
    changed = {
        person: properties
        for person, properties in now.items()
        if person not in gone and properties != before.get(person)
    }
    _write(cursor, changed)
    return set(changed)


def update_groups(cursor: psycopg.Cursor, records: Iterable[EventRecord]) -> None:
    """Apply what ``$groupidentify`` events set, the later over the earlier."""
    groups: dict[tuple[str, str], Properties] = defaultdict(dict)
    for record in records:
        if record.event == "$groupidentify" and (change := group_change(record)):
            group_type, key, properties = change
            groups[group_type, key] |= properties
    if not groups:
        return
    rows = sorted(groups)
    cursor.execute(
        """
        INSERT INTO analytics_group AS known (group_type, group_key, properties)
        SELECT * FROM unnest(%s::text[], %s::text[], %s::jsonb[])
        ON CONFLICT (group_type, group_key)
        DO UPDATE SET properties = known.properties || excluded.properties
        """,
        [
            [group_type for group_type, _ in rows],
            [key for _, key in rows],
            [json.dumps(groups[row]) for row in rows],
        ],
    )


class _Journal:
    """Journal lines to be, with what an undo will need."""

    def __init__(self, cursor: psycopg.Cursor, identities: Identities) -> None:
        self._lines: list[PersonMerge] = []
        self._ids: dict[int, set[str]] = defaultdict(set)
        self._attached = list(identities.attached)
        self._identities = identities
        self._known = 0
        merges = [entry for entry in identities.journal if entry.verdict == Verdict.MERGED]
        if merges:
            persons = list({entry.person for entry in merges} | {entry.other for entry in merges})
            cursor.execute(
                "SELECT person_id, distinct_id FROM analytics_distinctid"
                " WHERE person_id = ANY(%s) AND distinct_id <> ALL(%s)",
                [persons, self._attached],
            )
            for person, distinct_id in cursor.fetchall():
                self._ids[person].add(distinct_id)
            cursor.execute(
                "SELECT id, excluded_by_hand FROM analytics_person WHERE id = ANY(%s)", [persons]
            )
            self._excluded_by_hand: dict[int, bool | None] = dict(cursor.fetchall())

    def add(self, entry: JournalEntry, properties: dict[int, Properties]) -> None:
        """Note a verdict, and give the person that stays the properties of the one that goes."""
        before: dict[str, Any] = {}
        person, other = entry.person, entry.other
        if entry.verdict == Verdict.MERGED and person is not None and other is not None:
            for distinct_id in self._attached[self._known : entry.attached]:
                self._ids[self._identities.attached[distinct_id]].add(distinct_id)
            self._known = entry.attached
            excluded_by_hand = self._excluded_by_hand.get(other)
            before = {
                "distinct_ids": sorted(self._ids[other]),
                "properties": properties[other],
                "person_properties": properties[person],
                "is_identified": entry.other_was_identified,
                "excluded_by_hand": excluded_by_hand,
            }
            self._ids[person] |= self._ids.pop(other)
            if excluded_by_hand is not None:  # as `analytics.merging` does with the rows
                known = self._excluded_by_hand.get(person)
                self._excluded_by_hand[person] = excluded_by_hand or bool(known)
            properties[person] = {**properties[other], **properties[person]}
        self._lines.append(
            PersonMerge(
                result=PersonMerge.Result(entry.verdict),
                cause=entry.record.event,
                event_uuid=UUID(bytes=entry.record.uuid),
                distinct_id=entry.record.distinct_id,
                other_id=entry.record.other_id or "",
                person_id=person,
                other_person_id=other,
                before=before,
            )
        )

    def write(self) -> None:
        PersonMerge.objects.bulk_create(self._lines)


def _changes(record: EventRecord) -> tuple[Properties, Properties, Sequence[str]]:
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
        [list(changed), [json.dumps(one) for one in changed.values()]],
    )
