"""When unusually many persons become excluded."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

HOUR = timedelta(hours=1)
MONTHS = 12
FLOOR = 10  # persons a month; so few are never unusual


@dataclass(frozen=True, slots=True)
class Surge:
    """Persons who became excluded within an hour of `start`."""

    start: datetime
    persons: int

    @property
    def end(self) -> datetime:
        return self.start + HOUR


def busiest_hour(by_minute: Mapping[datetime, int]) -> Surge | None:
    """Return the hour, beginning at any minute, in which most persons became excluded."""
    busiest, within, persons = None, deque[datetime](), 0
    for minute in sorted(by_minute):
        within.append(minute)
        persons += by_minute[minute]
        while within[0] <= minute - HOUR:
            persons -= by_minute[within.popleft()]
        if busiest is None or persons > busiest.persons:
            busiest = Surge(within[0], persons)
    return busiest


def usual_month(months: Sequence[int]) -> float:
    """Return how many persons become excluded in a usual month.

    `months` are complete ones, from the first that has any on.
    """
    return max(median(months), FLOOR) if months else FLOOR
