"""What is odd about the times of a file's events, though each of them can be stored."""

from dataclasses import dataclass
from datetime import UTC, datetime

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # no product that sends events is older


@dataclass
class Times:
    """The range of times, and how many lie in the future or long ago."""

    first: datetime | None = None
    last: datetime | None = None
    future: int = 0
    long_ago: int = 0

    def add(self, time: datetime, now: datetime) -> None:
        """Add the time of an event."""
        self.first = min(self.first or time, time)
        self.last = max(self.last or time, time)
        self.future += time > now
        self.long_ago += time < LONG_AGO
