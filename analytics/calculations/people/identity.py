"""Identity: the rules by which events create, link, merge and split persons.

Events are applied one after the other in the order of acknowledgement. So the persons and the
journal are the same, whatever the batches.

A distinct id is proved once an event with proof named it; a person is protected while one of its
ids is proved. A claim never changes which ids belong to a protected person. It holds until proof
contradicts it: an id that was only claimed to belong to a person with another proved id is split
off once it is proved, too. So a person never has two proved ids that only a claim has joined.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from analytics.calculations.batch import EventBatch
from analytics.calculations.people.identity_journal import JournalEntry, MergeVerdict, Split
from analytics.calculations.people.placeholders import is_illegal
from analytics.calculations.records import EventRecord, Proof


def linking_records(events: EventBatch) -> dict[int, EventRecord]:
    """Return, by index, the events that identify or link persons."""
    return {
        index: record
        for index, record in events.special.items()
        if record.event == "$identify" or record.other_id is not None
    }


@dataclass(slots=True)
class Identities:
    """The persons of a batch of events. `new_ids` are the ids for new persons."""

    person_of: dict[str, int]  # by distinct id, from before the batch and kept up to date
    identified: set[int]
    new_ids: Iterator[int]
    proved_ids: dict[int, set[str]] = field(default_factory=dict)  # by person, as the first
    paying: Collection[int] = ()  # persons with a Stripe customer, among those that are linked
    excluded_by_hand: set[int] = field(default_factory=set)  # among the same
    created: list[int] = field(default_factory=list)
    attached: dict[str, int] = field(default_factory=dict)  # distinct ids that are new
    attachments: list[tuple[str, int]] = field(default_factory=list)  # the same as they happened
    newly_identified: set[int] = field(default_factory=set)
    newly_proved: set[str] = field(default_factory=set)
    splits: list[Split] = field(default_factory=list)
    journal: list[JournalEntry] = field(default_factory=list)
    _merged: dict[int, int] = field(default_factory=dict)  # source -> target

    @property
    def merges(self) -> Mapping[int, int]:
        """Each merged person, and the person that it is now part of; computed at each call."""
        return {source: self.current(source) for source in self._merged}

    @property
    def moves_ids(self) -> bool:
        """Whether ids have another person than before, or than earlier in the batch."""
        return bool(self._merged or self.splits)

    def current(self, person: int) -> int:
        """Return the person that a person is now part of, or the person itself."""
        while (target := self._merged.get(person)) is not None:
            if (further := self._merged.get(target)) is not None:
                self._merged[person] = further  # so that a long chain is short the next time
            person = target
        return person

    @property
    def changed(self) -> set[int]:
        """The persons that are new, have a new, lost or newly proved id, or absorbed another."""
        split = {person for split in self.splits for person in (split.old, split.new)}
        proved = {self.person_of[distinct_id] for distinct_id in self.newly_proved}
        return set(map(self.current, {*self.attached.values(), *self._merged, *split, *proved}))

    def find(self, distinct_id: str) -> int | None:
        person = self.person_of.get(distinct_id)
        return person if person is None or not self._merged else self.current(person)

    def apply(self, events: EventBatch) -> NDArray[np.int64]:
        """Apply events in order and return the person of each at its time."""
        linking = linking_records(events)
        if not linking and not self._contradict_claims(events.proved_ids):
            distinct_ids, number = events.numbered_ids
            persons = [self._person(distinct_id) for distinct_id in distinct_ids]
            for distinct_id in events.proved_ids:
                self._prove(distinct_id)
            return np.array(persons, np.int64)[number]
        return np.array([self._apply(events, index, linking) for index in range(len(events))])

    def prove(self, distinct_id: str, record: EventRecord) -> None:
        """Record that an id was named with proof; split it off a person with another proved id.

        Staff decides about whole persons, so nothing is split.
        """
        if self._is_split_by(record, distinct_id):
            self._split(distinct_id, record)
        self._prove(distinct_id)

    def _apply(self, events: EventBatch, index: int, linking: Mapping[int, EventRecord]) -> int:
        distinct_id = events.distinct_ids[index]
        record = linking.get(index)
        if events.proves_id(index):
            self.prove(distinct_id, record or events[index])
        if record:
            self._link(record)
        return self._person(distinct_id)

    def _person(self, distinct_id: str) -> int:
        person = self.find(distinct_id)
        return self._create(distinct_id) if person is None else person

    def _contradict_claims(self, distinct_ids: Iterable[str]) -> bool:
        """Whether any of these ids contradicts a claim, if they are proved one after the other."""
        joined: set[int] = set()  # persons of whom one of the ids is to be proved
        for distinct_id in distinct_ids:
            person = self.find(distinct_id)
            if person is None or is_illegal(distinct_id):
                continue
            proved = self.proved_ids.get(person, set())
            if distinct_id not in proved and (proved or person in joined):
                return True
            joined.add(person)
        return False

    def _contradicts_claim(self, distinct_id: str) -> bool:
        """Whether an id, if proved now, is not the person that it was only claimed to be."""
        person = self.find(distinct_id)
        proved = self.proved_ids.get(person, set()) if person is not None else set()
        return bool(proved) and distinct_id not in proved and not is_illegal(distinct_id)

    def _is_split_by(self, record: EventRecord, distinct_id: str) -> bool:
        return record.proof < Proof.STAFF and self._contradicts_claim(distinct_id)

    def _prove(self, distinct_id: str) -> None:
        if is_illegal(distinct_id):
            return
        proved = self.proved_ids.setdefault(self._person(distinct_id), set())
        if distinct_id not in proved:
            proved.add(distinct_id)
            self.newly_proved.add(distinct_id)

    def _split(self, distinct_id: str, record: EventRecord) -> None:
        old, new = self._person(distinct_id), next(self.new_ids)
        self.journal.append(
            JournalEntry(
                MergeVerdict.SPLIT, record, new, old, len(self.attachments), split_id=distinct_id
            )
        )
        self.created.append(new)
        self.splits.append(Split(distinct_id, old, new))
        self.person_of[distinct_id] = new
        if distinct_id in self.attached:
            self.attached[distinct_id] = new

    def _link(self, record: EventRecord) -> None:
        """Apply an identity event, before its own person is determined."""
        other_id = record.other_id if record.other_id != record.distinct_id else None
        if other_id is not None:
            if is_illegal(record.distinct_id) or is_illegal(other_id):
                self.journal.append(JournalEntry(MergeVerdict.ILLEGAL_ID, record))
            else:
                self._join(record, other_id)
        if record.event == "$identify" and not is_illegal(record.distinct_id):
            self._identify(self._person(record.distinct_id))

    def _join(self, record: EventRecord, other_id: str) -> None:
        """Join the persons of the two ids, unless the rules refuse it."""
        target, other = self.find(record.distinct_id), self.find(other_id)
        is_proved = record.proof >= Proof.PROVED
        if is_proved and target != other and self._is_split_by(record, other_id):
            self._split(other_id, record)
            other = self.find(other_id)
        if target == other and target is not None:
            self._identify(target)
        elif verdict := self._refusal(record, target, other):
            self._record(verdict, record, target, other)
            return
        else:
            self._identify(self._joined(record, other_id, target, other))
        if is_proved:
            self._prove(other_id)

    def _joined(
        self, record: EventRecord, other_id: str, target: int | None, other: int | None
    ) -> int:
        if target is None and other is None:
            target = self._create(record.distinct_id)
        if target is None:
            target = cast("int", other)
            self._attach(record.distinct_id, target)
        elif other is None:
            self._attach(other_id, target)
        else:
            self._record(MergeVerdict.MERGED, record, target, other)
            self._merged[other] = target
            if other in self.excluded_by_hand:
                self.excluded_by_hand.add(target)
            both = (self.proved_ids.pop(person, set()) for person in (target, other))
            fewer, more = sorted(both, key=len)  # the larger set may grow with every merge
            more |= fewer
            self.proved_ids[target] = more
        return target

    def _refusal(
        self, record: EventRecord, target: int | None, other: int | None
    ) -> MergeVerdict | None:
        """Return why the persons of an event's two ids, if any, must not become one."""
        is_dangerous = record.event == "$merge_dangerously"
        if target is not None and other in self.identified and not is_dangerous:
            return MergeVerdict.ALREADY_IDENTIFIED
        if is_dangerous and record.proof is Proof.CLAIMED:
            return MergeVerdict.UNPROVED
        if self._is_guarded(record, target, other):
            return MergeVerdict.PROTECTED
        if target in self.paying and other in self.paying and record.proof < Proof.STAFF:
            return MergeVerdict.BOTH_PAY
        return None

    def _is_guarded(self, record: EventRecord, target: int | None, other: int | None) -> bool:
        """Whether protection, or a decision of staff, forbids to join two persons."""
        if record.proof is Proof.CLAIMED and self._is_protected(target):
            return True
        # A backend that identifies or aliases passes on an anonymous id that a browser has chosen.
        if self._is_protected(other):
            return record.proof < Proof.PROVED or record.event != "$merge_dangerously"
        spreads = other in self.excluded_by_hand and target not in self.excluded_by_hand
        return spreads and record.proof < Proof.PROVED

    def _is_protected(self, person: int | None) -> bool:
        return person is not None and bool(self.proved_ids.get(person))

    def _record(
        self, verdict: MergeVerdict, record: EventRecord, person: int | None, other: int | None
    ) -> None:
        identified = person in self.identified, other in self.identified
        entry = JournalEntry(verdict, record, person, other, len(self.attachments), *identified)
        self.journal.append(entry)

    def _create(self, distinct_id: str) -> int:
        person = next(self.new_ids)
        self.created.append(person)
        self._attach(distinct_id, person)
        return person

    def _attach(self, distinct_id: str, person: int) -> None:
        self.person_of[distinct_id] = person
        self.attached[distinct_id] = person
        self.attachments.append((distinct_id, person))

    def _identify(self, person: int) -> None:
        if person not in self.identified:
            self.identified.add(person)
            self.newly_identified.add(person)
