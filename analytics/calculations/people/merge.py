"""The profiles and flags of persons after a merge, and after undoing one."""

import msgspec

from analytics.calculations.people.profile import Profile, TakenOver, without_taken_over


class Side(Profile, frozen=True):
    """A person at the time of a merge. `excluded_by_hand` is None where staff has not decided."""

    is_identified: bool = False
    excluded_by_hand: bool | None = None
    is_demo: bool = False


class Remaining(msgspec.Struct, frozen=True):
    """What an undo needs of the remaining person: its flags before, and what it took over."""

    taken_over: TakenOver = TakenOver()
    email_claimed_with: int | None = None
    is_identified: bool = False
    excluded_by_hand: bool | None = None
    is_demo: bool = False


class Before(msgspec.Struct, frozen=True):
    """What undoing a merge needs: both persons, and the ids of `other`, the merged one.

    `newly_proved` are ids that only this merge, by staff, has proved.
    """

    distinct_ids: list[str]
    person: Remaining
    other: Side
    newly_proved: list[str] = []


def merged_decision(person: bool | None, other: bool | None) -> bool | None:
    """Return whether the merged person is excluded by hand: if either was; None: undecided."""
    return None if person is None and other is None else bool(person or other)


def merged_is_demo(person: bool, other: bool) -> bool:
    """Return whether the merged person belongs to the demo: only if both did."""
    return person and other


def without_merged(now: Side, before: Before) -> Side:
    """Return the person without what came from the other and has not changed since."""
    decision = merged_decision(before.person.excluded_by_hand, before.other.excluded_by_hand)
    decided_since = now.excluded_by_hand != decision
    is_demo = merged_is_demo(before.person.is_demo, before.other.is_demo)
    person = before.person
    return msgspec.structs.replace(
        without_taken_over(now, person.taken_over, before.other, person.email_claimed_with),
        is_identified=before.person.is_identified,
        excluded_by_hand=now.excluded_by_hand if decided_since else before.person.excluded_by_hand,
        is_demo=before.person.is_demo if now.is_demo == is_demo else now.is_demo,
    )
