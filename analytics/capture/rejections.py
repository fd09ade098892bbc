"""Keep events that could not be stored, with the reason and everything needed for a retry."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from analytics.calculations.records import Arrival, Holds, Rejection
from analytics.capture import erased_ids
from analytics.capture.project_keys import SERVER_PREFIX
from analytics.models import EventOutcome, RejectedEvent

_SERVER_TOKEN = re.compile(rb"%b[\w-]{20,}" % SERVER_PREFIX.encode())  # a secret, and not needed


def captured(
    rejection: Rejection,
    arrival: Arrival,
    *,
    project_key_id: int,
    outcome: EventOutcome = EventOutcome.REJECTED,
) -> RejectedEvent:
    """Return the row of an event or request that an SDK sent."""
    return RejectedEvent(
        project_key_id=project_key_id,
        outcome=outcome,
        received_at=arrival.received_at,
        position=rejection.position,
        **{"sent_at": arrival.sent_at, "sdk": arrival.sdk, **_facts(rejection)},
    )


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
