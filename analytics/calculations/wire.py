"""Read events off the wire: bodies, envelopes and single events, without trusting any of it."""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import msgspec

MAX_BODY = 20 * 1024 * 1024  # bytes, decompressed
MAX_NAME = 200  # characters of an event name or distinct id
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
MAX_CLOCK_AHEAD = timedelta(hours=23)

_GZIP_MAGIC = b"\x1f\x8b\x08"
_MILLISECONDS_ABOVE = 100_000_000_000  # a number beyond it is no time in seconds


class Reason(StrEnum):
    """Why an event was not stored."""

    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    BAD_FIELD = "bad_field"
    BAD_TIMESTAMP = "bad_timestamp"
    UUID_REUSED = "uuid_reused"
    UNSTORABLE = "unstorable"


class Refused(ValueError):
    """An event, or a whole body, that cannot be used; the detail names the field."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class TooLarge(ValueError):
    """A body that is larger than `MAX_BODY` once decompressed."""


class EventRecord(msgspec.Struct, frozen=True, gc=False):
    """An event that can be stored. `timestamp` is in UTC; `properties` is a JSON object."""

    uuid: bytes  # 16 of them
    event: str
    distinct_id: str
    timestamp: datetime
    properties: bytes
    line: int | None = None  # in an imported file

    @property
    def content_hash(self) -> int:
        """Return a signed 64-bit hash of what a retry leaves unchanged."""
        content = b"\0".join((self.event.encode(), self.distinct_id.encode(), self.properties))
        return int.from_bytes(blake2b(content, digest_size=8).digest(), signed=True)


@dataclass(frozen=True, slots=True)
class Rejection:
    """An event that cannot be stored, as it came."""

    reason: Reason
    detail: str
    payload: bytes
    line: int | None = None


@dataclass(slots=True)
class Parsed:
    """What one body holds. A bad event never costs the good ones beside it."""

    token: str
    events: list[EventRecord] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


_ABSENT = msgspec.Raw(b"")


class WireEvent(msgspec.Struct, gc=False):
    """An event as SDKs send it; everything but the name may be missing."""

    event: str | None = None
    uuid: str | None = None
    distinct_id: str | int | float | None = None
    dollar_distinct_id: str | int | float | None = msgspec.field(name="$distinct_id", default=None)
    timestamp: str | int | float | None = None
    offset: int | float | None = None  # milliseconds before the request was sent
    set: msgspec.Raw = msgspec.field(name="$set", default=_ABSENT)
    set_once: msgspec.Raw = msgspec.field(name="$set_once", default=_ABSENT)
    properties: msgspec.Raw = _ABSENT
    token: str | None = None
    api_key: str | None = None


class _Envelope(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    token: str | None = None
    api_key: str | None = None
    sent_at: str | int | float | None = None


class _IdProperties(msgspec.Struct):
    """The few properties that may stand in for fields."""

    token: str | None = None
    distinct_id: str | int | float | None = None


_decode_envelope = msgspec.json.Decoder(_Envelope).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_event = msgspec.json.Decoder(WireEvent).decode
_decode_ids = msgspec.json.Decoder(_IdProperties).decode
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def decode_body(body: bytes, *, content_type: str = "") -> bytes:
    """Return the JSON of a request body: plain, gzip, or base64 in the form field ``data``.

    Raise `Refused` where it is none of these, `TooLarge` beyond `MAX_BODY`.
    """
    body = _decompressed(body)
    if content_type.startswith("application/x-www-form-urlencoded") or body.startswith(b"data="):
        fields = parse_qs(body.decode("latin-1"), max_num_fields=16)
        data = fields.get("data", [""])[0].replace(" ", "+")
        try:
            body = _decompressed(base64.b64decode(data + "=" * (-len(data) % 4)))
        except binascii.Error as error:
            raise Refused(Reason.MALFORMED, "data: not base64") from error
    return body


def _decompressed(body: bytes) -> bytes:
    if not body.startswith(_GZIP_MAGIC):
        if len(body) > MAX_BODY:
            raise TooLarge
        return body
    inflate = zlib.decompressobj(wbits=31)
    try:
        plain = inflate.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise Refused(Reason.MALFORMED, "body: broken gzip") from error
    if len(plain) > MAX_BODY:
        raise TooLarge
    if not inflate.eof:
        raise Refused(Reason.MALFORMED, "body: gzip ends too early")
    return plain


def parse(body: bytes, *, received_at: datetime) -> Parsed:
    """Return the token, the events and the rejections of a JSON body.

    The body is an envelope with a ``batch``, an array of events, or one event. Raise `Refused`
    where it is not readable at all or has no token.
    """
    raw_events, token, sent_at = _opened(body)
    parsed = Parsed(token=(token or "").strip())
    clock_shift = _clock_shift(sent_at, received_at)
    for position, raw in enumerate(raw_events):
        try:
            event = decode_event(raw)
            parsed.token = parsed.token or _token(event)
            record = event_record(
                event,
                raw=bytes(raw),
                received_at=received_at,
                clock_shift=clock_shift,
                position=position,
            )
            parsed.events.append(record)
        except Refused as error:
            parsed.rejections.append(Rejection(error.reason, error.detail, bytes(raw)))
    if not parsed.token:
        raise Refused(Reason.MISSING_FIELD, "api_key: missing")
    return parsed


def _clock_shift(sent_at: str | int | float | None, received_at: datetime) -> timedelta | None:
    """Return how far the sender's clock is behind; an unusable `sent_at` spoils no event."""
    if sent_at is None:
        return None
    try:
        return received_at - _moment(sent_at, "sent_at")
    except Refused:
        return None


