"""Make events for tests."""

import uuid
from datetime import UTC, datetime

import msgspec

from analytics.calculations.records import EventRecord, Proof

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def record(
    event="used",
    distinct_id="ada",
    timestamp=NOON,
    *,
    properties=None,
    identity=None,
    other_id=None,
    profile=True,
    proof=Proof.CLAIMED,
    project_key_id=None,
):
    """Return an event that can be stored, with a new uuid unless `identity` is set."""
    properties = properties or {}
    if not profile:
        properties |= {"$process_person_profile": False}
    return EventRecord(
        uuid=(identity or uuid.uuid4()).bytes,
        event=event,
        distinct_id=distinct_id,
        timestamp=timestamp,
        properties=msgspec.json.encode(properties),
        other_id=other_id,
        profile=profile,
        proof=proof,
        project_key_id=project_key_id,
    )
