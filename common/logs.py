"""The log lines of every process: what happened and where, without what people typed.

Some texts cannot be searched for personal data (a name, a distinct id), so lines are composed of
what cannot hold any: a request is its method, view and status; an error is its kind and its place
in the code; an argument is a number or a short text. What remains is redacted by patterns.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from http import client as http
from types import TracebackType
from typing import Any
from uuid import UUID

import django.db
import psycopg
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from common.calculations.redaction import OMITTED, redact

logger = logging.getLogger(__name__)

_MOST_FRAMES = 60  # of a traceback, the innermost
_PLAIN = (str, int, float, Decimal, date, timedelta, UUID, type(None))
# Arguments by name, which Celery and the web server's access log use.
_NAMED = frozenset("id name runtime description method status protocol scheme time dt_ms".split())
# Errors whose first line speaks of code and servers. Other errors quote values: Key (email)=(...).
_ABOUT_THE_SYSTEM = (
    *(AttributeError, ImportError, NameError, NotImplementedError, ImproperlyConfigured),
    *(django.db.OperationalError, django.db.ProgrammingError),
    *(psycopg.OperationalError, psycopg.ProgrammingError),
)


class RedactingFormatter(logging.Formatter):
    """Formats every record in such a way. It does not raise: logging would print the values."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {_message(record)}"
        error = record.exc_info[1] if record.exc_info else None
        is_refusal = getattr(record, "status_code", 500) < 500  # the client's error, not ours
        return line if error is None or is_refusal else f"{line}\n{_traceback_of(error)}"


def described(error: BaseException) -> str:
    """Write an error's kind, and its message only where that cannot quote anybody."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    text = ""
    if isinstance(error, _ABOUT_THE_SYSTEM):
        text = redact(str(error).strip().partition("\n")[0])
    elif isinstance(error, OSError) and error.strerror:
        text = redact(str(error.strerror))
    elif constraint := getattr(getattr(error, "diag", None), "constraint_name", None):
        text = f"constraint {constraint}"
    return f"{name}: {text}" if text else name


def log_uncaught() -> None:
    """Have errors that end a process or a thread logged like all others, not printed."""
    sys.excepthook = _log_end_of_process
    threading.excepthook = _log_end_of_thread


def _log_end_of_process(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logger.critical("Uncaught error", exc_info=error)


def _log_end_of_thread(event: threading.ExceptHookArgs) -> None:
    if not issubclass(event.exc_type, SystemExit):
        logger.critical("Uncaught error in a thread", exc_info=event.exc_value)


def _message(record: logging.LogRecord) -> str:
    request = getattr(record, "request", None)
    if isinstance(request, HttpRequest):
        return _about_request(request, getattr(record, "status_code", 0))
    text = str(_plain(record.msg))
    with suppress(TypeError, ValueError, KeyError):  # arguments that do not fit are omitted
        text = text % _plain_arguments(record.args) if record.args else text
    return redact(text.strip().partition("\n")[0])


def _about_request(request: HttpRequest, status: int) -> str:
    match = request.resolver_match
    view = match.view_name if match else "(no view)"
    return f"{status} {http.responses.get(status, '')}: {request.method} {view}"


def _plain_arguments(arguments: Any) -> Any:
    if isinstance(arguments, Mapping):
        return {
            name: _plain(value) if name in _NAMED else OMITTED for name, value in arguments.items()
        }
    return tuple(map(_plain, arguments))


def _plain(value: object) -> object:
    """Return an argument that may be written: not a container, model or body."""
    if isinstance(value, BaseException):
        return described(value)
    return value if isinstance(value, _PLAIN) else f"<{type(value).__name__}>"


def _traceback_of(error: BaseException) -> str:
    """Write where an error and its causes were raised, outermost cause first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and not any(current is other for other in chain):
        chain.append(current)
        current = current.__cause__ or (
            None if current.__suppress_context__ else current.__context__
        )
    lines = []
    for cause in reversed(chain):
        lines += ["Traceback (most recent call last):\n"]
        lines += traceback.format_tb(cause.__traceback__, limit=-_MOST_FRAMES)
        lines += [described(cause), "\n"]
    return "".join(lines).rstrip()
