"""Record what an SDK sends: `python -m tests.sdks.record FILE --replace FROM=TO`, then run the SDK.

The address that it prints answers as Plumbline does. Ctrl-C writes the requests to the file, for
`test_recorded.py`. See CONTRIBUTING.md.
"""

import argparse
import json
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from analytics.calculations.compression import decompress
from analytics.capture.remote_config import NO_FLAGS, REMOTE_CONFIG_PATH, remote_config
from tests.sdks.recorded_bodies import stored_body

KEY = "phc_recorded"

# What a server in front of ours would see anyway, or what says where the recording was made.
_DROPPED_HEADERS = {"host", "connection", "content-length", "cookie", "referer", "keep-alive"}


class Recorder:
    """A server that keeps the requests it answers. `replacements` take texts out of bodies."""

    def __init__(
        self, *, script: Path | None = None, replacements: Sequence[tuple[str, str]] = ()
    ) -> None:
        self.requests: list[dict[str, Any]] = []
        self.script, self.replacements = script, replacements
        self.pages: dict[str, bytes] = {}
        handler = type("Handler", (_Handler,), {"recorder": self})
        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._listener.server_port}"

    def __enter__(self) -> "Recorder":
        threading.Thread(target=self._listener.serve_forever, args=(0.01,)).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    def keep(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _DROPPED_HEADERS
            and not name.lower().startswith(("accept", "sec-"))
        }
        kept = {"case": "", "method": request.command, "path": request.path, "headers": headers}
        kept["received_at"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        kept |= stored_body(body, headers.get("Content-Encoding", ""), self.replacements)
        self.requests.append(kept)

    def answer(self, path: str, body: bytes, encoding: str) -> tuple[str, bytes]:
        """Return the content type and body of the response."""
        if path in self.pages:
            return "text/html", self.pages[path]
        path = path.rstrip("/")
        if path.endswith("/array.js") and self.script:
            return "text/javascript", self.script.read_bytes()
        if match := REMOTE_CONFIG_PATH.match(path):
            config = remote_config(*match.groups())
            if isinstance(config.body, bytes):
                return "application/javascript", config.body
            return "application/json", json.dumps(config.body).encode()
        if path in {"/flags", "/decide"}:
            return "application/json", json.dumps(NO_FLAGS).encode()
        if path.startswith("/i/v1/") and path.endswith("/events"):
            events = json.loads(decompress(body, encoding=encoding))["batch"]
            results = {event["uuid"]: {"result": "ok"} for event in events}
            return "application/json", json.dumps({"results": results}).encode()
        return "application/json", b'{"status":1}'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    recorder: Recorder

    def _respond(self) -> None:
        body, encoding = self._body(), self.headers.get("Content-Encoding", "")
        path = urlsplit(self.path).path
        is_page = path in self.recorder.pages or path == "/favicon.ico"
        if self.command != "OPTIONS" and not is_page:
            self.recorder.keep(self, body)
        content_type, answer = self.recorder.answer(path, body, encoding)
        self.send_response_only(200)
        origin = self.headers.get("Origin", "*")
        allowed = self.headers.get("Access-Control-Request-Headers", "content-type")
        self.send_header("Access-Control-Allow-Origin", origin)
        self.send_header("Access-Control-Allow-Credentials", "true")
        self.send_header("Access-Control-Allow-Headers", allowed)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_OPTIONS = _respond  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, *_: object) -> None:
        """Stay silent."""


def write(path: Path, sdk: str, version: str, requests: Sequence[dict[str, Any]]) -> None:
    """Write a recording; what has to come of it is then added by hand."""
    recording: dict[str, Any] = {"sdk": sdk, "lib": sdk, "version": version, "obtained": "recorded"}
    recording |= {"expected": {"": {"events": [], "persons": []}}, "requests": requests}
    path.write_text(json.dumps(recording, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="such as tests/sdks/recorded/posthog-go-1.11.json")
    parser.add_argument("--replace", action="append", default=[], metavar="FROM=TO")
    parser.add_argument("--script", type=Path, help="posthog-js's array.js, for the HTML snippet")
    arguments = parser.parse_args()
    replacements = [tuple(text.split("=", 1)) for text in arguments.replace]
    with Recorder(script=arguments.script, replacements=replacements) as recorder:
        sys.stdout.write(f"Point the SDK at {recorder.url}, key {KEY}. Ctrl-C writes the file.\n")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            sdk, _, version = arguments.file.stem.rpartition("-")
            write(arguments.file, sdk, version, recorder.requests)


if __name__ == "__main__":
    main()
