"""Compressed request bodies: gzip, zstd and deflate, without trusting their size."""

import threading

import zstandard
from isal import isal_zlib

from analytics.calculations.records import MAX_BODY, InvalidEvent, Reason, TooLarge

GZIP_MAGIC = b"\x1f\x8b\x08"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_BREAK_WITHIN = 64  # bytes; so much before the break of a broken body may be lost
_COMPRESS_ABOVE = 2_000  # bytes; PostgreSQL keeps larger values in pieces of about this size


def decompress(body: bytes, *, encoding: str = "") -> bytes:
    """Return the plain bytes. The magic number decides; `encoding` is only used for deflate.

    Raise `InvalidEvent` where it is broken, and `TooLarge` as soon as it exceeds `MAX_BODY`.
    """
    if body.startswith(GZIP_MAGIC):
        return _inflate(body, "gzip", wbits=31)
    if body.startswith(_ZSTD_MAGIC):
        return _decompress_zstd(body)
    if encoding == "deflate" and not body.startswith((b"{", b"[")):
        return _inflate(body, "deflate", wbits=15)
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
    decompressor = isal_zlib.decompressobj(wbits=wbits)
    try:
        plain = decompressor.decompress(body, MAX_BODY + 1)
    except isal_zlib.IsalError as error:  # type: ignore[misc]  # whose annotation is wrong
        raise InvalidEvent(Reason.MALFORMED, f"body: broken {name}") from error
    if len(plain) > MAX_BODY:
        raise TooLarge
    if not decompressor.eof:
        raise InvalidEvent(Reason.MALFORMED, f"body: {name} ends too early")
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
            return _zstd.decompress(body)
        with _zstd_decompressor().stream_reader(body) as reader:  # may use as much memory
            plain = reader.read(MAX_BODY + 1)
    except zstandard.ZstdError as error:
        raise InvalidEvent(Reason.MALFORMED, "body: broken zstd") from error
    if len(plain) > MAX_BODY:
        raise TooLarge
    return plain
