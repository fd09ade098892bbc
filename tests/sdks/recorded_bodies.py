"""Bodies of recorded requests: readable in a diff, and the bytes that were sent.

A body is stored as ``json`` where compact JSON of it is what was sent (``spaced``: with Python's
blanks), else as ``text``. ``wrapped`` lists what was done to it afterwards, in order.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, quote

import brotli
import zstandard

from analytics.calculations.compression import decompress

_WRAP: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "base64": base64.b64encode,
    "data": lambda body: b"data=" + quote(body, safe="").encode(),
}
_MAGIC = {b"\x1f\x8b\x08": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_SEPARATORS = {"compact": (",", ":"), "spaced": (", ", ": ")}


def stored_body(
    body: bytes, encoding: str, replacements: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Return the fields that keep a body."""
    plain, wrapped = _unwrapped(body, encoding)
    text = plain.decode()
    for old, new in replacements:
        text = text.replace(old, new)
    stored: dict[str, Any] = {"wrapped": wrapped} if wrapped else {}
    if not text:
        return stored
    for spacing, separators in _SEPARATORS.items():
        for ascii_only in (False, True):
            value = _json(text)
            if json.dumps(value, separators=separators, ensure_ascii=ascii_only) == text:
                style: dict[str, Any] = {"spacing": spacing} if spacing != "compact" else {}
                style |= {"ascii": True} if ascii_only else {}
                return stored | style | {"json": value}
    return stored | {"text": text}


def sent_body(stored: Mapping[str, Any]) -> bytes:
    """Return the bytes to send for a stored body."""
    body = plain_text(stored).encode()
    for step in stored.get("wrapped", ()):
        body = _WRAP[step](body)
    return body


def plain_text(stored: Mapping[str, Any]) -> str:
    if "json" not in stored:
        return str(stored.get("text", ""))
    separators = _SEPARATORS[stored.get("spacing", "compact")]
    return json.dumps(
        stored["json"], separators=separators, ensure_ascii=stored.get("ascii", False)
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _unwrapped(body: bytes, encoding: str) -> tuple[bytes, list[str]]:
    """Return the innermost text, and the steps that lead from it to the body."""
    if body.startswith(b"data="):
        data = parse_qs(body.decode())["data"][0].replace(" ", "+").encode()
        if data.startswith((b"{", b"[")):
            return data, ["data"]
        return base64.b64decode(data), ["base64", "data"]
    name = _MAGIC.get(body[:3]) or _MAGIC.get(body[:4]) or encoding
    return (decompress(body, encoding=encoding), [name]) if name in _WRAP else (body, [])
