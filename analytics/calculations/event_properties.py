"""The properties of an event, as they are stored."""

from itertools import accumulate
from typing import Any

import msgspec

from analytics.calculations.records import (
    IDENTITY_HASH,
    IGNORED_TIMESTAMP,
    InvalidEvent,
    Proof,
    Reason,
)
from analytics.calculations.stored_json import (
    UNREADABLE,
    decode_object,
    decoded_or,
    stored_object,
    stored_text,
)
from analytics.calculations.wire_format import WireEvent, wire_options

_NO_PROPERTIES = {b"null", b"[]"}  # PHP writes an empty object as a list
_MAX_IGNORED = 200  # characters of an unusable time that the event keeps

# Reading a property costs in proportion to all of them.
LARGEST_READ = 8 * 1024  # bytes; of larger properties the short ones are read
_LONGEST_SHORT = 2 * 1024  # bytes of a value, such as an address

_decode_values = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_list = msgspec.json.Decoder(list[Any]).decode


def stored_properties(event: WireEvent, sdk: str) -> bytes:
    """Return the properties as a JSON object that PostgreSQL can store.

    Fields that SDKs send next to them ($set and so on, v1's session) are moved into them.
    """
    raw = bytes(event.properties or b"{}")
    if not raw.startswith(b"{"):
        raw = raw.strip()
        if raw in _NO_PROPERTIES:
            raw = b"{}"
        if not raw.startswith(b"{"):
            raise InvalidEvent(Reason.BAD_FIELD, "properties: not an object")
    try:
        if _has_outer_fields(event, sdk):
            inner = decode_object(raw)
            if outer := _outer_fields(event, sdk, inner):
                raw = msgspec.json.encode(inner | outer)
        return stored_object(raw)
    except UNREADABLE as error:
        raise InvalidEvent(Reason.BAD_FIELD, f"properties: {error}") from error


def _has_outer_fields(event: WireEvent, sdk: str) -> bool:
    return bool(
        event.set
        or event.set_once
        or event.unset
        or event.options
        or sdk
        or event.session_id
        or event.window_id
    )


def _outer_fields(event: WireEvent, sdk: str, inner: dict[str, Any]) -> dict[str, Any]:
    """Return the properties that were sent outside of ``properties``, merged with inner ones.

    What is not of the expected type changes nothing.
    """
    outer: dict[str, Any] = {}
    for name, raw in (("$set", event.set), ("$set_once", event.set_once)):
        if changes := decoded_or(decode_object, raw, dict[str, Any]()):
            own = inner.get(name)
            outer[name] = (own if isinstance(own, dict) else {}) | changes
    if names := decoded_or(_decode_list, event.unset, list[Any]()):
        own = inner.get("$unset")
        outer["$unset"] = [*(own if isinstance(own, list) else []), *names]
    texts = {"$session_id": event.session_id, "$window_id": event.window_id}
    outer |= {name: text for name, text in texts.items() if isinstance(text, str)}
    outer |= wire_options(event).properties()
    if sdk:
        outer["$lib"], _, outer["$lib_version"] = sdk.partition("/")
    return outer


def short_properties(properties: bytes) -> bytes:
    """Return the properties with short values, shortest first, as far as `LARGEST_READ` reaches."""
    values = sorted(_decode_values(properties).items(), key=lambda item: len(item[1]))
    sizes = accumulate(len(name.encode()) + len(value) for name, value in values)
    short = {
        name: value
        for size, (name, value) in zip(sizes, values, strict=True)
        if size <= LARGEST_READ and len(value) <= _LONGEST_SHORT
    }
    return msgspec.json.encode(short)


def without_hash(properties: bytes, proof: Proof) -> bytes:
    """Return the properties without the signature, which a reader of events could use again.

    For the developer who looks for a mistake they say where a signature proved nothing.
    """
    decoded = decode_object(properties)
    is_signed = decoded.pop(IDENTITY_HASH, None) is not None
    for changes in (decoded.get("$set"), decoded.get("$set_once")):
        if isinstance(changes, dict):  # where a page put it by mistake
            changes.pop(IDENTITY_HASH, None)
    if is_signed and proof is Proof.CLAIMED:
        decoded[IDENTITY_HASH] = "invalid"
    return msgspec.json.encode(decoded)


def with_ignored_time(properties: bytes, event: WireEvent) -> bytes:
    """Return the properties with the unusable time, for the developer who looks for the mistake."""
    sent = event.offset if event.timestamp is None else event.timestamp
    text = stored_text(str(sent))[:_MAX_IGNORED]
    return msgspec.json.encode(decode_object(properties) | {IGNORED_TIMESTAMP: text})
