"""Call the capture endpoints as an SDK does, through the WSGI entry point."""

import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.test import RequestFactory

from analytics.capture import capture
from analytics.ingestion.inbox import Inbox


@dataclass
class Answer:
    status_code: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


def request(method: str, path: str, body: Any = b"", content_type="application/json", **environ):
    """Return the response to a request; `environ` uses WSGI's names, such as HTTP_ORIGIN."""
    from config.wsgi import application  # noqa: PLC0415  (sets Django up)

    if not isinstance(body, bytes | str):
        body = json.dumps(body)
    wsgi_request = RequestFactory().generic(method, path, body, content_type, **environ)
    wsgi_request.environ["wsgi.input"] = BytesIO(body.encode() if isinstance(body, str) else body)
    started: list[Any] = []
    chunks = application(wsgi_request.environ, lambda *args: started.append(args))
    assert chunks is not None
    ((status, headers),) = started
    return Answer(int(status.split()[0]), dict(headers), b"".join(chunks))


def post(path: str, body: Any, content_type="application/json", **environ) -> Answer:
    return request("POST", path, body, content_type, **environ)


def key() -> str:
    """Return the token of the default project key."""
    return capture.ensure_default_project_key().token


def server_key(name: str = "Backend") -> str:
    """Return the token of a new server key."""
    return capture.new_server_key(name)[1]


def ingest() -> None:
    """Store everything that was acknowledged."""
    inbox = Inbox()
    while inbox.process_batch():
        pass
