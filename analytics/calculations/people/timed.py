"""Properties that remember when they were set, so that history does not overwrite today.

Captured events change properties in the order in which they arrive. Imported events are history, in
any order, as are retried ones, those that an SDK sends with `historical_migration`, and those that
come after a later event of their request: theirs is decided by the times of the events. A later
``$set`` wins over an earlier, and over any ``$set_once``, of which the earliest wins.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from analytics.calculations.event_times import microseconds
from analytics.calculations.people.bounds import BoundedProperties, Refusal
from analytics.calculations.records import EventRecord

# By name, the Unix time in microseconds of the event that set the property or removed it; negative
# where it was set by ``$set_once``. A value without a time was set at an unknown one.
Times = dict[str, int]

MAX_REMOVED = 100  # removed properties whose times are remembered
_MAX_REMOVED_NAME = 200  # characters


class Moment(NamedTuple):
    """The time of an event in microseconds, and whether it is history rather than captured."""

    time: int
    is_history: bool

    @classmethod
    def of_event(cls, record: EventRecord) -> Self:
        return cls(microseconds(record.timestamp), record.is_imported or record.is_history)


class TimedProperties(BoundedProperties):
    """Properties within the bounds, with the times at which they were set."""

    def __init__(self, values: Mapping[str, Any], times: Mapping[str, int]) -> None:
        super().__init__(values)
        self.times: Times = dict(times)
        self._is_limited = True

    def set_at(
        self, moment: Moment, name: str, value: Any, *, once: bool = False
    ) -> Refusal | None:
        """Set a property, or return why it stays as it was."""
        if refusal := self.set(name, value):
            return refusal
        self.times[name] = -moment.time if once else moment.time
        return None

    def is_set_by(self, moment: Moment, name: str, *, once: bool = False) -> bool:
        """Whether an event of that moment sets a property."""
        has_value = name in self.values
        if not moment.is_history:
            return not (once and has_value)
        time = self.times.get(name)
        if time is None:
            return not has_value
        if time < 0:  # set once
            return not once or moment.time < -time
        return moment.time >= time and not (once and has_value)

    def is_removed_by(self, moment: Moment, name: str) -> bool:
        """Whether an event of that moment removes a property."""
        time = self.times.get(name)
        if not moment.is_history:
            return True
        return name not in self.values if time is None else moment.time >= abs(time)

    def remove(self, moment: Moment, name: str) -> None:
        """Remove a property, and remember when; see `limit_removed`."""
        self.unset(name)
        self.times[name] = moment.time

    def unset(self, name: str) -> None:
        super().unset(name)
        self._is_limited = False

    def limit_removed(self) -> None:
        """Forget the oldest removals beyond `MAX_REMOVED`, and those of very long names.

        Once after all changes of an event: it costs as much as there are names.
        """
        if self._is_limited:
            return
        self._is_limited = True
        removed = sorted(
            (name for name in self.times if name not in self.values),
            key=lambda name: (len(name) <= _MAX_REMOVED_NAME, abs(self.times[name]), name),
        )
        for position, name in enumerate(removed):
            if len(name) > _MAX_REMOVED_NAME or position < len(removed) - MAX_REMOVED:
                del self.times[name]

    def add_missing_from(self, other: Self) -> tuple[list[str], dict[str, Refusal]]:
        """Set what only the other has, with its times; see `add_missing`."""
        added, refused = self.add_missing(other.values)
        for name in added:
            self.times.pop(name, None)
            if name in other.times:
                self.times[name] = other.times[name]
        return added, refused


def times_of_kept(
    times: Mapping[str, int], before: Mapping[str, Any], now: Mapping[str, Any]
) -> Times:
    """Return the times without those of properties that an undo takes away."""
    return {name: time for name, time in times.items() if name in now or name not in before}
