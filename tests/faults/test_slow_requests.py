"""Requests that stay incomplete cost others nothing, at every address of Plumbline (S04)."""

from contextlib import ExitStack
from urllib.request import Request, urlopen

import pytest

from billing.api.stripe_webhook import WEBHOOK_ID
from tests import sdk
from tests.processes import environment
from tests.web import clients

PATHS = [
    "batch/",
    "i/v1/analytics/events",
    "api/analytics/persons",
    "admin/login/",
    f"api/billing/stripe/webhook/{WEBHOOK_ID}",
]
SLOW = 60  # connections, thirty for each thread


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_s04_slow_requests_leave_capture_pages_and_probes_served():
    body = b'{"api_key": "%b", "event": "used", "distinct_id": "ada"}' % sdk.key().encode()
    deadlines = {"head_seconds": 5, "grace_seconds": 5, "body_seconds": 10}
    with (
        clients.server("config.wsgi:application", env=environment(), **deadlines) as port,
        ExitStack() as stack,
    ):
        slow = [stack.enter_context(clients.connect(port, part(index))) for index in range(SLOW)]
        captured = Request(f"http://127.0.0.1:{port}/batch/", body)
        with urlopen(captured, timeout=clients.TIMEOUT) as answer:
            assert answer.status == 200
        for path in ("/livez", "/readyz", "/admin/login/"):
            assert clients.get(port, path).status == 200
        assert [clients.status(clients.answers(connection)) for connection in slow] == SLOW * [408]


def part(index):
    """Return the beginning of a request: its head, or that and a byte."""
    path = PATHS[index % len(PATHS)]
    head = f"POST /{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
    return head.encode() + b"{"[: index % 2]
