"""Read the body of a capture request: compression, shapes and the token, without trusting it."""

import base64
import binascii
import re
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec
import zstandard
from isal import isal_zlib

from analytics.calculations.wire import (
    ABSENT,
    UNREADABLE,
    Reason,
    Refused,
    as_token,
    decode_event,
    moment,
    token_of,
)

MAX_BATCH = 20 * 1024 * 1024  # bytes, decompressed
MAX_EVENTS = 50_000  # in one body
_MAX_COMMAS = 2_000_000  # a body of 20 MB could hold ten million values, each of them an object

_COMPRESSED_ABOVE = 2_000  # bytes; PostgreSQL keeps what is larger in pieces of about this size
_GZIP_MAGIC = b"\x1f\x8b\x08"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class TooLarge(ValueError):
    """A body beyond `MAX_BATCH` or `MAX_EVENTS`, or an event beyond 2 MB, once decompressed."""

    def __init__(self) -> None:
        super().__init__(
            f"body: larger than 20 MB or {MAX_EVENTS:,} events, or an event larger than 2 MB"
        )


class BadToken(ValueError):
    """A token that cannot be one: the text says why."""


class Envelope(msgspec.Struct):
    """A body in any of its three shapes, its events not yet read."""

    events: Sequence[msgspec.Raw | bytes]
    token: str  # "" where the body has none
    sent_at: datetime | None = None  # by the sender's clock
    size: int = 0  # bytes, decompressed


class _Wire(msgspec.Struct):
    batch: list[msgspec.Raw] | None = None
    token: msgspec.Raw = ABSENT
    api_key: msgspec.Raw = ABSENT
    sent_at: Any = None


_decode_wire = msgspec.json.Decoder(_Wire).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def unwrapped(body: bytes, *, content_type: str = "") -> bytes:
    """Return the base64 in the form field ``data`` decoded, where that is what the body is."""
    is_form = content_type.startswith("application/x-www-form-urlencoded")
    if not (is_form or body.startswith(b"data=")) or body.startswith((b"{", b"[", _GZIP_MAGIC)):
        return body
    return from_base64(form_fields(body.decode(errors="replace")).get("data", ""))


def form_fields(encoded: str) -> dict[str, str]:
    """Return the first value of each field of a form or a query."""
    if not encoded:
        return {}
    try:
        return {name: values[0] for name, values in parse_qs(encoded, max_num_fields=100).items()}
    except ValueError as error:
        raise Refused(Reason.MALFORMED, f"form: {error}") from error


def from_base64(data: str) -> bytes:
    """Return the bytes behind base64 as browsers send it; plain JSON passes unchanged."""
    data = data.strip()
    if data.startswith(("{", "[")):
        return data.encode()
    data = data.replace(" ", "+")  # what became of a plus that was not escaped
    try:
        return base64.b64decode(data + "=" * (-len(data) % 4))
    except (binascii.Error, ValueError) as error:
        raise Refused(Reason.MALFORMED, "data: not base64") from error


def decompressed(body: bytes, *, encoding: str = "") -> bytes:
    """Return the plain bytes. The magic number decides; headers are only asked for deflate.

    Raise `Refused` where it is broken and `TooLarge` beyond `MAX_BATCH`, whatever it would unfold
    to.
    """
    if body.startswith(_GZIP_MAGIC):
        return _inflated(body, "gzip", wbits=31)
    if body.startswith(_ZSTD_MAGIC):
        return _zstd_decompressed(body)
    if encoding == "deflate" and not body.startswith((b"{", b"[")):
        return _inflated(body, "deflate", wbits=15)
    if len(body) > MAX_BATCH:
        raise TooLarge
    return body


def _inflated(body: bytes, name: str, *, wbits: int) -> bytes:
    inflate = isal_zlib.decompressobj(wbits=wbits)
    try:
        plain = inflate.decompress(body, MAX_BATCH + 1)
    except isal_zlib.IsalError as error:  # type: ignore[misc]  # whose annotation is wrong
        raise Refused(Reason.MALFORMED, f"body: broken {name}") from error
    if len(plain) > MAX_BATCH:
        raise TooLarge
    if not inflate.eof:
        raise Refused(Reason.MALFORMED, f"body: {name} ends too early")
    return plain


