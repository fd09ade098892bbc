"""What events change about persons and groups."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from analytics.calculations.people.profile import PropertyChanges
from analytics.calculations.records import OTHER_ID, EventRecord
from analytics.calculations.stored_json import decode_object, decoded_or
from analytics.calculations.wire_format import as_distinct_id, is_any_of


class GroupChange(NamedTuple):
    """The properties that an event sets on a group."""

    group_type: str
    key: str
    properties: Mapping[str, Any]


def makes_profile(event: str, process_person_profile: Any) -> bool:
    """Whether an event makes a profile, by its name and its ``$process_person_profile``, if any.

    Backends describe groups with an id of no person: a new one each time, or the group's.
    """
    if event == "$groupidentify":
        return is_any_of(process_person_profile, "true", "1")
    return event in OTHER_ID or not is_any_of(process_person_profile, "false", "0")


def may_change_person(properties: bytes) -> bool:
    """Whether an event's properties may change its person; quick, for every event."""
    return b'"$set' in properties or b'"$unset"' in properties


def marking_history(events: Iterable[EventRecord]) -> Iterator[EventRecord]:
    """Yield the events of a request, history marked: what comes after an event later than itself.

    posthog-elixir sends the newest event first. Only events that may change properties count.
    """
    latest: datetime | None = None
    for event in events:
        is_relevant = event.event == "$groupidentify" or may_change_person(event.properties)
        if not is_relevant or event.ignores_timestamp:
            yield event
        elif latest and event.timestamp < latest:
            yield msgspec.structs.replace(event, is_history=True)
        else:
            latest = event.timestamp
            yield event


def person_changes(record: EventRecord) -> PropertyChanges:
    """Return an event's changes to its person: ``$set``, ``$set_once``, names to ``$unset``."""
    if not record.profile or not may_change_person(record.properties):
        return PropertyChanges()
    decoded: dict[str, Any] = decoded_or(decode_object, record.properties, {})
    set_, set_once = (
        value if isinstance(value := decoded.get(name), dict) else {}
        for name in ("$set", "$set_once")
    )
    unset = decoded.get("$unset")
    names = [name for name in unset if isinstance(name, str)] if isinstance(unset, list) else []
    return PropertyChanges(set_, set_once, names)


def group_change(record: EventRecord) -> GroupChange | None:
    """Return type, key and new properties of the group that a ``$groupidentify`` names."""
    if record.event != "$groupidentify":
        return None
    decoded: dict[str, Any] = decoded_or(decode_object, record.properties, {})
    group_type = as_distinct_id(decoded.get("$group_type"))
    key = as_distinct_id(decoded.get("$group_key"))
    if not group_type or not key:
        return None
    properties = decoded.get("$group_set")
    return GroupChange(group_type, key, properties if isinstance(properties, dict) else {})
