"""Read the events of a request: the ordinary ones together, the others one by one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from .ordinary import ordinary_records
from .wire import Arrival, EventRecord, Refused, Rejection, decode_event, event_record


@dataclass(slots=True)
class Parsed:
    """What one body holds. A bad event never costs the good ones beside it."""

    arrival: Arrival
    events: list[EventRecord] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def parse(events: Sequence[msgspec.Raw | bytes], arrival: Arrival) -> Parsed:
    """Return the events that can be stored, in the order given, and the rejections."""
    parsed = Parsed(arrival)
    together = ordinary_records(events, arrival)
    for position, (raw, record) in enumerate(zip(events, together, strict=True)):
        if record is not None:
            parsed.events.append(record)
            continue
        try:
            parsed.events.append(event_record(decode_event(raw), raw, arrival, position=position))
        except Refused as error:
            parsed.rejections.append(error.rejection(raw, position))
    return parsed
