"""Events that Plumbline adds to a person's timeline: things that happened to them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from analytics.calculations.records import EventRecord
from common.keyed_uuid import keyed_uuid


def person_event(
    name: str, distinct_id: str, *, key: Sequence[str], at: datetime, properties: dict[str, Any]
) -> EventRecord:
    """Return an event for `ingest.store`; events with the same key are the same event, stored once.

    It does not create a profile. Its name must be among `extension_points.passive_events`, so that
    it is neither activity nor usage.
    """
    return EventRecord(
        uuid=keyed_uuid("person-event", *key).bytes,
        event=name,
        distinct_id=distinct_id,
        timestamp=at.astimezone(UTC),
        properties=msgspec.json.encode(properties | {"$process_person_profile": False}),
        profile=False,
    )