class _Zstd(threading.local):
    """Each thread's compressor and decompressor: to make one takes as long as its work."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=1).compress
        self.decompress = _zstd_decompressor().decompress


def _zstd_decompressor() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(max_window_size=MAX_BATCH)


_zstd = _Zstd()


def _zstd_decompressed(body: bytes) -> bytes:
    try:
        size = zstandard.frame_content_size(body)  # negative where it is not told
        if 0 <= size <= MAX_BATCH:
            return _zstd.decompress(body)
        with _zstd_decompressor().stream_reader(body) as reader:  # it may keep as much in memory
            plain = reader.read(MAX_BATCH + 1)
    except zstandard.ZstdError as error:
        raise Refused(Reason.MALFORMED, "body: broken zstd") from error
    if len(plain) > MAX_BATCH:
        raise TooLarge
    return plain


def compressed(body: bytes) -> bytes:
    """Return a body as `decompressed` takes it: a large one that is plain in an eighth of its size.

    To write, read and delete that costs the database less than compressing it costs here.
    """
    if len(body) <= _COMPRESSED_ABOVE or body.startswith((_GZIP_MAGIC, _ZSTD_MAGIC)):
        return body
    return _zstd.compress(body)


def opened(plain: bytes) -> Envelope:
    """Return the events and the token of a JSON body; one shape is told from another by its look.

    Raise `Refused` where it is not readable, `TooLarge` where it holds too much.
    """
    if len(plain) > _MAX_COMMAS and plain.count(b",") > _MAX_COMMAS:
        raise TooLarge
    try:
        wire = _decoded(plain)
    except UNREADABLE as error:
        plain = _without_lone_surrogates(plain)
        try:
            wire = _decoded(plain)
        except UNREADABLE:
            raise Refused(Reason.MALFORMED, f"body: {error}") from error
    events: Sequence[msgspec.Raw | bytes] = [plain] if wire.batch is None else wire.batch
    if len(events) > MAX_EVENTS:
        raise TooLarge
    token = as_token(wire.api_key) or as_token(wire.token) or _first_token(events)
    return Envelope(events, token, sent_at_of(wire.sent_at), len(plain))


def _decoded(plain: bytes) -> _Wire:
    return _Wire(_decode_list(plain)) if plain.lstrip()[:1] == b"[" else _decode_wire(plain)


_SURROGATES = re.compile(
    rb"(?i)\\(?:u(d[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|d[89a-f][0-9a-f]{2})|.)", re.DOTALL
)


def _without_lone_surrogates(plain: bytes) -> bytes:
    """Replace the halves of cut characters, which JavaScript sends and JSON readers refuse."""
    if b"\\ud" not in plain and b"\\uD" not in plain:
        return plain
    return _SURROGATES.sub(
        lambda escape: rb"\ufffd" if len(escape[1] or b"") == 4 else escape[0], plain
    )


def checked_token(token: str) -> str:
    """Return a token that could be a project key's, or raise `BadToken`."""
    if not token:
        raise BadToken("api_key: missing")
    if len(token) > 64:
        raise BadToken("api_key: longer than 64 characters")
    if not token.isascii():
        raise BadToken("api_key: not ASCII")
    if token.startswith("phx_"):
        raise BadToken("api_key: a personal key; use a project key")
    return token


def _first_token(events: Sequence[msgspec.Raw | bytes]) -> str:
    for raw in events:
        try:
            token = token_of(decode_event(raw))
        except Refused:
            continue
        if token:
            return token
    return ""


def sent_at_of(value: Any) -> datetime | None:
    """Return when the body was sent; an unusable time spoils no event."""
    try:
        return moment(value, "sent_at") if value is not None else None
    except Refused:
        return None
