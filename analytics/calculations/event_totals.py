"""What to total over a person's events: their number, different values, or a sum."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# A number that is larger, negative or 0 adds nothing to a sum.
LARGEST_AMOUNT = 10**15


class Aggregation(StrEnum):
    COUNT = "count"
    DISTINCT = "distinct"
    SUM = "sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTotal:
    """The events named `event`, or all except `excluded_events`, from `start` and before `end`.

    Everyone can claim events. Of persons with a proved id only proved events count, unless
    `claims_count`; of all others everything counts, as claims are all there is.
    """

    event: str  # "": all events
    excluded_events: tuple[str, ...] = ()
    aggregation: Aggregation
    property: str  # "" for a count
    start: datetime
    end: datetime | None  # None: no end
    claims_count: bool = False
