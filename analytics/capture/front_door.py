"""What PostHog's SDKs talk to, answered before Django's stack, which would double the cost.

Any origin, no cookies, no redirects, with and without trailing slash.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, NamedTuple

import django.db
import psycopg

from analytics.calculations import body as bodies
from analytics.calculations.body import MAX_BATCH, BadToken, TooLarge
from analytics.calculations.wire import Refused, moment
from analytics.capture import capture
from analytics.capture.capture import Submission

logger = logging.getLogger(__name__)

RETRY_OVERLOAD = 10  # seconds, as is the next
RETRY_RATE_LIMIT = 1
_READ_AND_DROPPED = 4 * MAX_BATCH  # bytes of a refused body that are still read

_V0 = frozenset({"/e", "/i/v0/e", "/i/v0/ai/batch", "/capture", "/track", "/engage", "/batch"})
_V1 = "/i/v1/analytics/events"
_FLAGS = frozenset({"/flags", "/decide"})
_REMOTE_CONFIG = re.compile(r"^/array/([^/]+)/(config|config\.js)$")

_DATABASE_ERRORS = (django.db.Error, psycopg.Error)

# None of them is worth sending again.
_CLIENT_ERRORS = {Refused: 400, BadToken: 401, capture.UnknownKey: 401, TooLarge: 413}

# Plumbline decides no flags; SDKs ask all the same and wait for an answer.
NO_FLAGS = {
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
}
REMOTE_CONFIG = {
    "supportedCompression": ["gzip-js", "base64"],
    "hasFeatureFlags": False,
    "sessionRecording": False,
    "capturePerformance": False,
    "captureDeadClicks": False,
    "autocaptureExceptions": False,
    "heatmaps": False,
    "surveys": False,
    "siteApps": [],
    "isAuthenticated": False,
    "toolbarParams": {},
    "elementsChainAsString": True,
    "defaultIdentifiedOnly": True,
}

Environ = dict[str, Any]


class Answer(NamedTuple):
    """A response. `body` is bytes, or what becomes JSON."""

    status: int
    body: Any = b""
    headers: tuple[tuple[str, str], ...] = ()


_ACCEPTED = Answer(200, b'{"status":1}')
_OVER_QUOTA = Answer(200, {"status": 1, "quota_limited": ["events"]})


def serves(path: str) -> bool:
    """Whether a path is answered here."""
    path = path.rstrip("/")
    return path in _V0 or path in _FLAGS or path == _V1 or path.startswith("/array/")


def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request as WSGI asks."""
    method = environ["REQUEST_METHOD"]
    answer = Answer(204) if method == "OPTIONS" else _answer(environ, method)
    content_type = "application/json"
    body = answer.body
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    headers = [("Content-Length", str(len(body))), *answer.headers, *_cors(environ, method)]
    if body and not any(name == "Content-Type" for name, _ in headers):
        headers.append(("Content-Type", content_type))
    start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
    return [body]


def _answer(environ: Environ, method: str) -> Answer:
    path = environ["PATH_INFO"].rstrip("/")
    if path in _V0 and method in {"POST", "GET"}:
        return _v0(environ, method)
    if path == _V1 and method == "POST":
        return _v1(environ)
    if _has_body(environ):
        _drop(environ["wsgi.input"])
    if path in _FLAGS:
        return Answer(200, NO_FLAGS) if method in {"POST", "GET"} else _not_allowed("POST")
    if found := _REMOTE_CONFIG.match(path):
        return _remote_config(*found.groups()) if method == "GET" else _not_allowed("GET")
    if path in _V0 or path == _V1:
        return _not_allowed("POST" if path == _V1 else "GET, POST")
    return Answer(404, {"status": 0, "error": "no such address"})


def _not_allowed(allowed: str) -> Answer:
    return Answer(405, {"status": 0, "error": f"use {allowed}"}, (("Allow", allowed),))


def _v0(environ: Environ, method: str) -> Answer:
    def accept() -> Answer:
        body = _read(environ)
        query = bodies.form_fields(environ.get("QUERY_STRING", ""))
        if method == "GET":
            body = bodies.from_base64(query.get("data", ""))
        else:
            body = bodies.unwrapped(body, content_type=environ.get("CONTENT_TYPE", ""))
        capture.accept(Submission(body, capture.now(), _encoding(environ)))
        return Answer(204) if query.get("beacon") == "1" else _ACCEPTED

    return _guarded(accept)


