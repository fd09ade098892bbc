"""A batch of events sorted by person, as the roll-ups count it."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analytics.calculations.batch import EventBatch
from common.calculations.calendar import QUARTER, LocalCalendar


@dataclass
class EventRows:
    """Events by person, with numbers in place of the few distinct persons and names."""

    events: EventBatch
    index: NDArray[np.int64]  # of each event in `events`
    times: NDArray[np.int64]  # Unix time in microseconds
    persons: list[int]  # each once
    person: NDArray[np.int64]  # of each event, as an index into `persons`
    names: list[str]  # each once
    name: NDArray[np.int64]  # of each event, as an index into `names`

    @classmethod
    def by_person(
        cls, events: EventBatch, person_ids: NDArray[np.int64], order: NDArray[np.int64]
    ) -> "EventRows":
        """Return events, at least one, with the ids of their persons; `order` sorts by person."""
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
        """Return the local day of each event, computed once per quarter of an hour."""
        quarters, inverse = np.unique(self.times // (QUARTER * 1_000_000), return_inverse=True)
        days = [calendar.day_at(quarter * QUARTER) for quarter in quarters.tolist()]
        return np.array(days, np.int64)[inverse]

    def numbers(
        self, times: NDArray[np.int64], selected: NDArray[np.bool_]
    ) -> dict[tuple[str, int], int]:
        """Return the number of selected events by name and time, such as a day's ordinal."""
        keys = times[selected] * len(self.names) + self.name[selected]
        each, events = np.unique(keys, return_counts=True)
        return {
            (self.names[key % len(self.names)], key // len(self.names)): number
            for key, number in zip(each.tolist(), events.tolist(), strict=True)
        }

    def named(self, names: Collection[str]) -> NDArray[np.bool_]:
        """Return for each event whether its name is among these."""
        return np.array([name in names for name in self.names])[self.name]
