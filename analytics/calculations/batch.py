"""Events as columns, which numpy and C loops sort, pack and count without a Python step each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.calculations.event_times import EPOCH, microseconds
from analytics.calculations.records import EventRecord, Proof


@dataclass(frozen=True, eq=False)
class EventBatch(Sequence[EventRecord]):
    """Events in some order, each at the same index of every column.

    What is signed for its distinct id proves that id, but is not `proved`: it may be untrue.
    An event that capture itself acts on keeps its record, in `special`. The record of any other
    event is made on access; if proved, it came with a server key.
    """

    names: Sequence[str]
    distinct_ids: Sequence[str]
    uuids: NDArray[np.void]  # 16 bytes each
    times: NDArray[np.int64]  # Unix time in microseconds
    properties: Sequence[bytes]
    proved: NDArray[np.bool_]
    special: Mapping[int, EventRecord] = field(default_factory=dict)  # by index

    @classmethod
    def from_records(cls, records: Sequence[EventRecord]) -> "EventBatch":
        """Return records as a batch; a batch is returned unchanged."""
        if isinstance(records, cls):
            return records
        return cls(
            [record.event for record in records],
            [record.distinct_id for record in records],
            np.frombuffer(b"".join([record.uuid for record in records]), "V16"),
            np.array([microseconds(record.timestamp) for record in records], np.int64),
            [record.properties for record in records],
            np.array([record.proof >= Proof.PROVED for record in records], np.bool_),
            dict(enumerate(records)),
        )

    @classmethod
    def concatenate(cls, batches: Sequence["EventBatch"]) -> "EventBatch":
        """Return the events of all batches in order."""
        if len(batches) < 2:
            return batches[0] if batches else cls.from_records([])
        special: dict[int, EventRecord] = {}
        start = 0
        for batch in batches:
            special |= {start + index: record for index, record in batch.special.items()}
            start += len(batch)
        return cls(
            list(chain.from_iterable(batch.names for batch in batches)),
            list(chain.from_iterable(batch.distinct_ids for batch in batches)),
            np.concatenate([batch.uuids for batch in batches]),
            np.concatenate([batch.times for batch in batches]),
            list(chain.from_iterable(batch.properties for batch in batches)),
            np.concatenate([batch.proved for batch in batches]),
            special,
        )

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[EventRecord]:
        return (self[index] for index in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> EventRecord: ...
    @overload
    def __getitem__(self, index: slice) -> "EventBatch": ...
    def __getitem__(self, index: int | slice) -> "EventRecord | EventBatch":
        if isinstance(index, slice):
            return EventBatch(
                self.names[index],
                self.distinct_ids[index],
                self.uuids[index],
                self.times[index],
                self.properties[index],
                self.proved[index],
                self._special_at(range(len(self))[index]),
            )
        return self.special.get(index) or EventRecord(
            self.uuids[index].tobytes(),
            self.names[index],
            self.distinct_ids[index],
            EPOCH + timedelta(microseconds=int(self.times[index])),
            self.properties[index],
            proof=Proof.PROVED if self.proved[index] else Proof.CLAIMED,
        )

    def take(self, indices: NDArray[Any]) -> "EventBatch":
        """Return the events at these indices, in the order of the indices."""
        taken = indices.tolist()
        return EventBatch(
            pick(self.names, taken),
            pick(self.distinct_ids, taken),
            self.uuids[indices],
            self.times[indices],
            pick(self.properties, taken),
            self.proved[indices],
            self._special_at(taken),
        )

    def with_uuids(self, uuids: Mapping[int, bytes]) -> "EventBatch":
        """Return the same events, those at these indices with another uuid."""
        column = self.uuids.copy()
        special = dict(self.special)
        for index, uuid in uuids.items():
            column[index] = np.void(uuid)
            if record := special.get(index):
                special[index] = msgspec.structs.replace(record, uuid=uuid)
        return replace(self, uuids=column, special=special)

    def _special_at(self, indices: Sequence[int]) -> Mapping[int, EventRecord]:
        """Return the special records at these indices, by their new index."""
        if not self.special:
            return {}
        return {new: self.special[old] for new, old in enumerate(indices) if old in self.special}

    @cached_property
    def numbered_names(self) -> tuple[list[str], NDArray[np.int64]]:
        """The distinct names, and for each event the index of its name among them."""
        return _numbered(self.names)

    @cached_property
    def numbered_ids(self) -> tuple[list[str], NDArray[np.int64]]:
        """The different distinct ids, and for each event the index of its id among them."""
        return _numbered(self.distinct_ids)

    @cached_property
    def proved_ids(self) -> list[str]:
        """The different distinct ids that events prove."""
        distinct_ids, number = self.numbered_ids
        proving = number[self.proved].tolist() + number[sorted(self._signed)].tolist()
        return [distinct_ids[index] for index in sorted(set(proving))]

    def proves_id(self, index: int) -> bool:
        """Whether an event proves its distinct id."""
        return bool(self.proved[index]) or index in self._signed

    @cached_property
    def _signed(self) -> frozenset[int]:
        special = self.special.items()
        return frozenset(index for index, record in special if record.proof is Proof.VERIFIED)


def _numbered(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct texts in order of appearance, and the index of each text among them."""
    number = {text: index for index, text in enumerate(dict.fromkeys(texts))}
    return list(number), np.fromiter(map(number.__getitem__, texts), np.int64, len(texts))


def pick(values: Sequence[Any], indices: Sequence[int]) -> Sequence[Any]:
    """Return the values at these indices, in the order of the indices."""
    if len(indices) < 2:
        return [values[index] for index in indices]
    return itemgetter(*indices)(values)  # type: ignore[no-any-return]
