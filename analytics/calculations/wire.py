"""Read events off the wire, one at a time, without trusting any of it."""

import re
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from uuid import UUID

import msgspec

MAX_NAME = 200  # characters of an event name or distinct id
MAX_EVENT = 2 * 1024 * 1024  # bytes
MAX_DEPTH = 100  # of properties; every reader of JSON has some limit
MAX_INTEGER = 4_000  # digits; Python reads up to 4,300
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
MAX_CLOCK_AHEAD = timedelta(hours=23)

# The events that name a second id of the same person, and the property that holds it.
OTHER_ID = {
    "$identify": "$anon_distinct_id",
    "$create_alias": "alias",
    "$merge_dangerously": "alias",
}

_MILLISECONDS_ABOVE = 100_000_000_000  # a number beyond it is no time in seconds


class Reason(StrEnum):
    """Why an event was not stored."""

    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    BAD_FIELD = "bad_field"
    BAD_TIMESTAMP = "bad_timestamp"
    TOO_OLD = "too_old"
    TOO_LARGE = "too_large"
    UUID_REUSED = "uuid_reused"
    UNSTORABLE = "unstorable"
    FORWARDING_REFUSED = "forwarding_refused"  # stored, but PostHog does not take it


class Holds(StrEnum):
    """What the payload of a rejection is."""

    EVENT = "event"  # as received
    READ_EVENT = "read_event"  # its time corrected, its fields in place
    REQUEST = "request"  # a whole one, unreadable


class Refused(ValueError):
    """An event, or a whole body, that cannot be used; the detail names the field."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    def rejection(self, raw: bytes | msgspec.Raw, position: int) -> "Rejection":
        """Return the rejection of the event at that place of its request."""
        return Rejection(self.reason, self.detail, bytes(raw), position=position)


class EventRecord(msgspec.Struct, frozen=True, gc=False):
    """An event that can be stored. `timestamp` is in UTC; `properties` is a JSON object."""

    uuid: bytes  # 16 of them
    event: str
    distinct_id: str
    timestamp: datetime
    properties: bytes
    line: int | None = None  # in an imported file
    other_id: str | None = None  # of the same person, says the event
    profile: bool = True  # whether the event makes or changes a person's profile

    @property
    def json(self) -> bytes:
        """Return the event as a client would send it."""
        return msgspec.json.encode(
            {
                "uuid": UUID(bytes=self.uuid),
                "event": self.event,
                "distinct_id": self.distinct_id,
                "timestamp": self.timestamp,
                "properties": msgspec.Raw(self.properties),
            }
        )


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that cannot be stored, or a request that cannot be read."""

    reason: Reason
    detail: str
    payload: bytes
    line: int | None = None
    position: int = 0  # in its request
    holds: Holds = Holds.EVENT
    events: int = 1


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a request says of all its events. `oldest` is the end of the retention period."""

    received_at: datetime
    sent_at: datetime | None = None  # by the sender's clock
    sdk: str = ""  # "posthog-python/7.91.1", where a header says so
    oldest: datetime = EARLIEST

    def sent(self, sent_at: datetime | None) -> "Arrival":
        """Return the arrival with what the body says of its sending, where no header does."""
        return self if self.sent_at or not sent_at else replace(self, sent_at=sent_at)


ABSENT = msgspec.Raw(b"")

# What msgspec raises for JSON that cannot be read.
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeError)


class WireEvent(msgspec.Struct, gc=False):
    """An event as SDKs send it; everything but the name may be missing."""

    event: str | None = None
    uuid: str | None = None
    distinct_id: Any = None
    dollar_distinct_id: Any = msgspec.field(name="$distinct_id", default=None)
    timestamp: str | int | float | None = None
    offset: int | float | None = None  # milliseconds before the request was sent
    set: msgspec.Raw = msgspec.field(name="$set", default=ABSENT)
    set_once: msgspec.Raw = msgspec.field(name="$set_once", default=ABSENT)
    unset: msgspec.Raw = msgspec.field(name="$unset", default=ABSENT)
    properties: msgspec.Raw = ABSENT
    token: msgspec.Raw = ABSENT
    dollar_token: msgspec.Raw = msgspec.field(name="$token", default=ABSENT)
    api_key: msgspec.Raw = ABSENT
    options: msgspec.Raw = ABSENT  # v1, as are the next two
    session_id: str | None = None
    window_id: str | None = None


class _Named(msgspec.Struct, gc=False):
    uuid: Any = None


class _Special(msgspec.Struct, gc=False):
    """The few properties that mean something to capture itself."""

    token: msgspec.Raw = ABSENT
    distinct_id: Any = None
    anon_distinct_id: Any = msgspec.field(name="$anon_distinct_id", default=None)
    alias: Any = None
    profile: Any = msgspec.field(name="$process_person_profile", default=None)
    ignore_sent_at: Any = msgspec.field(name="$ignore_sent_at", default=None)


class _Options(msgspec.Struct, gc=False):
    """v1's typed options, by the names of the properties that v0 has for them."""

    profile: bool | None = msgspec.field(name="process_person_profile", default=None)
    ignore_sent_at: bool | None = msgspec.field(name="disable_skew_correction", default=None)
    cookieless_mode: bool | None = None
    product_tour_id: str | None = None


