"""Responses as they go over the wire: run the application, and collect what it returns."""

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple

from web.environ import Environ

PIECE = 256 * 1024  # bytes; a larger response waits in a file, and is sent piece by piece

Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes] | None]
Headers = list[tuple[str, str]]

logger = logging.getLogger(__name__)


class Response(NamedTuple):
    """The first bytes to write, and what follows of a large response."""

    start: bytes
    rest: IO[bytes] | None = None

    def close(self) -> None:
        """Forget the response, as its client is gone."""
        if self.rest:
            self.rest.close()


def run(
    application: Application, environ: Environ, *, date: str, keep_alive: bool
) -> Response | None:
    """Return the response of a WSGI application, complete; none if it answers later."""
    answer: list[tuple[str, Headers]] = []

    def start_response(status: str, headers: Headers, _error: object = None) -> None:
        answer[:] = [(status, headers)]

    try:
        chunks = application(environ, start_response)
        if chunks is None:
            return None
        body = _collect(chunks)
        [(status, headers)] = answer
    except BaseException:  # no request may end the thread
        logger.exception("No response to a %s", environ["REQUEST_METHOD"])  # paths name persons
        return error(500)
    size = len(body) if isinstance(body, bytes) else body.seek(0, SEEK_END)
    head = _head(status, headers, size, date=date, keep_alive=keep_alive)
    if environ["REQUEST_METHOD"] == "HEAD" or not _may_have_body(status):
        return Response(head)
    if isinstance(body, bytes):
        return Response(head + body)
    body.seek(0)
    return Response(head + body.read(PIECE), body if size > PIECE else None)


def error(status: int) -> Response:
    """Return the response to a request that no application gets to see; it is the last."""
    text = f"{HTTPStatus(status).phrase}\n".encode()
    retry = "Retry-After: 10\r\n" if status == HTTPStatus.SERVICE_UNAVAILABLE else ""
    return Response(
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: text/plain\r\n"
        f"X-Content-Type-Options: nosniff\r\n{retry}"
        f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode()
        + text
    )


def _collect(chunks: Iterable[bytes]) -> bytes | IO[bytes]:
    """Return what an application returned, and let it clean up."""
    try:
        if isinstance(chunks, list):
            return b"".join(chunks)
        body: IO[bytes] = SpooledTemporaryFile(PIECE)  # noqa: SIM115
        for chunk in chunks:
            body.write(chunk)
        return body
    finally:
        if close := getattr(chunks, "close", None):
            close()


def _head(status: str, headers: Headers, size: int, *, date: str, keep_alive: bool) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Date: {date}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if not any(name.lower() == "content-length" for name, _ in headers) and _may_have_body(status):
        lines.append(f"Content-Length: {size}")
    if not keep_alive:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _may_have_body(status: str) -> bool:
    return not status.startswith(("1", "204", "304"))
