"""The journal of merges, refusals and splits, with what undoing a merge needs."""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

import msgspec
import psycopg
from msgspec.structs import asdict

from analytics.calculations.people.identity import Identities
from analytics.calculations.people.identity_journal import JournalEntry, MergeVerdict
from analytics.calculations.people.merge import (
    Before,
    Remaining,
    Side,
    merged_decision,
    merged_is_demo,
)
from analytics.calculations.people.profile import Profile, ProfileDraft
from analytics.calculations.records import EventRecord, Proof
from analytics.models import PersonMerge

_LINES_AT_ONCE = 100  # each may hold a whole person


class Journal:
    """The journal lines of a batch, in order of the events."""

    def __init__(self, cursor: psycopg.Cursor, identities: Identities, cause: str) -> None:
        self._ids: dict[int, set[str]] = defaultdict(set)
        self._flags: dict[int, tuple[bool | None, bool]] = {}  # excluded by hand, demo
        self._attachments = identities.attachments
        self._newly_proved = sorted(identities.newly_proved)
        self._applied = 0
        self._cause = cause
        self._read(cursor, identities)
        self._lines: list[PersonMerge] = []
        self._merges: dict[bytes, list[tuple[PersonMerge, Before]]] = defaultdict(list)
        for entry in identities.journal:
            self._add(entry)

    def merge(self, record: EventRecord, drafts: Mapping[int, ProfileDraft]) -> None:
        """Merge the profiles of the persons that an event merged, and note what an undo needs."""
        for line, before in self._merges.get(record.uuid, ()):
            person, other = drafts[line.person_id or 0], drafts[line.other_person_id or 0]
            claimed_with = person.email_claimed_with
            side = msgspec.structs.replace(before.other, **asdict(other.profile))
            remaining = msgspec.structs.replace(
                before.person, taken_over=person.merge(other), email_claimed_with=claimed_with
            )
            line.before = msgspec.to_builtins(
                msgspec.structs.replace(before, person=remaining, other=side)
            )

    def write(self) -> None:
        PersonMerge.objects.bulk_create(self._lines, batch_size=_LINES_AT_ONCE)

    def _read(self, cursor: psycopg.Cursor, identities: Identities) -> None:
        merges = [entry for entry in identities.journal if entry.verdict == MergeVerdict.MERGED]
        involved = list({id_ for entry in merges for id_ in (entry.person, entry.other)})
        if not involved:
            return
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

    def _add(self, entry: JournalEntry) -> None:
        for distinct_id, person in self._attachments[self._applied : entry.attached]:
            self._ids[person].add(distinct_id)
        self._applied = max(self._applied, entry.attached)
        if entry.split_id:
            self._move_id(entry)
        line = PersonMerge(
            result=PersonMerge.Result(entry.verdict),
            cause=self._cause or entry.record.event,
            event_uuid=None if self._cause else UUID(bytes=entry.record.uuid),
            distinct_id=entry.split_id or entry.record.distinct_id,
            other_id="" if entry.split_id else entry.record.other_id or "",
            person_id=entry.person,
            other_person_id=entry.other,
        )
        self._lines.append(line)
        if (
            entry.verdict == MergeVerdict.MERGED
            and entry.person is not None
            and entry.other is not None
        ):
            before = self._before(entry, entry.person, entry.other)
            self._merges[entry.record.uuid].append((line, before))

    def _before(self, entry: JournalEntry, person: int, other: int) -> Before:
        """Return what an undo needs but the profiles, and note the merge."""
        flags, other_flags = (self._flags.get(pk, (None, False)) for pk in (person, other))
        (by_hand, demo), (other_by_hand, other_demo) = flags, other_flags
        before = Before(
            distinct_ids=sorted(self._ids[other]),
            person=Remaining(
                is_identified=entry.person_identified, excluded_by_hand=by_hand, is_demo=demo
            ),
            other=Side(
                **asdict(Profile()),
                is_identified=entry.other_identified,
                excluded_by_hand=other_by_hand,
                is_demo=other_demo,
            ),
            newly_proved=self._newly_proved if entry.record.proof is Proof.STAFF else [],
        )
        self._ids[person] |= self._ids.pop(other)
        self._flags[person] = (
            merged_decision(by_hand, other_by_hand),
            merged_is_demo(demo, other_demo),
        )
        return before

    def _move_id(self, entry: JournalEntry) -> None:
        if entry.person is not None and entry.other is not None:
            self._ids[entry.other].discard(entry.split_id)
            self._ids[entry.person].add(entry.split_id)
