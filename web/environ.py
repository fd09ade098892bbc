"""WSGI's environ, from the parts of a request in the order in which they arrive."""

from functools import lru_cache
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

Environ = dict[str, Any]

_UNPREFIXED = {"CONTENT_TYPE", "CONTENT_LENGTH"}


@lru_cache(256)
def key(name: bytes) -> str:
    """Return the key of a header; empty for a name that another header could be taken for."""
    if b"_" in name:
        return ""
    text = name.decode("latin-1").upper().replace("-", "_")
    return text if text in _UNPREFIXED else f"HTTP_{text}"


def add_header(environ: Environ, name: bytes, value: bytes) -> None:
    """Add a header; values of repeated ones are joined as HTTP says."""
    header, text = key(name), value.decode("latin-1")
    if header in environ:
        text = f"{environ[header]}{'; ' if header == 'HTTP_COOKIE' else ','}{text}"
    if header:
        environ[header] = text


def add_target(environ: Environ, target: bytes) -> None:
    """Add the path and the query of a request line, of which a proxy's has the host too."""
    if not target.startswith(b"/"):
        parts = urlsplit(target)
        target = (parts.path or b"/") + (b"?" + parts.query if parts.query else b"")
    path, _, query = target.partition(b"?")
    if b"%" in path:
        path = unquote_to_bytes(path)
    environ["PATH_INFO"] = path.decode("latin-1")
    environ["QUERY_STRING"] = query.decode("latin-1")


def add_body(environ: Environ, chunks: list[bytes]) -> None:
    """Add the body. Its length is always given, as Django reads a body without as empty."""
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    environ["wsgi.input"] = BytesIO(body)
    if environ.pop("HTTP_TRANSFER_ENCODING", None) or "CONTENT_LENGTH" in environ:
        environ["CONTENT_LENGTH"] = str(len(body))