_decode_event = msgspec.json.Decoder(WireEvent).decode
_decode_named = msgspec.json.Decoder(_Named).decode
_decode_special = msgspec.json.Decoder(_Special).decode
_decode_options = msgspec.json.Decoder(_Options | None).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_NOTHING_SPECIAL = _Special()
_NO_OPTIONS = _Options()


def decode_event(raw: bytes | msgspec.Raw) -> WireEvent:
    """Return an event's fields. Raise `Refused` where they are unreadable or too many."""
    if len(raw) > MAX_EVENT:
        raise Refused(Reason.TOO_LARGE, f"event: larger than {MAX_EVENT:,} bytes")
    try:
        return _decode_event(raw)
    except msgspec.ValidationError as error:
        raise Refused(Reason.BAD_FIELD, str(error)) from error
    except UNREADABLE as error:
        raise Refused(Reason.MALFORMED, str(error)) from error


def uuid_as_sent(raw: bytes | msgspec.Raw) -> str:
    """Return what an event calls itself, however bad the rest of it is; "" where it does not."""
    uuid = _decoded(_decode_named, raw, _Named()).uuid
    return uuid if isinstance(uuid, str) else ""


def event_record(
    event: WireEvent,
    raw: bytes | msgspec.Raw,
    arrival: Arrival | None,
    *,
    position: int = 0,
    line: int | None = None,
) -> EventRecord:
    """Return the event to store, or raise `Refused` naming the field.

    `arrival` is None for an import, where every event must bring its time.
    """
    name = (event.event or "").strip()
    if not name:
        raise Refused(Reason.MISSING_FIELD, "event: missing")
    if len(name) > MAX_NAME:
        raise Refused(Reason.BAD_FIELD, f"event: longer than {MAX_NAME} characters")
    properties = _properties(event, arrival.sdk if arrival else "")
    uuid = _uuid(event, raw, position, arrival)
    if not _may_be_special(event, name, properties):
        distinct_id = _distinct_id(event, _NOTHING_SPECIAL)
        happened_at = _timestamp(event, arrival)
        return EventRecord(uuid, storable(name), distinct_id, happened_at, properties, line)
    special = _special(event, properties)
    linking = OTHER_ID.get(name)
    other = special.anon_distinct_id if linking == "$anon_distinct_id" else special.alias
    return EventRecord(
        uuid,
        storable(name),
        _distinct_id(event, special),
        _timestamp(event, arrival, ignore_sent_at=_says(special.ignore_sent_at, "true", "1")),
        properties,
        line,
        as_distinct_id(other) if linking and other is not None else None,
        makes_profile(name, special.profile),
    )


def _may_be_special(event: WireEvent, name: str, properties: bytes) -> bool:
    """Whether the event can hold anything that means something to capture itself."""
    return (
        event.distinct_id is None
        or name in OTHER_ID
        or bool(event.options)
        or b'"$process_person_profile"' in properties
        or b'"$ignore_sent_at"' in properties
    )


def _special(event: WireEvent, properties: bytes) -> _Special:
    """Read the properties and options that matter here."""
    special: _Special = _decoded(_decode_special, properties, _NOTHING_SPECIAL)
    if event.options:
        options = _options(event)
        special = msgspec.structs.replace(
            special, profile=options.profile, ignore_sent_at=options.ignore_sent_at
        )
    return special


def _options(event: WireEvent) -> _Options:
    try:
        return (_decode_options(event.options) if event.options else None) or _NO_OPTIONS
    except UNREADABLE as error:
        raise Refused(Reason.BAD_FIELD, "options: an option has a wrong type") from error


def _decoded(decode: Any, raw: bytes | msgspec.Raw, default: Any) -> Any:
    try:
        return decode(raw)
    except UNREADABLE:
        return default


def makes_profile(event: str, asked: Any) -> bool:
    """Whether an event makes a profile; `asked` is its ``$process_person_profile``, if any."""
    return event in OTHER_ID or not _says(asked, "false", "0")


def _says(value: Any, *words: str) -> bool:
    return str(value).strip().lower() in words


def _distinct_id(event: WireEvent, special: _Special) -> str:
    value = event.distinct_id
    if value is None:
        value = event.dollar_distinct_id
    if value is None:
        value = special.distinct_id
    text = as_distinct_id(value)
    if not text:
        raise Refused(Reason.MISSING_FIELD, "distinct_id: missing")
    return text


