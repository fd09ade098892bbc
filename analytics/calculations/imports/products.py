"""Events as other products export them, as the fields of an event of Plumbline.

Which export of which version each is: docs/importing.md.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from analytics.calculations.records import InvalidEvent, Reason

Fields = dict[str, Any]


class FileFormat(StrEnum):
    """Which product wrote a file."""

    PLUMBLINE = "plumbline"
    POSTHOG = "posthog"
    MIXPANEL = "mixpanel"
    AMPLITUDE = "amplitude"
    SEGMENT = "segment"


# What says how a product transported or stored an event, and nothing about the event itself.
NOT_STORED: Mapping[FileFormat, frozenset[str]] = {
    FileFormat.PLUMBLINE: frozenset({"api_key", "token", "$token", "offset"}),
    FileFormat.POSTHOG: frozenset(
        {"team_id", "person_id", "person_properties", "created_at", "_inserted_at", "site_url"}
    ),
    FileFormat.MIXPANEL: frozenset({"mp_processing_time_ms", "mp_sent_by_lib_version"}),
    FileFormat.AMPLITUDE: frozenset(
        {
            *("$schema", "app", "amplitude_attribution_ids", "client_upload_time", "data"),
            *("data_type", "partner_id", "processed_time", "server_received_time"),
            *("server_upload_time", "source_id"),
        }
    ),
    FileFormat.SEGMENT: frozenset(
        {
            *("integrations", "metadata", "_metadata", "originalTimestamp", "projectId"),
            *("receivedAt", "sentAt", "version", "writeKey"),
        }
    ),
}


def posthog(fields: Fields) -> Fields:
    """Read the events model of a batch export."""
    event = _take(fields, "uuid", "event", "distinct_id", "timestamp")
    properties = _object(fields.pop("properties", None))
    if chain := fields.pop("elements_chain", None):
        properties.setdefault("$elements_chain", chain)
    for name in ("set", "set_once"):
        if changes := _object(fields.pop(name, None)):
            properties.setdefault(f"${name}", changes)
    if ip := fields.pop("ip", None):
        properties.setdefault("$ip", ip)
    return event | {"properties": _rest(fields, FileFormat.POSTHOG) | properties}


def mixpanel(fields: Fields) -> Fields:
    """Read the raw event export, with the uuid from what Mixpanel recognizes repeated events by."""
    properties = _object(fields.pop("properties", None))
    event = {
        "event": fields.pop("event", None),
        "distinct_id": properties.pop("distinct_id", None),
        "timestamp": properties.pop("time", None),
    }
    if insert_id := properties.get("$insert_id"):
        event["uuid"] = " ".join(map(str, [*event.values(), insert_id]))
    if event["event"] == "$identify" and properties.get("$identified_id"):
        event["distinct_id"] = properties["$identified_id"]
        properties["$anon_distinct_id"] = properties.get("$anon_id")
    for name in NOT_STORED[FileFormat.MIXPANEL]:
        properties.pop(name, None)
    return event | {"properties": _rest(fields, FileFormat.MIXPANEL) | properties}


def amplitude(fields: Fields) -> Fields:
    """Read the Export API. User properties are those that the user had at the event's time."""
    event = {
        "event": fields.pop("event_type", None),
        "timestamp": fields.pop("event_time", None),
        "uuid": fields.pop("uuid", None) or fields.get("$insert_id") or fields.get("insert_id"),
    }
    ids = (fields.get(name) for name in ("user_id", "device_id", "amplitude_id"))
    event["distinct_id"] = next((each for each in ids if each not in (None, "")), None)
    properties = _object(fields.pop("event_properties", None))
    if user := _object(fields.pop("user_properties", None)):
        properties["$set"] = user
    if groups := _object(fields.pop("groups", None)):
        properties["$groups"] = groups
    if event["event"] == "$identify" and fields.get("user_id"):
        properties["$anon_distinct_id"] = fields.get("device_id")
    return event | {"properties": _rest(fields, FileFormat.AMPLITUDE) | properties}


def segment(fields: Fields) -> Fields:
    """Read the calls of Segment's spec: track, identify, page, screen, group and alias."""
    call = fields.pop("type", None)
    if not isinstance(call, str) or call not in _SEGMENT_CALLS:
        raise InvalidEvent(Reason.MISSING_FIELD, "type: not a call of Segment's spec")
    user, anonymous = fields.pop("userId", None), fields.pop("anonymousId", None)
    properties = _object(fields.pop("properties", None))
    traits = _object(fields.pop("traits", None))
    event = {
        "event": fields.pop("event", None) if call == "track" else _SEGMENT_CALLS[call],
        "distinct_id": user or anonymous,
        "timestamp": fields.pop("timestamp", None) or fields.get("originalTimestamp"),
        "uuid": fields.pop("messageId", None),
    }
    if call == "identify":
        properties |= {"$set": traits, "$anon_distinct_id": anonymous if user else None}
    elif call == "group":
        group = {"$group_type": "company", "$group_key": fields.pop("groupId", None)}
        properties |= {**group, "$group_set": traits}
    elif call == "alias":
        properties["alias"] = fields.pop("previousId", None)
    elif call == "page":
        properties.setdefault("$current_url", properties.get("url"))
    elif call == "screen":
        properties.setdefault("$screen_name", fields.get("name"))
    return event | {"properties": _rest(fields, FileFormat.SEGMENT) | properties}


_SEGMENT_CALLS = {
    "track": "",
    "identify": "$identify",
    "page": "$pageview",
    "screen": "$screen",
    "group": "$groupidentify",
    "alias": "$create_alias",
}

READERS: Mapping[FileFormat, Callable[[Fields], Fields]] = {
    FileFormat.POSTHOG: posthog,
    FileFormat.MIXPANEL: mixpanel,
    FileFormat.AMPLITUDE: amplitude,
    FileFormat.SEGMENT: segment,
}


def _take(fields: Fields, *names: str) -> Fields:
    return {name: fields.pop(name, None) for name in names}


def _object(value: Any) -> Fields:
    """Return a copy of an object; an empty one where there is none. Raise where it is another."""
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise InvalidEvent(Reason.BAD_FIELD, "properties: not an object")
    return dict(value)


def _rest(fields: Fields, file_format: FileFormat) -> Fields:
    """Return the fields without a role that say something about the event."""
    not_stored = NOT_STORED[file_format]
    return {
        name: value
        for name, value in fields.items()
        if name not in not_stored and value is not None
    }
