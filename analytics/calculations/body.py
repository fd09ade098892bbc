"""Open the body of a capture request: its form, its shape and its token, trusting nothing."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from analytics.calculations.compression import GZIP_MAGIC, decompress
from analytics.calculations.event_times import parse_time
from analytics.calculations.records import MAX_EVENTS, InvalidEvent, Reason, TooLarge
from analytics.calculations.stored_json import UNREADABLE, has_too_many_large_exponents
from analytics.calculations.wire_format import (
    ABSENT,
    Fields,
    Scalar,
    as_token,
    decode_event,
    event_token,
    is_any_of,
)

_MAX_COMMAS = 2_000_000  # a body of 20 MB could hold ten million values, each an object


class BadToken(ValueError):
    """A token that cannot be valid: the text says why."""


class Envelope(msgspec.Struct):
    """A body in any of its three shapes, its events not yet read."""

    events: Sequence[msgspec.Raw | bytes]
    token: str  # "" where the body has none
    sent_at: datetime | None = None  # by the sender's clock
    size: int = 0  # bytes, decompressed
    is_history: bool = False


class _Wire(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    token: msgspec.Raw = ABSENT
    api_key: msgspec.Raw = ABSENT
    sent_at: Scalar = None
    historical_migration: Scalar = None


_decode_wire = Fields(_Wire).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def unwrap_form(body: bytes, *, content_type: str = "") -> bytes:
    """Return the decoded base64 of the form field ``data`` where the body is such a form."""
    is_form = content_type.startswith("application/x-www-form-urlencoded")
    if not (is_form or body.startswith(b"data=")) or body.startswith((b"{", b"[", GZIP_MAGIC)):
        return body
    return decode_base64(form_fields(body.decode(errors="replace")).get("data", ""))


def form_fields(encoded: str) -> dict[str, str]:
    """Return the first value of each field of a form or a query."""
    if not encoded:
        return {}
    try:
        return {name: values[0] for name, values in parse_qs(encoded, max_num_fields=100).items()}
    except ValueError as error:
        raise InvalidEvent(Reason.MALFORMED, f"form: {error}") from error


def decode_base64(data: str) -> bytes:
    """Return the bytes in base64 as browsers send it; plain JSON passes unchanged."""
    data = data.strip()
    if data.startswith(("{", "[")):
        return data.encode()
    data = data.replace(" ", "+")  # a plus that was not escaped arrives as a space
    try:
        return base64.b64decode(data + "=" * (-len(data) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidEvent(Reason.MALFORMED, "data: not base64") from error


def open_body(body: bytes, *, encoding: str = "", token: str = "") -> Envelope:
    """Return the events and the token of a body, which may be compressed.

    A `token` that a header gave saves looking for one in the events.
    Raise `InvalidEvent` where it is unreadable, `TooLarge` where it holds too much.
    """
    plain = decompress(body, encoding=encoding)
    if len(plain) > _MAX_COMMAS and plain.count(b",") > _MAX_COMMAS:
        raise TooLarge
    if has_too_many_large_exponents(plain):
        raise InvalidEvent(Reason.MALFORMED, "body: too many numbers with large exponents")
    try:
        wire = _decoded(plain)
    except UNREADABLE as error:
        plain = _without_lone_surrogates(plain)
        try:
            wire = _decoded(plain)
        except UNREADABLE:
            raise InvalidEvent(Reason.MALFORMED, f"body: {error}") from error
    events: Sequence[msgspec.Raw | bytes] = [plain] if wire.batch is None else wire.batch
    if len(events) > MAX_EVENTS:
        raise TooLarge
    token = as_token(wire.api_key) or as_token(wire.token) or token or _first_token(events)
    is_history = is_any_of(wire.historical_migration, "true", "1")
    return Envelope(events, token, parse_sent_at(wire.sent_at), len(plain), is_history)


def _decoded(plain: bytes) -> _Wire:
    return _Wire(_decode_list(plain)) if plain.lstrip()[:1] == b"[" else _decode_wire(plain)


# A whole pair, or half of one, after an even number of backslashes.
_SURROGATES = re.compile(
    rb"(?i)(?<!\\)((?:\\\\)*+)\\u(d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|d[89a-f][0-9a-f]{2})"
)
_MAX_SURROGATES = 100_000  # halves and pairs of a body in which halves are replaced


def _without_lone_surrogates(plain: bytes) -> bytes:
    """Replace the halves of cut characters, which JavaScript sends and JSON readers refuse."""
    if not 0 < plain.count(b"\\ud") + plain.count(b"\\uD") <= _MAX_SURROGATES:
        return plain
    return _SURROGATES.sub(
        lambda escape: escape[1] + rb"\ufffd" if len(escape[2]) == 4 else escape[0], plain
    )


def _first_token(events: Sequence[msgspec.Raw | bytes]) -> str:
    for raw in events:
        try:
            token = event_token(decode_event(raw))
        except InvalidEvent:
            continue
        if token:
            return token
    return ""


def check_token(token: str) -> str:
    """Return a token that may belong to a project key, or raise `BadToken`."""
    if not token:
        raise BadToken("api_key: missing")
    if len(token) > 64:
        raise BadToken("api_key: longer than 64 characters")
    if not token.isascii():
        raise BadToken("api_key: not ASCII")
    if token.startswith("phx_"):
        raise BadToken("api_key: a personal key; use a project key")
    return token


def parse_sent_at(value: Any) -> datetime | None:
    """Return when the body was sent; an unusable time does not affect its events."""
    try:
        return parse_time(value, "sent_at") if value is not None else None
    except InvalidEvent:
        return None
