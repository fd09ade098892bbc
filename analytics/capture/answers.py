"""What v1 answers for each event of a request: ordinary events are read together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from analytics.calculations import wire
from analytics.calculations.records import Arrival, EventRecord, InvalidEvent, Rejection
from common.late import late

Result = tuple[str, str]  # the result and its details

_certain = late("analytics.calculations.ordinary.unchanged")  # NumPy is heavy for commands

_OK: Result = ("ok", "")
_IGNORED_TIMESTAMP = (
    "warning",
    "timestamp: unreadable or too far ahead; its arrival time is used instead",
)


@dataclass(slots=True)
class BatchAnswer:
    """Results in the order of the events, and the rejections among them."""

    results: list[Result] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)


def read(
    events: Sequence[msgspec.Raw | bytes], arrival: Arrival
) -> Iterator[EventRecord | Rejection]:
    """Yield each event of a request, or why it cannot be stored."""
    for position, raw in enumerate(events):
        yield _read(raw, arrival, position)


def answer(events: Sequence[msgspec.Raw | bytes], arrival: Arrival) -> BatchAnswer:
    """Return the result of each event, for 50,000 of them within a second."""
    answers = BatchAnswer()
    raws = [bytes(raw) for raw in events]
    certain = _certain(raws, replace(arrival, sdk=""))  # whose name is added to events
    for position, raw in enumerate(raws):
        if position in certain:
            answers.results.append(_OK)
            continue
        event = _read(raw, arrival, position)
        if isinstance(event, Rejection):
            answers.rejected.append(event)
            answers.results.append(("drop", event.detail))
        else:
            answers.results.append(_IGNORED_TIMESTAMP if event.ignores_timestamp else _OK)
    return answers


def _read(raw: msgspec.Raw | bytes, arrival: Arrival, position: int) -> EventRecord | Rejection:
    try:
        return wire.read_event(raw, arrival, position=position)
    except InvalidEvent as error:
        return error.rejection(raw, position)
