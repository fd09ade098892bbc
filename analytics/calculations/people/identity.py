"""Identity: the rules by which events create, link and merge persons.

Events are applied one after the other in the order of acknowledgement. So the persons and the
journal are the same, whatever the batches.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from analytics.calculations.batch import EventBatch
from analytics.calculations.records import EventRecord

# Placeholder ids that products send for unknown users: they never identify a person.
_ILLEGAL_IN_ANY_CASE = frozenset(
    "anonymous guest distinctid distinct_id id not_authenticated email undefined true false".split()
)
_ILLEGAL = frozenset(["[object Object]", "NaN", "None", "none", "null", "0"])


def is_illegal(distinct_id: str) -> bool:
    """Whether an id cannot identify a person: a placeholder, blank, or blank in quotes."""
    bare = distinct_id.strip().strip("\"'").strip()
    return not bare or distinct_id in _ILLEGAL or distinct_id.lower() in _ILLEGAL_IN_ANY_CASE


class MergeVerdict(StrEnum):
    """The result for two persons that an event says are the same."""

    MERGED = "merged"
    ALREADY_IDENTIFIED = "cannot_merge_already_identified"
    ILLEGAL_ID = "illegal_distinct_id"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A merge or a refusal, with the event that requested it and the persons before it."""

    verdict: MergeVerdict
    record: EventRecord
    person: int | None = None  # kept
    other: int | None = None  # merged into `person`, if merged
    attached: int = 0  # ids that the batch had attached before
    person_identified: bool = False
    other_identified: bool = False


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
    created: list[int] = field(default_factory=list)
    attached: dict[str, int] = field(default_factory=dict)  # distinct ids that are new
    newly_identified: set[int] = field(default_factory=set)
    journal: list[JournalEntry] = field(default_factory=list)
    _merged: dict[int, int] = field(default_factory=dict)  # source -> target

    @property
    def merges(self) -> Mapping[int, int]:
        """Each merged person, and the person that it is now part of."""
        return {source: self.current(source) for source in self._merged}

    def current(self, person: int) -> int:
        """Return the person that a person is now part of, or the person itself."""
        while (target := self._merged.get(person)) is not None:
            person = target
        return person

    @property
    def changed(self) -> set[int]:
        """The persons that are new, have a new id, or absorbed another person."""
        return set(map(self.current, {*self.attached.values(), *self._merged}))

    def find(self, distinct_id: str) -> int | None:
        person = self.person_of.get(distinct_id)
        return person if person is None or not self._merged else self.current(person)

    def apply(self, events: EventBatch) -> NDArray[np.int64]:
        """Apply events in order and return the person of each at its time."""
        linking = linking_records(events)
        if not linking:  # no identity changes
            distinct_ids, number = events.numbered_ids
            return np.array([self._person(distinct_id) for distinct_id in distinct_ids], np.int64)[
                number
            ]
        persons = []
        for index, distinct_id in enumerate(events.distinct_ids):
            if index in linking:
                self._link(linking[index])
            persons.append(self._person(distinct_id))
        return np.array(persons, np.int64)

    def _person(self, distinct_id: str) -> int:
        person = self.find(distinct_id)
        return self._create(distinct_id) if person is None else person

    def _link(self, record: EventRecord) -> None:
        """Apply an identity event, before its own person is determined."""
        other_id = record.other_id if record.other_id != record.distinct_id else None
        if other_id is not None:
            if is_illegal(record.distinct_id) or is_illegal(other_id):
                self.journal.append(JournalEntry(MergeVerdict.ILLEGAL_ID, record))
            else:
                self._join(record, other_id)
        if record.event == "$identify" and not is_illegal(record.distinct_id):
            self._identify(self.find(record.distinct_id) or self._create(record.distinct_id))

    def _join(self, record: EventRecord, other_id: str) -> None:
        """Join the persons of the two ids, unless the rules refuse it."""
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
                self._record(MergeVerdict.ALREADY_IDENTIFIED, record, target, other)
                return
            self._record(MergeVerdict.MERGED, record, target, other)
            self._merged[other] = target
        self._identify(target)

    def _record(self, verdict: MergeVerdict, record: EventRecord, person: int, other: int) -> None:
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
