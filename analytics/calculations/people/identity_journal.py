"""What events have decided about persons: merges, refusals and splits."""

from dataclasses import dataclass
from enum import StrEnum

from analytics.calculations.records import EventRecord


class MergeVerdict(StrEnum):
    """The result for two ids or persons that an event says are the same, or are not."""

    MERGED = "merged"
    ALREADY_IDENTIFIED = "cannot_merge_already_identified"
    ILLEGAL_ID = "illegal_distinct_id"
    PROTECTED = "protected"
    UNPROVED = "unproved"
    BOTH_PAY = "both_pay"
    SPLIT = "split"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """A merge, a refusal or a split, with the event that caused it and the persons before it.

    `split_id` is the id that was split off.
    """

    verdict: MergeVerdict
    record: EventRecord
    person: int | None = None  # kept; in a split: the new one
    other: int | None = None  # merged into `person`, if merged; in a split: the old one
    attached: int = 0  # of the batch's attachments, those before
    person_identified: bool = False
    other_identified: bool = False
    split_id: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """A distinct id that leaves a person for a new one, with its events."""

    distinct_id: str
    old: int
    new: int
