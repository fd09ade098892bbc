"""The endpoints of PostHog's SDKs, served without Django's stack, which would double the cost.

Any origin, no cookies, no redirects, with and without trailing slash.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

import django.db
import msgspec
import psycopg

from analytics.calculations.body import (
    BadToken,
    decode_base64,
    form_fields,
    parse_sent_at,
    unwrap_form,
)
from analytics.calculations.event_times import parse_time
from analytics.calculations.records import MAX_BODY, InvalidEvent, TooLarge
from analytics.capture import capture
from analytics.capture.capture import Submission
from analytics.capture.group_commit import Commit
from analytics.capture.posthog_js import is_script_path, script
from analytics.capture.remote_config import (
    NO_FLAGS,
    REMOTE_CONFIG_PATH,
    CaptureResponse,
    remote_config,
)

logger = logging.getLogger(__name__)

RETRY_OVERLOAD = 10  # seconds, as is the next
RETRY_RATE_LIMIT = 1
_MAX_DROPPED = 4 * MAX_BODY  # bytes of a refused body that are still read

_V0 = frozenset({"/e", "/i/v0/e", "/i/v0/ai/batch", "/capture", "/track", "/engage", "/batch"})
_V1 = frozenset({"/i/v1/analytics/events", "/i/v1/ai/events"})
_FLAGS = frozenset({"/flags", "/decide"})
# Recordings, logs and metrics: a 404 that pages can read ends them; without it they are retried.
_UNSUPPORTED = frozenset({"/s", "/i/v1/logs", "/i/v1/metrics"})

_DATABASE_ERRORS = (django.db.Error, psycopg.Error)

# SDKs must not send these requests again.
_CLIENT_ERRORS = {InvalidEvent: 400, BadToken: 401, capture.UnknownKey: 401, TooLarge: 413}

Environ = dict[str, Any]
_Answer = TypeVar("_Answer")

_WITHOUT_DETAILS = {result: {"result": result} for result in ("ok", "drop")}
_ACCEPTED = CaptureResponse(200, b'{"status":1}')
_OVER_QUOTA = CaptureResponse(200, {"status": 1, "quota_limited": ["events"]})


def serves(path: str) -> bool:
    """Whether this application serves a path."""
    path = path.rstrip("/")
    if path in _V0 or path in _V1 or path in _FLAGS or path in _UNSUPPORTED:
        return True
    return path.startswith("/array/") or is_script_path(path) is not None


class Pending(NamedTuple):
    """A response that is right once a commit is done."""

    commit: Commit
    response: CaptureResponse

    def wait(self) -> CaptureResponse:
        """Return the response, or that to a failed commit."""

        def committed() -> CaptureResponse:
            self.commit.result()
            return self.response

        return _guarded(committed)


def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes] | None:
    """Serve a request through WSGI. No thread waits for a commit on a server with `web.later`."""
    method = environ["REQUEST_METHOD"]
    answer = CaptureResponse(204) if method == "OPTIONS" else _respond(environ, method)
    if isinstance(answer, CaptureResponse):
        return _send(answer, environ, start_response)
    pending = answer

    def send(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        return _send(pending.wait(), environ, start_response)

    if later := environ.get("web.later"):
        pending.commit.add_done_callback(lambda _: later(send))
        return None
    return send(environ, start_response)


def _send(
    response: CaptureResponse, environ: Environ, start_response: Callable[..., Any]
) -> Iterable[bytes]:
    body = response.body
    if not isinstance(body, bytes):
        body = msgspec.json.encode(body)
    headers = [("Content-Length", str(len(body))), ("X-Content-Type-Options", "nosniff")]
    headers += [*response.headers, *_cors(environ)]
    if request_id := environ.get("HTTP_POSTHOG_REQUEST_ID"):
        headers.append(("PostHog-Request-Id", request_id))
    if body and not any(name == "Content-Type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
    return [body]


def _respond(environ: Environ, method: str) -> CaptureResponse | Pending:
    path = environ["PATH_INFO"].rstrip("/")
    if path in _V0 and method in {"POST", "GET"}:
        return _v0(environ, method)
    if path in _V1 and method == "POST":
        return _v1(environ)
    if _has_body(environ):
        _drop(environ["wsgi.input"])
    if path in _FLAGS:
        return CaptureResponse(200, NO_FLAGS) if method in {"POST", "GET"} else _not_allowed("POST")
    if document := _document(path, environ):
        return document if method == "GET" else _not_allowed("GET")
    if path in _V0 or path in _V1:
        return _not_allowed("POST" if path in _V1 else "GET, POST")
    return CaptureResponse(404, {"status": 0, "error": "not found"})


def _document(path: str, environ: Environ) -> CaptureResponse | None:
    if is_script_path(path):
        return script(path, accepts_gzip="gzip" in environ.get("HTTP_ACCEPT_ENCODING", ""))
    match = REMOTE_CONFIG_PATH.match(path)
    return remote_config(*match.groups()) if match else None


def _not_allowed(allowed: str) -> CaptureResponse:
    return CaptureResponse(405, {"status": 0, "error": f"use {allowed}"}, (("Allow", allowed),))


def _v0(environ: Environ, method: str) -> CaptureResponse | Pending:
    def accept() -> Pending:
        body = _read(environ)
        query = form_fields(environ.get("QUERY_STRING", ""))
        if method == "GET":
            body = decode_base64(query.get("data", ""))
        else:
            body = unwrap_form(body, content_type=environ.get("CONTENT_TYPE", ""))
        commit = capture.accept(
            Submission(
                body,
                capture.now(),
                _encoding(environ),
                sent_at=_sent_at(query),
                exposes_token=method == "GET" or "HTTP_ORIGIN" in environ,
            )
        )
        return Pending(commit, CaptureResponse(204) if query.get("beacon") == "1" else _ACCEPTED)

    return _guarded(accept)


def _v1(environ: Environ) -> CaptureResponse | Pending:
    scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")

    def accept() -> Pending:
        body = _read(environ)
        if scheme.lower() != "bearer" or not token.strip():
            raise BadToken("Authorization: no Bearer token")
        accepted = capture.accept_each(
            Submission(
                body,
                capture.now(),
                _encoding(environ),
                token=token.strip(),
                sent_at=_request_timestamp(environ),
                sdk=environ.get("HTTP_POSTHOG_SDK_INFO", "")[:200] or "unknown",
                exposes_token="HTTP_ORIGIN" in environ,
            )
        )
        results = {uuid: _result(*result) for uuid, result in accepted.results.items()}
        body = msgspec.json.encode(
            {"results": results}
        )  # now: others wait for the committing thread
        headers = (("Retry-After", str(RETRY_RATE_LIMIT)),) if accepted.is_rate_limited else ()
        return Pending(accepted.commit, CaptureResponse(200, body, headers))

    return _guarded(accept)


def _sent_at(query: Mapping[str, str]) -> datetime | None:
    """Return the time of sending in the address, as posthog-js has it; in seconds it is none."""
    milliseconds = query.get("_", "")
    return parse_sent_at(
        query.get("sent_at") or (milliseconds if len(milliseconds) == 13 else None)
    )


def _result(result: str, details: str) -> dict[str, str]:
    return {"result": result, "details": details} if details else _WITHOUT_DETAILS[result]


def _request_timestamp(environ: Environ) -> Any:
    try:
        return parse_time(environ["HTTP_POSTHOG_REQUEST_TIMESTAMP"], "PostHog-Request-Timestamp")
    except (KeyError, InvalidEvent):
        return None


def _guarded(accept: Callable[[], _Answer]) -> _Answer | CaptureResponse:
    """Return the response to a request, including those that are not accepted."""
    try:
        return accept()
    except _DATABASE_ERRORS as error:
        # Not acknowledged, so the client sends it again; the next request opens a new connection.
        logger.warning("Request not accepted because of a database error: %s", type(error).__name__)
        django.db.connection.close()
        response = _error(503, "the database is unavailable", RETRY_OVERLOAD)
    except capture.Overloaded:
        response = _error(503, "the inbox is full, retry later", RETRY_OVERLOAD)
    except capture.RateLimited:
        response = _error(429, "too many events per second", RETRY_RATE_LIMIT)
    except capture.QuotaExceeded:
        response = _OVER_QUOTA
    except (InvalidEvent, BadToken, capture.UnknownKey, TooLarge) as error:
        status = next(code for kind, code in _CLIENT_ERRORS.items() if isinstance(error, kind))
        response = _error(status, str(error))
    return response


def _error(status: int, text: str, retry_after: int | None = None) -> CaptureResponse:
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return CaptureResponse(status, {"status": 0, "error": text}, headers)


def _encoding(environ: Environ) -> str:
    encoding: str = environ.get("HTTP_CONTENT_ENCODING", "")
    return encoding.strip().lower()


def _read(environ: Environ) -> bytes:
    """Return the body, or raise `TooLarge`."""
    if not _has_body(environ):
        return b""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH") or str(MAX_BODY + 1)
    if not length.isdecimal():
        raise TooLarge
    body: bytes = stream.read(min(int(length), MAX_BODY + 1))
    if len(body) > MAX_BODY:
        del body
        _drop(stream)
        raise TooLarge
    return body


def _has_body(environ: Environ) -> bool:
    chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "")
    return chunked or environ.get("CONTENT_LENGTH", "") not in {"", "0"}


def _drop(stream: Any) -> None:
    """Read the rest of the body: without that, the server would close the connection."""
    dropped = 0
    while dropped < _MAX_DROPPED and (chunk := stream.read(1024 * 1024)):
        dropped += len(chunk)


def _cors(environ: Environ) -> list[tuple[str, str]]:
    """Let pages of any origin send requests, with their cookies, and read the response."""
    origin = environ.get("HTTP_ORIGIN")
    if not origin:
        return []
    headers = [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
        ("Access-Control-Expose-Headers", "Retry-After, PostHog-Request-Id"),
        ("Vary", "Origin"),
    ]
    if environ["REQUEST_METHOD"] == "OPTIONS":
        requested_headers = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "Content-Type")
        headers += [
            ("Access-Control-Allow-Headers", requested_headers),
            ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
            ("Access-Control-Max-Age", "86400"),
        ]
    return headers
