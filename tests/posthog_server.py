"""A small PostHog server that accepts batches or returns the response a test asks for."""

import gzip
import json
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from analytics.ingestion import ingest

Event = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]

OK: Answer = (200, {}, b'{"status":"Ok"}')


class PostHog(ThreadingHTTPServer):
    """Keeps the batches it accepts, oldest first; `answer` returns the response to a batch."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.requests: list[dict[str, Any]] = []
        self.taken: list[list[Event]] = []
        self.answer: Callable[[list[Event]], Answer] = lambda _: OK

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.taken for event in batch]

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events]

    def handle_error(self, *_: Any) -> None:
        """Log nothing: tests kill clients or let them give up."""


class _Handler(BaseHTTPRequestHandler):
    server: PostHog

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        request = json.loads(body)
        self.server.requests.append(request | {"path": self.path})
        status, headers, answer = self.server.answer(request["batch"])
        if status == 200:
            self.server.taken.append(request["batch"])
        self._answer(status, headers, answer)

    def do_GET(self) -> None:
        self._answer(*OK)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def listening():
    """Run a PostHog server during the block."""
    with PostHog() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def refusing(*bad, status=400):
    """Refuse every batch that contains any of these events."""
    return lambda events: (
        (status, {}, b"bad event") if {event["event"] for event in events} & set(bad) else OK
    )


def answering(status, body=b"no", **headers):
    return lambda _: (
        status,
        {name.replace("_", "-"): value for name, value in headers.items()},
        body,
    )


def captured(*records, batch=None):
    """Store events as ingest does, `batch` of them in each transaction (default: one)."""
    for start in range(0, len(records), batch or 1):
        ingest.store(records[start : start + (batch or 1)], forward=True)
