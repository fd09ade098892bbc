"""Who is who: the rules by which events make, link and merge persons.

Events are applied one after the other in the order of acknowledgement, so that however they are
split into batches the persons and the journal come out the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analytics.calculations.batch import EventBatch
from analytics.calculations.records import EventRecord

# Ids that products send before they know who it is: they never identify anybody.
_ILLEGAL_IN_ANY_CASE = frozenset(
    "anonymous guest distinctid distinct_id id not_authenticated email undefined true false".split()
)
_ILLEGAL = frozenset(["[object Object]", "NaN", "None", "none", "null", "0"])


def is_illegal(distinct_id: str) -> bool:
    """Whether an id cannot identify anybody: a placeholder, blank, or blank in quotes."""
    bare = distinct_id.strip().strip("\"'").strip()
    return not bare or distinct_id in _ILLEGAL or distinct_id.lower() in _ILLEGAL_IN_ANY_CASE


class MergeVerdict(StrEnum):
    """What became of two persons that an event says are one."""

    MERGED = "merged"
    ALREADY_IDENTIFIED = "cannot_merge_already_identified"
    ILLEGAL_ID = "illegal_distinct_id"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A merge or a refusal, with the event that asked for it and the persons as they were."""

    verdict: MergeVerdict
    record: EventRecord
    person: int | None = None  # stays
    other: int | None = None  # went, if merged
    attached: int = 0  # how many ids the batch had attached by then
    person_identified: bool = False
    other_identified: bool = False


def linking_records(events: EventBatch) -> dict[int, EventRecord]:
    """Return, by place, the events that say who somebody is."""
    return {
        place: record
        for place, record in events.special.items()
        if record.event == "$identify" or record.other_id is not None
    }


@dataclass(slots=True)
class Identities:
    """The persons that a batch of events concerns. `new_ids` numbers those it makes."""

    person_of: dict[str, int]  # by distinct id, as known before the batch and kept up to date
    identified: set[int]
    new_ids: Iterator[int]
    created: list[int] = field(default_factory=list)
    attached: dict[str, int] = field(default_factory=dict)  # distinct ids that were not known
    newly_identified: set[int] = field(default_factory=set)
    journal: list[JournalEntry] = field(default_factory=list)
    _merged: dict[int, int] = field(default_factory=dict)  # source -> target

    @property
    def merges(self) -> Mapping[int, int]:
        """Each person that went, and the person that it is now part of."""
        return {source: self.current(source) for source in self._merged}

    def current(self, person: int) -> int:
        """Return the person that a person is now part of."""
        while (target := self._merged.get(person)) is not None:
            person = target
        return person

    @property
    def changed(self) -> set[int]:
        """The persons that are new, got another id, or took somebody in."""
        return set(map(self.current, {*self.attached.values(), *self._merged}))

    def find(self, distinct_id: str) -> int | None:
        person = self.person_of.get(distinct_id)
        return person if person is None or not self._merged else self.current(person)

    def apply(self, events: EventBatch) -> NDArray[np.int64]:
        """Apply events in order and return the person of each at that moment."""
        linking = linking_records(events)
        if not linking:  # everybody stays who they are
            distinct_ids, number = events.numbered_ids
            return np.array([self._person(one) for one in distinct_ids], np.int64)[number]
        persons = []
        for place, distinct_id in enumerate(events.distinct_ids):
            if place in linking:
                self._link(linking[place])
            persons.append(self._person(distinct_id))
        return np.array(persons, np.int64)

    def _person(self, distinct_id: str) -> int:
        person = self.find(distinct_id)
        return self._create(distinct_id) if person is None else person

    def _link(self, record: EventRecord) -> None:
        """Apply what an identity event says, the event itself not yet counted."""
        other_id = record.other_id if record.other_id != record.distinct_id else None
        if other_id is not None:
            if is_illegal(record.distinct_id) or is_illegal(other_id):
                self.journal.append(JournalEntry(MergeVerdict.ILLEGAL_ID, record))
            else:
                self._join(record, other_id)
        if record.event == "$identify" and not is_illegal(record.distinct_id):
            self._identify(self.find(record.distinct_id) or self._create(record.distinct_id))

    def _join(self, record: EventRecord, other_id: str) -> None:
        """Make one person of the two ids', unless the rules refuse it."""
        target, other = self.find(record.distinct_id), self.find(other_id)
        if target is None:
            if other is None:
                target = self._create(record.distinct_id)
                self._attach(other_id, target)
            else:
                target = other
                self._attach(record.distinct_id, target)
        elif other is None:
            self._attach(other_id, target)
        elif other != target:
            if other in self.identified and record.event != "$merge_dangerously":
                self._note(MergeVerdict.ALREADY_IDENTIFIED, record, target, other)
                return
            self._note(MergeVerdict.MERGED, record, target, other)
            self._merged[other] = target
        self._identify(target)

    def _note(self, verdict: MergeVerdict, record: EventRecord, person: int, other: int) -> None:
        identified = person in self.identified, other in self.identified
        entry = JournalEntry(verdict, record, person, other, len(self.attached), *identified)
        self.journal.append(entry)

    def _create(self, distinct_id: str) -> int:
        person = next(self.new_ids)
        self.created.append(person)
        self._attach(distinct_id, person)
        return person

    def _attach(self, distinct_id: str, person: int) -> None:
        self.person_of[distinct_id] = person
        self.attached[distinct_id] = person

    def _identify(self, person: int) -> None:
        if person not in self.identified:
            self.identified.add(person)
            self.newly_identified.add(person)
