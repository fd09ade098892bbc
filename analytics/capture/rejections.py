"""Keep events that could not be stored, with the reason and everything needed for a retry."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from django.db import transaction

from analytics.calculations.records import Arrival, Holds, Reason, Rejection
from analytics.calculations.stored_json import decoded_or
from analytics.capture import erased_ids
from analytics.capture.project_keys import SERVER_PREFIX
from analytics.models import EventOutcome, RejectedEvent

MOST_ROWS = 100  # of a request's rejections: a row for each of many takes seconds

# The payload of a row of several events: each with its position.
_decode_events = msgspec.json.Decoder(list[tuple[int, msgspec.Raw]]).decode
_SERVER_TOKEN = re.compile(rb"%b[\w-]{20,}" % SERVER_PREFIX.encode())  # a secret, and not needed


def of_request(
    rejected: Sequence[Rejection],
    arrival: Arrival,
    *,
    project_key_id: int,
    outcome: EventOutcome = EventOutcome.REJECTED,
) -> Iterator[RejectedEvent]:
    """Yield the rows of a request's rejections.

    Of more than `MOST_ROWS`, those with the same reason share a row. `split` undoes it.
    """
    for rejection in rejected if len(rejected) <= MOST_ROWS else _by_reason(rejected):
        yield RejectedEvent(
            project_key_id=project_key_id,
            outcome=outcome,
            received_at=arrival.received_at,
            position=rejection.position,
            **{"sent_at": arrival.sent_at, "sdk": arrival.sdk, **_facts(rejection)},
        )


def _by_reason(rejected: Sequence[Rejection]) -> Iterator[Rejection]:
    groups: dict[tuple[Reason, Holds], list[Rejection]] = defaultdict(list)
    for rejection in rejected:
        groups[rejection.reason, rejection.holds].append(rejection)
    for group in groups.values():
        events = [(rejection.position, msgspec.Raw(rejection.payload)) for rejection in group]
        payload = msgspec.json.encode(events)
        yield replace(group[0], payload=payload, position=0, events=len(group))


def events_of(row: RejectedEvent) -> list[tuple[int, bytes]]:
    """Return the events of a row, each with its position in its request."""
    payload = bytes(row.payload)
    whole = [(row.position, msgspec.Raw(payload))]
    events = decoded_or(_decode_events, payload, whole) if row.events > 1 else whole
    return [(position, bytes(event)) for position, event in events]


@transaction.atomic
def split(row_id: int) -> list[int]:
    """Replace a row of several events by a row for each, if it can be read; return their ids."""
    row = RejectedEvent.objects.select_for_update().filter(pk=row_id).first()
    events = events_of(row) if row else []
    if row is None or len(events) != row.events:
        return [row_id]
    facts = {field.attname: getattr(row, field.attname) for field in RejectedEvent._meta.fields}
    facts |= {"id": None, "events": 1}
    rows = [
        RejectedEvent(**facts | {"position": position, "payload": event})
        for position, event in events
    ]
    row.delete()
    return [stored.pk for stored in RejectedEvent.objects.bulk_create(rows)]


def imported(rejection: Rejection, *, import_run_id: int) -> RejectedEvent:
    """Return the row of a line of an imported file."""
    return RejectedEvent(line=rejection.line, import_run_id=import_run_id, **_facts(rejection))


def unforwarded(rejection: Rejection) -> RejectedEvent:
    """Return the row of an event that is stored here but refused by PostHog."""
    return RejectedEvent(**_facts(rejection))


def record(rows: Iterable[RejectedEvent]) -> None:
    """Save rows for the admin, except those that name an erased id.

    Each line of a file is saved once.
    """
    all_rows = list(rows)
    erased = erased_ids.naming_erased([bytes(row.payload) for row in all_rows])
    kept = [row for row, is_erased in zip(all_rows, erased, strict=True) if not is_erased]
    RejectedEvent.objects.bulk_create(kept, ignore_conflicts=True)


def naming_erased(rejected: Sequence[Rejection]) -> list[bool]:
    """Return which of the payloads name an erased id, so that they are not kept."""
    return erased_ids.naming_erased([rejection.payload for rejection in rejected])


def update(row: RejectedEvent, rejection: Rejection) -> None:
    """Update a row with the reason of another rejection."""
    RejectedEvent.objects.filter(pk=row.pk).update(**_facts(rejection))


def _facts(rejection: Rejection) -> dict[str, Any]:
    facts = {
        "reason": rejection.reason,
        "detail": rejection.detail.replace("\0", "\ufffd"),
        "payload": _SERVER_TOKEN.sub(SERVER_PREFIX.encode(), rejection.payload),
        "holds": rejection.holds,
        "events": rejection.events,
    }
    if (
        rejection.holds is Holds.READ_EVENT
    ):  # time and library are already in it: never apply them twice
        facts |= {"sent_at": None, "sdk": ""}
    return facts