def _opened(body: bytes) -> tuple[Sequence[msgspec.Raw | bytes], str | None, Any]:
    """Return the events, the token and the sending time of a body in any of its three shapes."""
    try:
        if body.lstrip()[:1] == b"[":
            return _decode_list(body), None, None
        envelope = _decode_envelope(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Refused(Reason.MALFORMED, f"body: {error}") from error
    token = envelope.api_key or envelope.token
    if envelope.batch is None:
        return [body], token, envelope.sent_at
    return envelope.batch, token, envelope.sent_at


def decode_event(raw: bytes | msgspec.Raw) -> WireEvent:
    """Return an event's fields. Raise `Refused` where they are unreadable."""
    try:
        return _decode_event(raw)
    except msgspec.ValidationError as error:
        raise Refused(Reason.BAD_FIELD, str(error)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Refused(Reason.MALFORMED, str(error)) from error


def event_record(
    event: WireEvent,
    *,
    raw: bytes,
    received_at: datetime | None,
    clock_shift: timedelta | None = None,
    position: int = 0,
    line: int | None = None,
) -> EventRecord:
    """Return the event to store, or raise `Refused` naming the field.

    `received_at` is None for an import, where every event must bring its time. `clock_shift` is
    how far the sender's clock is behind ours.
    """
    name = (event.event or "").strip()
    if not name:
        raise Refused(Reason.MISSING_FIELD, "event: missing")
    if len(name) > MAX_NAME:
        raise Refused(Reason.BAD_FIELD, f"event: longer than {MAX_NAME} characters")
    properties = _properties(event)
    timestamp = _timestamp(event, received_at, clock_shift)
    return EventRecord(
        uuid=_uuid(event, raw, position, received_at),
        event=storable(name),
        distinct_id=_distinct_id(event, properties),
        timestamp=timestamp,
        properties=properties,
        line=line,
    )


def _distinct_id(event: WireEvent, properties: bytes) -> str:
    value = event.distinct_id
    if value is None:
        value = event.dollar_distinct_id
    if value is None:
        value = _ids(properties).distinct_id
    text = "" if value is None else storable(str(value).strip())[:MAX_NAME]
    if not text:
        raise Refused(Reason.MISSING_FIELD, "distinct_id: missing")
    return text


def _token(event: WireEvent) -> str:
    return (
        event.api_key or event.token or _ids(bytes(event.properties or b"{}")).token or ""
    ).strip()


def _ids(properties: bytes) -> _IdProperties:
    try:
        return _decode_ids(properties)
    except msgspec.DecodeError:
        return _IdProperties()


def _uuid(event: WireEvent, raw: bytes, position: int, received_at: datetime | None) -> bytes:
    """Return the event's identity; without one it derives from the content and the place.

    An id that is no UUID is hashed to one. Without a time of its own either, a later event with
    the same content is another event.
    """
    if event.uuid:
        try:
            return UUID(event.uuid).bytes
        except ValueError:
            return _hash(event.uuid.encode(errors="replace"))
    timeless = event.timestamp is None and event.offset is None
    arrival = received_at.isoformat() if timeless and received_at else ""
    return _hash(raw, str(position).encode(), arrival.encode())


def _hash(*parts: bytes) -> bytes:
    return blake2b(b"\0".join(parts), digest_size=16).digest()


def _timestamp(
    event: WireEvent, received_at: datetime | None, clock_shift: timedelta | None
) -> datetime:
    if event.timestamp is not None:
        moment = _moment(event.timestamp, "timestamp")
        if clock_shift is not None:
            moment = _shifted(moment, clock_shift)
    elif received_at is None:
        raise Refused(Reason.MISSING_FIELD, "timestamp: missing")
    else:
        moment = _shifted(received_at, timedelta(milliseconds=-(event.offset or 0)))
    if moment < EARLIEST:
        raise Refused(Reason.BAD_TIMESTAMP, f"timestamp: before {EARLIEST.year}")
    if received_at is not None and moment > received_at + MAX_CLOCK_AHEAD:
        return received_at
    return moment


def _shifted(moment: datetime, shift: timedelta) -> datetime:
    try:
        return moment + shift
    except OverflowError as error:
        raise Refused(Reason.BAD_TIMESTAMP, "timestamp: out of range") from error


def _moment(value: str | int | float, name: str) -> datetime:
    """Return an aware UTC moment from ISO 8601 or a Unix time in seconds or milliseconds."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = value / 1000 if value > _MILLISECONDS_ABOVE else value
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Refused(Reason.BAD_TIMESTAMP, f"{name}: {value!r} is no ISO 8601 time") from error


def _properties(event: WireEvent) -> bytes:
    """Return the properties as a JSON object that PostgreSQL can store, with $set in its place."""
    raw = bytes(event.properties or b"{}").strip()
    if raw == b"null":
        raw = b"{}"
    if not raw.startswith(b"{"):
        raise Refused(Reason.BAD_FIELD, "properties: not an object")
    if event.set or event.set_once:
        merged = _decode_object(raw)
        for name, value in (("$set", event.set), ("$set_once", event.set_once)):
            if value:
                merged[name] = msgspec.json.decode(value)
        raw = msgspec.json.encode(merged)
    return _storable_json(raw)


_NUL_ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def _storable_json(raw: bytes) -> bytes:
    """Replace the NUL characters that PostgreSQL's text cannot hold."""
    return _NUL_ESCAPE.sub(rb"\1\\ufffd", raw) if b"\\u0000" in raw else raw


def storable(text: str) -> str:
    return text.replace("\0", "\ufffd") if "\0" in text else text


def person_properties(properties: bytes) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the ``$set`` and ``$set_once`` objects in an event's properties."""
    if b'"$set' not in properties:
        return {}, {}
    decoded = _decode_object(properties)
    values = (decoded.get("$set"), decoded.get("$set_once"))
    first, once = (value if isinstance(value, dict) else {} for value in values)
    return first, once