def as_distinct_id(value: Any) -> str:
    """Return a distinct id as a string of at most `MAX_NAME` characters; "" where it is none."""
    if isinstance(value, str):
        text = value
    elif value is None:
        return ""
    else:  # a number, or whatever else JSON has: its JSON names it
        try:
            text = msgspec.json.encode(value).decode()
        except RecursionError:
            return ""
    return storable(text.strip())[:MAX_NAME]


def token_of(event: WireEvent) -> str:
    """Return the token that an event itself carries, or ""."""
    special = _decoded(_decode_special, bytes(event.properties or b"{}"), _NOTHING_SPECIAL)
    for raw in (event.api_key, event.token, event.dollar_token, special.token):
        if token := as_token(raw):
            return token
    return ""


def as_token(raw: msgspec.Raw) -> str:
    """Return the token in a JSON value, trimmed; "" where it is no string."""
    if not raw:
        return ""
    try:
        return msgspec.json.decode(raw, type=str).strip()
    except (msgspec.DecodeError, UnicodeError):
        return ""


def _uuid(
    event: WireEvent, raw: bytes | msgspec.Raw, position: int, arrival: Arrival | None
) -> bytes:
    """Return the event's identity; without one it derives from the content and the place.

    An id that is no UUID is hashed to one. Without a time of its own either, a later event with
    the same content is another event.
    """
    if event.uuid:
        digits = event.uuid.replace("-", "")
        try:
            # The usual notation, four times as fast as `UUID`.
            if len(digits) == 32 and len(uuid := bytes.fromhex(digits)) == 16:
                return uuid
            return UUID(event.uuid).bytes
        except ValueError:
            return _hash(event.uuid.encode(errors="replace"))
    timeless = event.timestamp is None and event.offset is None
    when = arrival.received_at.isoformat() if timeless and arrival else ""
    return _hash(bytes(raw), str(position).encode(), when.encode())


def _hash(*parts: bytes) -> bytes:
    return blake2b(b"\0".join(parts), digest_size=16).digest()


def _timestamp(
    event: WireEvent, arrival: Arrival | None, *, ignore_sent_at: bool = False
) -> datetime:
    happened_at = _claimed_time(event, arrival, ignore_sent_at=ignore_sent_at)
    if arrival and happened_at > arrival.received_at + MAX_CLOCK_AHEAD:
        return arrival.received_at
    if happened_at < EARLIEST:
        raise Refused(Reason.BAD_TIMESTAMP, f"timestamp: before {EARLIEST.year}")
    if arrival and happened_at < arrival.oldest:
        raise Refused(
            Reason.TOO_OLD, f"timestamp: before {arrival.oldest.date()}, no longer retained"
        )
    return happened_at


def _claimed_time(event: WireEvent, arrival: Arrival | None, *, ignore_sent_at: bool) -> datetime:
    """Return when an event says that it happened, by our clock."""
    if event.timestamp is not None:
        happened_at = moment(event.timestamp, "timestamp")
        if arrival and arrival.sent_at and not ignore_sent_at:
            return _shifted(happened_at, arrival.received_at - arrival.sent_at)
        return happened_at
    if arrival is None:
        raise Refused(Reason.MISSING_FIELD, "timestamp: missing")
    try:
        since = timedelta(milliseconds=event.offset or 0)
    except (OverflowError, ValueError) as error:
        raise Refused(Reason.BAD_TIMESTAMP, "offset: out of range") from error
    return _shifted(arrival.received_at, -since)


def is_ahead(event: WireEvent, record: EventRecord, arrival: Arrival) -> bool:
    """Whether the event's time was so far ahead that its arrival took its place."""
    if record.timestamp != arrival.received_at:
        return False
    special = _special(event, record.properties)
    claimed = _claimed_time(
        event, arrival, ignore_sent_at=_says(special.ignore_sent_at, "true", "1")
    )
    return claimed > arrival.received_at + MAX_CLOCK_AHEAD


def _shifted(happened_at: datetime, shift: timedelta) -> datetime:
    try:
        return happened_at + shift
    except OverflowError as error:
        raise Refused(Reason.BAD_TIMESTAMP, "timestamp: out of range") from error


