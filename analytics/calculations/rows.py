"""A batch of events in the order of their persons, as the roll-ups count it."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.calculations.batch import Batch
from common.calculations.calendar import QUARTER, LocalCalendar


@dataclass
class Rows:
    """Events by person, with numbers for what there are few of."""

    events: Batch
    place: NDArray[np.int64]  # of each event in it
    times: NDArray[np.int64]  # Unix time in microseconds
    persons: list[int]  # each once
    person: NDArray[np.int64]  # of each event, as a place in `persons`
    names: list[str]  # each once
    name: NDArray[np.int64]  # of each event, as a place in `names`

    @classmethod
    def of(cls, events: Batch, person_ids: NDArray[np.int64], order: NDArray[np.int64]) -> "Rows":
        """Return at least one event with the persons' ids; `order` is that by person."""
        person_ids = person_ids[order]
        is_first = np.diff(person_ids, prepend=person_ids[0] - 1) != 0
        names, number = events.numbered_names
        return cls(
            events,
            order,
            events.times[order],
            person_ids[is_first].tolist(),
            np.cumsum(is_first) - 1,
            names,
            number[order],
        )

    def days(self, calendar: LocalCalendar) -> NDArray[np.int64]:
        """Return the local day of each event, asking once for each quarter of an hour."""
        quarters, inverse = np.unique(self.times // (QUARTER * 1_000_000), return_inverse=True)
        days = [calendar.day_at(quarter * QUARTER) for quarter in quarters.tolist()]
        return np.array(days, np.int64)[inverse]

    def numbers(
        self, times: NDArray[np.int64], which: NDArray[np.bool_]
    ) -> dict[tuple[str, int], int]:
        """Return how many of these events have a name and a time, such as a day's ordinal."""
        keys = times[which] * len(self.names) + self.name[which]
        each, events = np.unique(keys, return_counts=True)
        return {
            (self.names[key % len(self.names)], key // len(self.names)): number
            for key, number in zip(each.tolist(), events.tolist(), strict=True)
        }

    def named(self, names: Collection[str]) -> NDArray[np.bool_]:
        """Tell of each event whether its name is among these."""
        return np.array([name in names for name in self.names])[self.name]