def _v1(environ: Environ) -> Answer:
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    request_id = environ.get("HTTP_POSTHOG_REQUEST_ID", "")
    echo = (("PostHog-Request-Id", request_id),) if request_id else ()

    def accept() -> Answer:
        body = _read(environ)
        if scheme.lower() != "bearer" or not token.strip():
            raise BadToken("Authorization: no Bearer token")
        results = capture.accept_each(
            Submission(
                body,
                capture.now(),
                _encoding(environ),
                token=token.strip(),
                sent_at=_request_timestamp(environ),
                sdk=environ.get("HTTP_POSTHOG_SDK_INFO", "")[:200],
            )
        )
        return Answer(200, {"results": {uuid: _result(*one) for uuid, one in results.items()}})

    answer = _guarded(accept)
    return answer._replace(headers=answer.headers + echo)


def _result(result: str, details: str) -> dict[str, str]:
    return {"result": result, "details": details} if details else {"result": result}


def _request_timestamp(environ: Environ) -> Any:
    try:
        return moment(environ["HTTP_POSTHOG_REQUEST_TIMESTAMP"], "PostHog-Request-Timestamp")
    except (KeyError, Refused):
        return None


def _guarded(accept: Callable[[], Answer]) -> Answer:
    """Return the answer, whatever happens."""
    try:
        return accept()
    except _DATABASE_ERRORS as error:
        # Not acknowledged, so the client sends it again; the next request starts afresh.
        logger.warning("Not accepted, the database said: %s", type(error).__name__)
        django.db.connection.close()
        answer = _error(503, "the database is away", RETRY_OVERLOAD)
    except capture.Overloaded:
        answer = _error(503, "too much waits already", RETRY_OVERLOAD)
    except capture.RateLimited:
        answer = _error(429, "too many events a second", RETRY_RATE_LIMIT)
    except capture.QuotaExceeded:
        answer = _OVER_QUOTA
    except (Refused, BadToken, capture.UnknownKey, TooLarge) as error:
        status = next(code for kind, code in _CLIENT_ERRORS.items() if isinstance(error, kind))
        answer = _error(status, str(error))
    return answer


def _error(status: int, text: str, retry_after: int | None = None) -> Answer:
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return Answer(status, {"status": 0, "error": text}, headers)


def _encoding(environ: Environ) -> str:
    encoding: str = environ.get("HTTP_CONTENT_ENCODING", "")
    return encoding.strip().lower()


def _read(environ: Environ) -> bytes:
    """Return the body, or raise `TooLarge`."""
    if not _has_body(environ):
        return b""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH") or str(MAX_BATCH + 1)
    if not length.isdecimal():
        raise TooLarge
    body: bytes = stream.read(min(int(length), MAX_BATCH + 1))
    if len(body) > MAX_BATCH:
        del body
        _drop(stream)
        raise TooLarge
    return body


def _has_body(environ: Environ) -> bool:
    chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "")
    return chunked or environ.get("CONTENT_LENGTH", "") not in {"", "0"}


def _drop(stream: Any) -> None:
    """Read what is not needed: answered before, a server would close the connection."""
    dropped = 0
    while dropped < _READ_AND_DROPPED and (chunk := stream.read(1024 * 1024)):
        dropped += len(chunk)


def _remote_config(token: str, kind: str) -> Answer:
    config = {"token": token, **REMOTE_CONFIG}
    if kind == "config":
        return Answer(200, config)
    script = json.dumps({"config": config, "siteApps": []}).replace("<", "\\u003c")
    name = json.dumps(token).replace("<", "\\u003c")
    return Answer(
        200,
        "(function(){window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};"
        f"window._POSTHOG_REMOTE_CONFIG[{name}]={script};}})();".encode(),
        (("Content-Type", "application/javascript"),),
    )


def _cors(environ: Environ, method: str) -> list[tuple[str, str]]:
    """Let a page of any origin ask, with its cookies, and read the answer."""
    origin = environ.get("HTTP_ORIGIN")
    if not origin:
        return []
    headers = [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "Retry-After, PostHog-Request-Id"),
        ("Vary", "Origin"),
    ]
    if method == "OPTIONS":
        asked_for = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "Content-Type")
        headers += [
            ("Access-Control-Allow-Headers", asked_for),
            ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
            ("Access-Control-Max-Age", "86400"),
        ]
    return headers
