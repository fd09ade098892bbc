"""The fields of an event as SDKs send them, decoded but not yet checked.

What is decoded is small, whatever is sent: nested values of megabytes would take a hundred times
their size in memory.
"""

from typing import Any, Generic, TypeVar

import msgspec

from analytics.calculations.records import IDENTITY_HASH, MAX_EVENT, MAX_NAME, InvalidEvent, Reason
from analytics.calculations.stored_json import UNREADABLE, decoded_or, stored_text

ABSENT = msgspec.Raw(b"")
_LARGEST_NESTED = 2_000  # bytes of an array or object where a text is expected

Scalar = str | int | float | bool | None
T = TypeVar("T", bound=msgspec.Struct)


class Fields(Generic[T]):
    """Decodes a struct in which scalars may be sent as anything."""

    def __init__(self, struct: type[T]) -> None:
        self._struct = struct
        self._decode = msgspec.json.Decoder(struct).decode
        fields = msgspec.structs.fields(struct)
        self._decoders = {
            field.name: _decode_small
            if field.type == Scalar
            else msgspec.json.Decoder(field.type).decode
            for field in fields
        }
        raw = [
            (field.name, msgspec.Raw, msgspec.field(name=field.encode_name, default=ABSENT))
            for field in fields
        ]
        self._decode_raw = msgspec.json.Decoder(msgspec.defstruct("_Raw", raw)).decode

    def decode(self, json: bytes | msgspec.Raw) -> T:
        """Return the fields; an array or object in place of a scalar is missing where it is large.

        Raise msgspec's errors where another field is not of its type.
        """
        try:
            return self._decode(json)
        except msgspec.ValidationError:
            raw = msgspec.structs.asdict(self._decode_raw(json))
        decoders = self._decoders
        return self._struct(**{name: decoders[name](value) for name, value in raw.items() if value})


def _decode_small(value: msgspec.Raw) -> Any:
    """Return a decoded JSON value; None for an array or object that is large, or unreadable."""
    if len(value) > _LARGEST_NESTED and bytes(memoryview(value)[:1]) in {b"[", b"{"}:
        return None
    return decoded_or(_decode_any, value, None)


class WireEvent(msgspec.Struct, gc=False):
    """An event as SDKs send it; everything but the name may be missing or of another type."""

    event: Scalar = None
    uuid: Scalar = None
    distinct_id: Scalar = None
    dollar_distinct_id: Scalar = msgspec.field(name="$distinct_id", default=None)
    timestamp: Scalar = None
    offset: Scalar = None  # milliseconds before the request was sent
    set: msgspec.Raw = msgspec.field(name="$set", default=ABSENT)
    set_once: msgspec.Raw = msgspec.field(name="$set_once", default=ABSENT)
    unset: msgspec.Raw = msgspec.field(name="$unset", default=ABSENT)
    properties: msgspec.Raw = ABSENT
    token: msgspec.Raw = ABSENT
    dollar_token: msgspec.Raw = msgspec.field(name="$token", default=ABSENT)
    api_key: msgspec.Raw = ABSENT
    options: msgspec.Raw = ABSENT  # v1, as are the next two
    session_id: Scalar = None
    window_id: Scalar = None


class SpecialProperties(msgspec.Struct, gc=False):
    """The few properties that capture itself acts on."""

    token: msgspec.Raw = ABSENT
    distinct_id: Scalar = None
    anon_distinct_id: Scalar = msgspec.field(name="$anon_distinct_id", default=None)
    alias: Scalar = None
    profile: Scalar = msgspec.field(name="$process_person_profile", default=None)
    ignore_sent_at: Scalar = msgspec.field(name="$ignore_sent_at", default=None)
    identity_hash: Scalar = msgspec.field(name=IDENTITY_HASH, default=None)


