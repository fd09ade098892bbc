"""Properties of persons and groups, as events set them in order of arrival."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from uuid import UUID

import msgspec
import psycopg
from msgspec.structs import asdict

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.identity import Identities, JournalEntry, MergeVerdict
from analytics.calculations.people.merge import Before, Side, merged_decision, merged_is_demo
from analytics.calculations.people.profile import (
    Profile,
    Properties,
    PropertyChanges,
    changed,
    merged,
)
from analytics.calculations.people.profile_changes import group_change, person_changes
from analytics.calculations.records import EventRecord, Proof
from analytics.models import PersonMerge


def update(
    cursor: psycopg.Cursor,
    events: EventBatch,
    persons: Sequence[int],
    identities: Identities,
    *,
    cause: str = "",
) -> set[int]:
    """Apply the property changes of events, in order, and write the journal of merges.

    `persons` are those of the events at their times. Return the persons whose properties, or
    what is proved of them, changed. In a merge those of the remaining person win. `cause` is the
    origin of a merge that no event requested. Needs the roll-up lock.
    """
    entries: dict[bytes, list[JournalEntry]] = defaultdict(list)
    for entry in identities.journal:
        entries[entry.record.uuid].append(entry)
    changes = _changes(events, persons, entries)
    if not changes:
        return set()
    involved = _involved(changes, identities)
    before = _read(cursor, involved)
    now = {person: before.get(person, Profile()) for person in involved}
    journal = _Journal(cursor, identities, cause)
    for record, person, change in changes:
        for entry in entries.get(record.uuid, ()):
            journal.add(entry, now)
        now[person] = changed(now[person], change, record)
    journal.write()
    absorbed = identities.merges
    different = {
        person: profile
        for person, profile in now.items()
        if person not in absorbed and profile != before.get(person)
    }
    _write(cursor, different)
    return set(different)


def _changes(
    events: EventBatch, persons: Sequence[int], entries: Mapping[bytes, Sequence[JournalEntry]]
) -> list[tuple[EventRecord, int, PropertyChanges]]:
    """Return the events that change properties or are in the journal, with their persons."""
    rows = [(index, record, person_changes(record)) for index, record in events.special.items()]
    ordinary = {entry.record.uuid for its in entries.values() for entry in its}
    ordinary -= {record.uuid for _, record, _ in rows}
    if ordinary:
        rows += [
            (index, events[index], PropertyChanges())
            for index, uuid in enumerate(events.uuids.tolist())
            if uuid in ordinary
        ]
    return [
        (record, persons[index], change)
        for index, record, change in sorted(rows, key=itemgetter(0))
        if any(change) or record.uuid in entries
    ]


def _involved(
    changes: Sequence[tuple[EventRecord, int, PropertyChanges]], identities: Identities
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
        self._attachments = identities.attachments
        self._newly_proved = identities.newly_proved
        self._applied = 0
        self._cause = cause
        merges = [entry for entry in identities.journal if entry.verdict == MergeVerdict.MERGED]
        if involved := list({id_ for entry in merges for id_ in (entry.person, entry.other)}):
            cursor.execute(
                "SELECT person_id, distinct_id FROM analytics_distinctid"
                " WHERE person_id = ANY(%s) AND distinct_id <> ALL(%s)",
                [involved, list(identities.attached)],
            )
            for person, distinct_id in cursor.fetchall():
                self._ids[person].add(distinct_id)
            cursor.execute(
                "SELECT id, excluded_by_hand, is_demo FROM analytics_person WHERE id = ANY(%s)",
                [involved],
            )
            self._flags = {person: (by_hand, demo) for person, by_hand, demo in cursor.fetchall()}

    def add(self, entry: JournalEntry, profiles: dict[int, Profile]) -> None:
        """Add a line, and merge the profiles of the two persons where they were merged."""
        before = None
        for distinct_id, person in self._attachments[self._applied : entry.attached]:
            self._ids[person].add(distinct_id)
        self._applied = max(self._applied, entry.attached)
        if entry.split_id:
            self._move_id(entry)
        if (
            entry.verdict == MergeVerdict.MERGED
            and entry.person is not None
            and entry.other is not None
        ):
            before = self._merge(entry.person, entry.other, entry, profiles)
        self._lines.append(
            PersonMerge(
                result=PersonMerge.Result(entry.verdict),
                cause=self._cause or entry.record.event,
                event_uuid=None if self._cause else UUID(bytes=entry.record.uuid),
                distinct_id=entry.split_id or entry.record.distinct_id,
                other_id="" if entry.split_id else entry.record.other_id or "",
                person_id=entry.person,
                other_person_id=entry.other,
                before=msgspec.to_builtins(before) if before else {},
            )
        )

    def _merge(
        self, person: int, other: int, entry: JournalEntry, profiles: dict[int, Profile]
    ) -> Before:
        (by_hand, demo), (other_by_hand, other_demo) = (
            self._flags.get(pk, (None, False)) for pk in (person, other)
        )
        before = Before(
            distinct_ids=sorted(self._ids[other]),
            person=_side(profiles[person], entry.person_identified, by_hand, demo),
            other=_side(profiles[other], entry.other_identified, other_by_hand, other_demo),
            newly_proved=sorted(self._newly_proved) if entry.record.proof is Proof.STAFF else [],
        )
        self._ids[person] |= self._ids.pop(other)
        self._flags[person] = (
            merged_decision(by_hand, other_by_hand),
            merged_is_demo(demo, other_demo),
        )
        profiles[person] = merged(profiles[person], profiles[other])
        return before

    def _move_id(self, entry: JournalEntry) -> None:
        if entry.person is not None and entry.other is not None:
            self._ids[entry.other].discard(entry.split_id)
            self._ids[entry.person].add(entry.split_id)

    def write(self) -> None:
        PersonMerge.objects.bulk_create(self._lines)


def _side(
    profile: Profile, is_identified: bool, excluded_by_hand: bool | None, is_demo: bool
) -> Side:
    return Side(
        **asdict(profile),
        is_identified=is_identified,
        excluded_by_hand=excluded_by_hand,
        is_demo=is_demo,
    )


def _read(cursor: psycopg.Cursor, persons: set[int]) -> dict[int, Profile]:
    cursor.execute(
        "SELECT id, properties::text, proved::text, claimed::text, email_claimed_with"
        " FROM analytics_person WHERE id = ANY(%s)",
        [list(persons)],
    )
    return {
        person: Profile(
            properties=json.loads(properties),
            proved=json.loads(proved),
            claimed=json.loads(claimed),
            email_claimed_with=claimed_with,
        )
        for person, properties, proved, claimed, claimed_with in cursor.fetchall()
    }


def _write(cursor: psycopg.Cursor, profiles: dict[int, Profile]) -> None:
    if not profiles:
        return
    cursor.execute(
        """
        UPDATE analytics_person SET
            properties = new.properties, proved = new.proved, claimed = new.claimed,
            email_claimed_with = new.email_claimed_with
        FROM unnest(%s::bigint[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::bigint[])
            AS new (id, properties, proved, claimed, email_claimed_with)
        WHERE analytics_person.id = new.id
        """,
        [
            list(profiles),
            [json.dumps(profile.properties) for profile in profiles.values()],
            [json.dumps(profile.proved) for profile in profiles.values()],
            [json.dumps(profile.claimed) for profile in profiles.values()],
            [profile.email_claimed_with for profile in profiles.values()],
        ],
    )
