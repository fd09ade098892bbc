"""A small WSGI application that the tests serve: it shows what reached it."""

import json
import os
import time
from collections.abc import Callable
from http import HTTPStatus
from itertools import chain, repeat
from urllib.parse import parse_qs


def application(environ, start_response):
    if environ["PATH_INFO"] == "/later":
        _later.append(environ["web.later"])
        return None
    action = _ACTIONS.get(environ["PATH_INFO"], _show)
    status, body = action(environ)
    start_response(f"{status} {HTTPStatus(status).phrase}", [("Content-Type", "text/plain")])
    return [body] if isinstance(body, bytes) else body


def lane_of(path):
    return path if path in {"/livez", "/readyz"} else ""


def client_network(environ):
    """Return who sent a request, as if any client were a trusted proxy."""
    return environ.get("HTTP_X_FORWARDED_FOR") or environ["REMOTE_ADDR"]


def _show(environ):
    """Return the request, as JSON."""
    fields = {name: value for name, value in environ.items() if isinstance(value, str)}
    return 200, json.dumps(fields | {"body": environ["wsgi.input"].read().decode()}).encode()


def _large(environ):
    """Return as many bytes as the query says, in many pieces."""
    pieces = int(parse_qs(environ["QUERY_STRING"])["kB"][0])
    return 200, (b"x" * 1024 for _ in range(pieces))


def _busy(_environ):
    """Hold a thread for as long as any test takes."""
    time.sleep(30)
    return 200, b""


def _process(_environ):
    return 200, str(os.getpid()).encode()


def _release(_environ):
    """Answer the requests that are to be answered later; the first of them with an error."""
    for later, answer in zip(_later, chain([_fail], repeat(_page)), strict=False):
        later(answer)
    return 200, b""


def _page(environ, start_response):
    return application(environ | {"PATH_INFO": "/"}, start_response)


def _fail(_environ, _start_response=None):
    raise RuntimeError("on purpose")


_later: list[Callable[..., None]] = []
_ACTIONS = {
    "/release": _release,
    "/waiting": lambda _environ: (200, str(len(_later)).encode()),
    "/large": _large,
    "/busy": _busy,
    "/process": _process,
    "/fail": _fail,
    "/livez": lambda _environ: (200, b"ok"),
    "/nothing": lambda _environ: (204, b""),
}