class WireOptions(msgspec.Struct, gc=False):
    """v1's options, each of which v0 has as a property."""

    profile: Scalar = msgspec.field(name="process_person_profile", default=None)
    ignore_sent_at: Scalar = msgspec.field(name="disable_skew_correction", default=None)
    cookieless: Scalar = msgspec.field(name="cookieless_mode", default=None)
    product_tour: Scalar = msgspec.field(name="product_tour_id", default=None)

    def properties(self) -> dict[str, Any]:
        """Return the options that were sent, as the properties of v0."""
        properties = {
            "$process_person_profile": self.profile,
            "$ignore_sent_at": self.ignore_sent_at,
            "$cookieless_mode": self.cookieless,
            "$product_tour_id": self.product_tour,
        }
        return {name: value for name, value in properties.items() if value is not None}


class _Named(msgspec.Struct, gc=False):
    uuid: Scalar = None


NOTHING_SPECIAL = SpecialProperties()
_NO_OPTIONS = WireOptions()

_decode_any = msgspec.json.Decoder().decode
_decode_event = Fields(WireEvent).decode
_decode_named = Fields(_Named).decode
_decode_special = Fields(SpecialProperties).decode
_decode_options = Fields(WireOptions).decode


def decode_event(raw: bytes | msgspec.Raw) -> WireEvent:
    """Return an event's fields. Raise `InvalidEvent` where they are unreadable or too large."""
    if len(raw) > MAX_EVENT:
        raise InvalidEvent(Reason.TOO_LARGE, f"event: larger than {MAX_EVENT:,} bytes")
    try:
        return _decode_event(raw)
    except msgspec.ValidationError as error:
        raise InvalidEvent(Reason.BAD_FIELD, str(error)) from error
    except UNREADABLE as error:
        raise InvalidEvent(Reason.MALFORMED, str(error)) from error


def uuid_as_sent(raw: bytes | msgspec.Raw) -> str:
    """Return an event's own uuid, however bad the rest of it is; "" where it has none."""
    uuid = decoded_or(_decode_named, raw, _Named()).uuid
    return uuid if isinstance(uuid, str) else ""


def special_properties(properties: bytes) -> SpecialProperties:
    """Return the properties that capture acts on."""
    return decoded_or(_decode_special, properties, NOTHING_SPECIAL)


def only_v0(event: WireEvent) -> WireEvent:
    """Return an event of v0, whose fields with the names of v1's have no meaning."""
    event.options, event.session_id, event.window_id = ABSENT, None, None
    return event


def wire_options(event: WireEvent) -> WireOptions:
    """Return v1's options; those of another type than v1 says change nothing."""
    options = decoded_or(_decode_options, event.options, _NO_OPTIONS)
    profile, ignore_sent_at, cookieless = (
        value if isinstance(value, bool) else None
        for value in (options.profile, options.ignore_sent_at, options.cookieless)
    )
    tour = options.product_tour if isinstance(options.product_tour, str) else None
    return WireOptions(profile, ignore_sent_at, cookieless, tour)


def is_text(value: Any) -> bool:
    """Whether a JSON value is a text, or a number that stands for one."""
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def is_any_of(value: Any, *words: str) -> bool:
    """Whether a JSON value, as a text, is any of these words in any case."""
    return str(value).strip().lower() in words


def as_distinct_id(value: Any) -> str:
    """Return a distinct id as a string of at most `MAX_NAME` characters; "" where it has none."""
    if isinstance(value, str):
        text = value
    elif value is None:
        return ""
    else:  # a number or any other JSON value: its JSON becomes the id
        try:
            text = msgspec.json.encode(value).decode()
        except RecursionError:
            return ""
    return stored_text(text.strip())[:MAX_NAME]


def event_token(event: WireEvent) -> str:
    """Return the token that the event itself carries, or ""."""
    special = decoded_or(_decode_special, bytes(event.properties or b"{}"), NOTHING_SPECIAL)
    for raw in (event.api_key, event.token, event.dollar_token, special.token):
        if token := as_token(raw):
            return token
    return ""


def as_token(raw: msgspec.Raw) -> str:
    """Return the token in a JSON value, trimmed; "" where it is not a string."""
    if not raw:
        return ""
    try:
        return msgspec.json.decode(raw, type=str).strip()
    except (msgspec.DecodeError, UnicodeError):
        return ""
