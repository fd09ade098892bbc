"""The front door answers any request, and everything it acknowledges is accounted for."""

import io
import os
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from django.core.management import call_command

from analytics.models import Event, Person, RejectedEvent
from analytics.rollups import rebuild
from devstack.processes import command_line
from tests import ledger, sdk
from tests.faults.odd_requests import OddRequest, odd_requests
from tests.processes import fork, wait
from tests.sdks.servers import web

pytestmark = pytest.mark.django_db(transaction=True)

ANSWERS = {200, 204, 400, 401, 404, 405, 413}


def test_no_body_makes_the_front_door_or_ingest_fail():
    assert send_odd_requests(3_000, seed=1) == ANSWERS
    ingest_everything()
    assert_everything_is_accounted_for()


@pytest.mark.slow
def test_a_hundred_thousand_bodies_make_nothing_fail():
    sdk.key()  # or both processes would create it
    halves = [fork(partial(send_half, seed)) for seed in (2, 3)]
    assert [wait(pid) for pid in halves] == [0, 0]
    ingest_everything()
    assert_everything_is_accounted_for()


def send_half(seed):
    before = memory(os.getpid(), "VmRSS")
    assert send_odd_requests(50_000, seed=seed) == ANSWERS
    assert memory(os.getpid(), "VmRSS") - before < 150


def test_no_body_ends_a_web_process_or_fills_its_memory():
    others = web_servers()
    with (
        web() as address,
        closing(HTTPConnection(urlsplit(address).netloc, timeout=60)) as connection,
    ):
        (server,) = web_servers() - others
        processes = {server, *children(server)}
        send = over_http(connection)
        assert set(map(send, odd_requests(sdk.key(), 2_000, seed=3))) == ANSWERS
        assert {server, *children(server)} == processes
        assert max(memory(pid, "VmHWM") for pid in processes) < 400
    ingest_everything()
    assert_everything_is_accounted_for()


def send_odd_requests(number, *, seed):
    """Send requests to the front door in this process; return the statuses of its responses."""
    from config.wsgi import application  # noqa: PLC0415  (once Django is set up)

    return {
        in_process(application, request) for request in odd_requests(sdk.key(), number, seed=seed)
    }


def in_process(application, request: OddRequest) -> int:
    environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.input": io.BytesIO(request.body),
        **request.headers,
    }
    statuses: list[str] = []
    assert b"".join(application(environ, lambda status, _: statuses.append(status))) is not None
    status = int(statuses[0].split()[0])
    assert status in ANSWERS, request
    return status


def over_http(connection):
    """Return a function that sends a request over an open connection and returns the status."""

    def send(request: OddRequest) -> int:
        path = f"{quote(request.path)}?{request.query}"
        headers = {
            name.removeprefix("HTTP_").replace("_", "-"): value.strip()
            for name, value in request.headers.items()
        }
        connection.request(request.method, path, request.body, headers)
        response = connection.getresponse()
        response.read()
        assert response.status in ANSWERS, request
        return response.status

    return send


def ingest_everything():
    """Run the command, which can read all that the front door could."""
    call_command("ingest", once=True)


def assert_everything_is_accounted_for():
    """The ledger adds up, the counters equal rebuilt ones, and all stored rows can be read."""
    totals = ledger.totals()
    stored, rejected = Event.objects.count(), RejectedEvent.objects.count()
    assert (totals["stored"], totals["rejected"] + totals["refused"]) == (stored, rejected)
    assert totals["accepted"] == stored + totals["duplicate"] + totals["rejected"]
    assert min(stored, totals["duplicate"], totals["rejected"], totals["refused"]) > 0
    assert rebuild.check() == []
    for model in (Event, Person):
        assert all(isinstance(row.properties, dict) for row in model.objects.iterator())


def memory(pid: int, name: str) -> float:
    """Return a memory figure of a process from /proc, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def web_servers() -> set[int]:
    """Return the ids of the web servers that this process started."""
    return {pid for pid in children(os.getpid()) if "-m web " in command_line(pid)}


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]
