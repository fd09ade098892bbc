"""The minimal cost of a durable acknowledgement: a prepared statement that stores the body."""

import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

TABLE = """
CREATE TABLE IF NOT EXISTS floor (id bigserial PRIMARY KEY, body bytea NOT NULL);
ALTER TABLE floor ALTER body SET STORAGE EXTERNAL
"""

_INSERT = "INSERT INTO floor (body) VALUES ($1)"
_thread = threading.local()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Store the body of a POST and respond as PostHog does."""
    if environ["REQUEST_METHOD"] == "POST":
        body = environ["wsgi.input"].read()
        _cursor().execute(_INSERT, [body], prepare=True, binary=True)
    answer = b'{"status":1}'
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
    start_response("200 OK", headers)
    return [answer]


def _cursor() -> psycopg.RawCursor:
    try:
        cursor: psycopg.RawCursor = _thread.cursor
    except AttributeError:
        connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        cursor = _thread.cursor = psycopg.RawCursor(connection)
    return cursor