def moment(value: Any, name: str) -> datetime:
    """Return an aware UTC moment from ISO 8601 or a Unix time in seconds or milliseconds."""
    try:
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value.strip())
            if parsed.tzinfo is UTC:
                return parsed
            return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        seconds = value / 1000 if value > _MILLISECONDS_ABOVE else value
        return datetime.fromtimestamp(seconds, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        shown = reprlib.repr(value)
        raise Refused(Reason.BAD_TIMESTAMP, f"{name}: {shown} is no ISO 8601 time") from error


def _properties(event: WireEvent, sdk: str) -> bytes:
    """Return the properties as a JSON object that PostgreSQL can store.

    What stands beside them on the wire ($set and so on, v1's session) gets its place in them.
    """
    raw = bytes(event.properties or b"{}")
    if not raw.startswith(b"{"):
        raw = raw.strip()
        if raw == b"null":
            raw = b"{}"
        if not raw.startswith(b"{"):
            raise Refused(Reason.BAD_FIELD, "properties: not an object")
    try:
        if _has_more(event, sdk) and (beside := _beside(event, sdk)):
            raw = msgspec.json.encode(_decode_object(raw) | beside)
        raw = _readable(raw)
    except UNREADABLE as error:
        raise Refused(Reason.BAD_FIELD, f"properties: {error}") from error
    return _storable_json(raw)


def _has_more(event: WireEvent, sdk: str) -> bool:
    return bool(
        event.set
        or event.set_once
        or event.unset
        or event.options
        or sdk
        or event.session_id
        or event.window_id
    )


def _beside(event: WireEvent, sdk: str) -> dict[str, Any]:
    beside: dict[str, Any] = {}
    for name, value in (("$set", event.set), ("$set_once", event.set_once)):
        if value:
            beside[name] = msgspec.json.decode(value)
    if event.unset:
        beside["$unset"] = msgspec.json.decode(event.unset)
    if event.session_id is not None:
        beside["$session_id"] = event.session_id
    if event.window_id is not None:
        beside["$window_id"] = event.window_id
    profile = _options(event).profile
    if profile is not None:
        beside["$process_person_profile"] = profile
    if sdk:
        beside["$lib"], _, beside["$lib_version"] = sdk.partition("/")
    return beside


# Digits to 0, E to e: with the signs left out, a large exponent is 0e000, found at a tenth of the
# cost of the regular expression that tells it from what stands in a text.
_EXPONENTS = bytes.maketrans(b"123456789E", b"000000000e")


def _readable(raw: bytes) -> bytes:
    """Return JSON that whoever reads it later can take, or raise what a decoder does.

    PostgreSQL would store 1e99999, and give it back digit by digit.
    """
    if not raw.isascii():
        raw.decode()
    nested = raw.count(b"{") + raw.count(b"[") > MAX_DEPTH
    large_exponent = has_large_exponent(raw)
    if not (nested or large_exponent or len(raw) > MAX_INTEGER):
        return raw
    decoded = _decode_object(raw)
    if nested and _depth(decoded) > MAX_DEPTH:
        raise Refused(Reason.BAD_FIELD, f"properties: deeper than {MAX_DEPTH} levels")
    return msgspec.json.encode(decoded) if large_exponent else raw


_LARGE_EXPONENT = re.compile(rb"[\s:,\[]-?[\d.]+[eE][+-]?\d{3}").search


def has_large_exponent(raw: bytes) -> bool:
    """Whether there may be a number with one in a JSON object."""
    return b"0e000" in raw.translate(_EXPONENTS, b"+-") and _LARGE_EXPONENT(raw) is not None


def _depth(value: Any) -> int:
    """Return how many levels of objects and arrays there are."""
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [
            inner for one in level for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


_NUL_ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def _storable_json(raw: bytes) -> bytes:
    """Replace the NUL characters that PostgreSQL's text cannot hold."""
    return _NUL_ESCAPE.sub(rb"\1\\ufffd", raw) if b"\\u0000" in raw else raw


def storable(text: str) -> str:
    return text.replace("\0", "\ufffd") if "\0" in text else text


def may_change_person(properties: bytes) -> bool:
    """Whether an event's properties can say anything of its person; quick, for every event."""
    return b'"$set' in properties or b'"$unset"' in properties


def person_changes(properties: bytes) -> tuple[Mapping[str, Any], Mapping[str, Any], list[str]]:
    """Return what an event says of its person: ``$set``, ``$set_once``, names to ``$unset``."""
    if not may_change_person(properties):
        return {}, {}, []
    decoded: dict[str, Any] = _decoded(_decode_object, properties, {})
    first, once = (
        value if isinstance(value := decoded.get(name), dict) else {}
        for name in ("$set", "$set_once")
    )
    unset = decoded.get("$unset")
    names = [name for name in unset if isinstance(name, str)] if isinstance(unset, list) else []
    return first, once, names


def group_change(record: EventRecord) -> tuple[str, str, Mapping[str, Any]] | None:
    """Return type, key and new properties of the group that a ``$groupidentify`` names."""
    if record.event != "$groupidentify":
        return None
    decoded: dict[str, Any] = _decoded(_decode_object, record.properties, {})
    group_type = as_distinct_id(decoded.get("$group_type"))
    key = as_distinct_id(decoded.get("$group_key"))
    if not group_type or not key:
        return None
    properties = decoded.get("$group_set")
    return group_type, key, properties if isinstance(properties, dict) else {}
