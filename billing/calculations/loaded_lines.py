"""What became of the lines of a file of Stripe's objects and events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class LoadOutcome(StrEnum):
    STORED = "stored"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    HELD = "held"
    REFUSED = "refused"


KEPT = {LoadOutcome.STORED, LoadOutcome.UNCHANGED}  # outcomes of objects that may be held


@dataclass(slots=True)
class LoadedLine:
    """A line of the file, and its outcome."""

    number: int
    kind: str = ""  # the type of an event, or of an object
    stripe_id: str = ""
    customer_id: str = ""
    outcome: LoadOutcome = LoadOutcome.STORED
    reason: str = ""
    version: int = 0  # of a stored object
    referred: str = ""  # id of a coupon or price, which subscriptions of any customer refer to
    charge_id: str = ""  # of a refund or dispute, which name no customer


def counts(loaded: Iterable[LoadedLine]) -> dict[str, dict[LoadOutcome, int]]:
    """Return the number of lines by kind and outcome."""
    numbers: dict[str, dict[LoadOutcome, int]] = {}
    for line in loaded:
        of_kind = numbers.setdefault(line.kind or "(unreadable)", dict.fromkeys(LoadOutcome, 0))
        of_kind[line.outcome] += 1
    return dict(sorted(numbers.items()))


def reasons(loaded: Iterable[LoadedLine]) -> Mapping[tuple[LoadOutcome, str, str], list[int]]:
    """Return line numbers by outcome, kind and reason, for lines with a reason."""
    line_numbers: dict[tuple[LoadOutcome, str, str], list[int]] = {}
    for line in loaded:
        if line.reason:
            line_numbers.setdefault((line.outcome, line.kind, line.reason), []).append(line.number)
    return dict(sorted(line_numbers.items()))
