"""The HTTP server, with a thread per connection."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from devstack.fake_stripe.answers import Answers


class HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # connections waiting to be accepted

    def __init__(self, address: tuple[str, int], answers: Answers) -> None:
        super().__init__(address, _Handler)
        self.answers = answers

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnected."""


class _Handler(BaseHTTPRequestHandler):
    server: HttpServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        answers = self.server.answers
        if page := answers.page(self.command, self.path, body):
            status, text = page
            moved = {"Location": text} if status == 303 else {}
            self._send(status, "" if moved else text, "text/html; charset=utf-8", moved)
            return
        status, answer, again = answers.json(self.command, self.path, self.headers, body)
        headers = {"Idempotent-Replayed": "true"} if again else {}
        self._send(status, json.dumps(answer, indent=2), "application/json", headers)

    do_GET = do_POST = do_DELETE = _respond  # noqa: N815

    def _send(self, status: int, text: str, kind: str, headers: dict[str, str]) -> None:
        body = text.encode()
        self.send_response(status)
        all_headers = {"Content-Type": kind, "Content-Length": str(len(body)), **headers}
        for name, value in all_headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
