"""Compressed request bodies: gzip, zstd, deflate and Brotli, without trusting their size."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

import brotli
import zstandard
from isal import isal_zlib

from analytics.calculations.records import MAX_BODY, InvalidEvent, Reason, TooLarge

GZIP_MAGIC = b"\x1f\x8b\x08"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_MOST_MEMBERS = 16
_BREAK_WITHIN = 64  # bytes; so much before the break of a broken body may be lost
_COMPRESS_ABOVE = 2_000  # bytes; PostgreSQL keeps larger values in pieces of about this size


def decompress(body: bytes, *, encoding: str = "") -> bytes:
    """Return the plain bytes. The magic number decides; deflate and Brotli have none.

    Several members or frames are one body, as their formats say. Raise `InvalidEvent` where it is
    broken, and `TooLarge` as soon as it exceeds `MAX_BODY`.
    """
    if body.startswith(GZIP_MAGIC):
        return _inflate(body, "gzip", wbits=31)
    if body.startswith(_ZSTD_MAGIC):
        return _decompress_zstd(body)
    if encoding in WITHOUT_MAGIC and not body.startswith((b"{", b"[")):
        return WITHOUT_MAGIC[encoding](body)
    if len(body) > MAX_BODY:
        raise TooLarge
    return body


def decompress_leniently(body: bytes) -> bytes:
    """Return as much of the plain bytes as can be read, at most `MAX_BODY`; never raises."""
    for read in (decompress, _inflate_beginning):
        try:
            return read(body)
        except (InvalidEvent, TooLarge):
            continue
    return body


def compress(body: bytes) -> bytes:
    """Return a body that `decompress` can read: a large plain one shrinks to about an eighth.

    Compressing it here costs less than the database saves in writing, reading and deleting it.
    """
    if len(body) <= _COMPRESS_ABOVE or body.startswith((GZIP_MAGIC, _ZSTD_MAGIC)):
        return body
    return _zstd.compress(body)


def _inflate_beginning(body: bytes) -> bytes:
    """Return what comes before the break of a broken gzip or zlib stream."""
    wbits = 31 if body.startswith(GZIP_MAGIC) else 15
    decompressor, plain = isal_zlib.decompressobj(wbits=wbits), bytearray()
    for start in range(0, len(body), _BREAK_WITHIN):
        try:
            plain += decompressor.decompress(body[start : start + _BREAK_WITHIN], MAX_BODY)
        except isal_zlib.IsalError:  # type: ignore[misc]  # whose annotation is wrong
            break
        if len(plain) > MAX_BODY:
            break
    if not plain:
        raise InvalidEvent(Reason.MALFORMED, "body: not compressed")
    return bytes(plain)


def _inflate(body: bytes, name: str, *, wbits: int) -> bytes:
    plain = b""
    for _ in range(_MOST_MEMBERS):  # each costs a copy of the rest
        decompressor = isal_zlib.decompressobj(wbits=wbits)
        try:
            plain += decompressor.decompress(body, MAX_BODY + 1 - len(plain))
        except isal_zlib.IsalError as error:  # type: ignore[misc]  # whose annotation is wrong
            raise InvalidEvent(Reason.MALFORMED, f"body: broken {name}") from error
        if len(plain) > MAX_BODY:
            raise TooLarge
        if not decompressor.eof:
            raise InvalidEvent(Reason.MALFORMED, f"body: {name} ends too early")
        body = decompressor.unused_data.lstrip(b"\0")  # zeros may fill a block
        if not body:
            return plain
    raise InvalidEvent(Reason.MALFORMED, f"body: {name} in more than {_MOST_MEMBERS} members")


def _decompress_brotli(body: bytes) -> bytes:
    decompressor = brotli.Decompressor()
    try:
        plain: bytes = decompressor.process(body, output_buffer_limit=MAX_BODY + 1)
    except brotli.error as error:
        raise InvalidEvent(Reason.MALFORMED, "body: broken Brotli") from error
    if len(plain) > MAX_BODY:
        raise TooLarge
    if not decompressor.is_finished():
        raise InvalidEvent(Reason.MALFORMED, "body: Brotli ends too early")
    return plain


class _Zstd(threading.local):
    """Each thread's compressor and decompressor: creating one takes as long as using it."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=1).compress
        self.decompress = _zstd_decompressor().decompress


def _zstd_decompressor() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(max_window_size=MAX_BODY)


_zstd = _Zstd()


def _decompress_zstd(body: bytes) -> bytes:
    try:
        size = zstandard.frame_content_size(body)  # negative where the frame does not say
        if 0 <= size <= MAX_BODY:
            with suppress(zstandard.ZstdError):  # there may be other frames
                return _zstd.decompress(body, allow_extra_data=False)
        reader = _zstd_decompressor().stream_reader(body, read_across_frames=True)
        with reader:  # may use as much memory
            plain = reader.read(MAX_BODY + 1)
    except zstandard.ZstdError as error:
        raise InvalidEvent(Reason.MALFORMED, "body: broken zstd") from error
    if len(plain) > MAX_BODY:
        raise TooLarge
    return plain


# By the Content-Encoding: nothing in such a body says that it is compressed.
WITHOUT_MAGIC: Mapping[str, Callable[[bytes], bytes]] = {
    "deflate": partial(_inflate, name="deflate", wbits=15),
    "br": _decompress_brotli,
}
