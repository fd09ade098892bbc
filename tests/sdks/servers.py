"""Plumbline's real web server, and a proxy in front of it that fails on request."""

import http.client
import socket
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from devstack.up import web_command
from tests.processes import ROOT, environment, wait_until

LOCAL = "127.0.0.1"
LOST = "lost"  # the request arrives, its response does not


@contextmanager
def web(**variables: str) -> Iterator[str]:
    """Run the web server with the test database and yield its address."""
    with socket.create_server((LOCAL, 0)) as listener:
        port = listener.getsockname()[1]
    process = subprocess.Popen(
        web_command(LOCAL, port),
        cwd=ROOT,
        env=environment() | {"PLUMBLINE_LOG_LEVEL": "WARNING"} | variables,
    )
    try:
        wait_until(lambda: process.poll() is not None or _answers(port))
        yield f"http://{LOCAL}:{port}"
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(LOCAL, port, timeout=10)
    try:
        connection.request("GET", "/flags")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class FaultyProxy:
    """Forwards requests; each request with events takes the next of `faults`, while there are any.

    A fault is a status to return, or `LOST`. A stopped proxy refuses connections.
    """

    def __init__(self, server: str) -> None:
        self.server = urlsplit(server).netloc
        self.faults: deque[int | str] = deque()
        self.captures = 0  # requests with events, failed ones too
        self._port = 0
        self._listener: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://{LOCAL}:{self._port}"

    def start(self) -> None:
        if self._listener is None:
            handler = type("Handler", (_Handler,), {"proxy": self})
            self._listener = ThreadingHTTPServer((LOCAL, self._port), handler)
            self._port = self._listener.server_port
            threading.Thread(target=self._listener.serve_forever, args=(0.01,)).start()

    def stop(self) -> None:
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultyProxy

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault: int | str | None = None
        if self.command == "POST" and not self.path.startswith("/flags"):
            self.proxy.captures += 1
            fault = self.proxy.faults.popleft() if self.proxy.faults else None
        if isinstance(fault, int):
            self._answer(fault, [("Retry-After", "2"), *self._any_origin()], b"{}")
            return
        connection = http.client.HTTPConnection(self.proxy.server)
        connection.request(self.command, self.path, body, dict(self.headers))
        response = connection.getresponse()
        content = response.read()
        connection.close()
        if fault != LOST:
            self._answer(response.status, response.getheaders(), content)

    do_GET = do_POST = do_OPTIONS = _forward  # noqa: N815

    def _any_origin(self) -> list[tuple[str, str]]:
        return [
            ("Access-Control-Allow-Origin", self.headers.get("Origin", "*")),
            ("Access-Control-Allow-Credentials", "true"),
        ]

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Pages:
    """A server of a few pages at `localhost`, a different origin from `LOCAL`."""

    def __init__(self, port: int) -> None:
        self.url = f"http://localhost:{port}"
        self.files: dict[str, tuple[str, bytes]] = {}

    def add(self, path: str, text: str, content_type: str = "text/html") -> None:
        self.files[path] = (content_type, text.encode())


@contextmanager
def pages() -> Iterator[Pages]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content_type, body = served.files.get(self.path, ("text/plain", b""))
            self.send_response_only(200)
            self.send_header("Content-Type", f"{content_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with ThreadingHTTPServer(("localhost", 0), Handler) as listener:
        served = Pages(listener.server_port)
        threading.Thread(target=listener.serve_forever, args=(0.01,)).start()
        yield served
        listener.shutdown()
