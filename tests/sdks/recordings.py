"""The recordings of what SDKs send, and what each of their requests has to bring about.

The senders' clocks are made to be `SLOW`, so that it shows which times are corrected.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests import sdk
from tests.sdks.recorded_bodies import plain_text, sent_body

SLOW = timedelta(hours=26)  # behind our clock
FILES = sorted((Path(__file__).parent / "recorded").glob("*.json"))
RECORDINGS = {path.stem: json.loads(path.read_text()) for path in FILES}


def environ_of(request):
    """Return WSGI's variables of the headers."""
    headers = request["headers"].items()
    environ = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers}
    return environ | ({"CONTENT_LENGTH": ""} if "HTTP_TRANSFER_ENCODING" in environ else {})


def send(request):
    environ = environ_of(request)
    content_type = environ.pop("HTTP_CONTENT_TYPE", "")
    body = sent_body(request)
    return sdk.request(request["method"], request["path"], body, content_type, **environ)


def received_at(request):
    return datetime.fromisoformat(request["received_at"]) + SLOW


def is_capture(request):
    path = urlsplit(request["path"]).path
    return request["method"] == "POST" and not path.startswith(("/flags", "/decide"))


def events_in(request):
    """Return the events as sent: each body is a batch, an array or a single event."""
    if not is_capture(request):
        return []
    body = json.loads(plain_text(request))
    events = body.get("batch", [body]) if isinstance(body, dict) else body
    return [event for event in events if isinstance(event, dict)]


def time_sent(request, source):
    """Return the time of sending by the sender's clock, where the SDK says it."""
    query = parse_qs(urlsplit(request["path"]).query)
    if source == "url":
        return datetime.fromtimestamp(int(query["_"][0]) / 1000, UTC)
    text = {
        "body": lambda: json.loads(plain_text(request))["sent_at"],
        "header": lambda: environ_of(request)["HTTP_POSTHOG_REQUEST_TIMESTAMP"],
    }[source]()
    return datetime.fromisoformat(text)


def happened_at(event, request, expected):
    """Return when an event happened by our clock."""
    if "offset" in event:
        return received_at(request) - timedelta(milliseconds=event["offset"])
    text = expected.get("times", {}).get(event.get("timestamp"), event.get("timestamp"))
    if text is None:
        return received_at(request)
    time = datetime.fromisoformat(text)
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    source = expected.get("sent_at", {}).get(urlsplit(request["path"]).path)
    if event.get("options", {}).get("disable_skew_correction"):
        return time
    return time + (received_at(request) - time_sent(request, source) if source else timedelta())


def answer_to(request):
    """Return the status and the answer that an SDK needs to see the request as done."""
    path, _, query = request["path"].partition("?")
    if path.startswith("/i/v1/"):
        return 200, {"results": {event["uuid"]: {"result": "ok"} for event in events_in(request)}}
    if "beacon=1" in query:
        return 204, None
    return 200, {"status": 1}
