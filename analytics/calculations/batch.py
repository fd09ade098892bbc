"""Events as columns, which numpy and C loops sort, pack and count without a step of Python each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from analytics.calculations.wire import EventRecord

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class Batch(Sequence[EventRecord]):
    """Events in some order, one place in every column for each.

    Whatever an event means to capture itself is in its record, among `special`. A record of any
    other is made when it is asked for.
    """

    names: Sequence[str]
    distinct_ids: Sequence[str]
    uuids: NDArray[np.void]  # 16 bytes each
    times: NDArray[np.int64]  # Unix time in microseconds
    properties: Sequence[bytes]
    special: Mapping[int, EventRecord] = field(default_factory=dict)  # by place

    @classmethod
    def of(cls, records: Sequence[EventRecord]) -> "Batch":
        """Return records as a batch, which they may be already."""
        if isinstance(records, cls):
            return records
        return cls(
            [record.event for record in records],
            [record.distinct_id for record in records],
            np.frombuffer(b"".join([record.uuid for record in records]), "V16"),
            np.array([microseconds(record.timestamp) for record in records], np.int64),
            [record.properties for record in records],
            dict(enumerate(records)),
        )

    @classmethod
    def joined(cls, batches: Sequence["Batch"]) -> "Batch":
        """Return the events of one batch after those of the other."""
        if len(batches) < 2:
            return batches[0] if batches else cls.of([])
        special: dict[int, EventRecord] = {}
        start = 0
        for batch in batches:
            special |= {start + place: record for place, record in batch.special.items()}
            start += len(batch)
        return cls(
            list(chain.from_iterable(batch.names for batch in batches)),
            list(chain.from_iterable(batch.distinct_ids for batch in batches)),
            np.concatenate([batch.uuids for batch in batches]),
            np.concatenate([batch.times for batch in batches]),
            list(chain.from_iterable(batch.properties for batch in batches)),
            special,
        )

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[EventRecord]:
        return (self[place] for place in range(len(self)))

    @overload
    def __getitem__(self, place: int) -> EventRecord: ...
    @overload
    def __getitem__(self, place: slice) -> "Batch": ...
    def __getitem__(self, place: int | slice) -> "EventRecord | Batch":
        if isinstance(place, slice):
            return Batch(
                self.names[place],
                self.distinct_ids[place],
                self.uuids[place],
                self.times[place],
                self.properties[place],
                self._special_at(range(len(self))[place]),
            )
        return self.special.get(place) or EventRecord(
            self.uuids[place].tobytes(),
            self.names[place],
            self.distinct_ids[place],
            _EPOCH + timedelta(microseconds=int(self.times[place])),
            self.properties[place],
        )

    def taken(self, places: NDArray[Any]) -> "Batch":
        """Return the events at these places, in their order."""
        taken = places.tolist()
        return Batch(
            picked(self.names, taken),
            picked(self.distinct_ids, taken),
            self.uuids[places],
            self.times[places],
            picked(self.properties, taken),
            self._special_at(taken),
        )

    def _special_at(self, places: Sequence[int]) -> Mapping[int, EventRecord]:
        """Return the special records at these places, by their new ones."""
        if not self.special:
            return {}
        return {new: self.special[old] for new, old in enumerate(places) if old in self.special}

    @cached_property
    def numbered_names(self) -> tuple[list[str], NDArray[np.int64]]:
        """The names, each once, and that of every event as a place among them."""
        return _numbered(self.names)

    @cached_property
    def numbered_ids(self) -> tuple[list[str], NDArray[np.int64]]:
        """The distinct ids, each once, and that of every event as a place among them."""
        return _numbered(self.distinct_ids)


def _numbered(texts: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Return texts, each once in the order in which they come, and the place of all among them."""
    number = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return list(number), np.fromiter(map(number.__getitem__, texts), np.int64, len(texts))


def picked(values: Sequence[Any], places: Sequence[int]) -> Sequence[Any]:
    """Return the values at these places, in their order."""
    if len(places) < 2:
        return [values[place] for place in places]
    return itemgetter(*places)(values)  # type: ignore[no-any-return]


def microseconds(moment: datetime) -> int:
    """Return a moment as Unix time in microseconds."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
