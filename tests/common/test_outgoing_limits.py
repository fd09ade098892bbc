"""S10: a response of another server costs a bounded time and memory, and is not echoed."""

import gzip
import tracemalloc
from contextlib import suppress

import pytest

from common import outgoing
from common.outgoing import BoundedSession, GuardedSession, NoResponse
from tests.outgoing import fails
from tests.raw_server import OK, endless


def huge(head):
    return lambda connection: endless(connection, b"x" * 65536, head=head)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 99999999999\r\n\r\n",
    ],
)
@pytest.mark.parametrize("kind", [GuardedSession, BoundedSession])
def test_s10_a_huge_response_is_not_read(server, own, head, kind):
    server.answer = huge(head)
    with kind() as session, pytest.raises(NoResponse, match=r"^The response is too large\.$"):
        session.get(f"http://127.0.0.1:{server.port}/")


def test_s10_a_compressed_response_is_bounded_by_what_it_expands_to(server, own):
    bomb = gzip.compress(bytes(200_000_000), 1)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    server.answer = lambda connection: connection.sendall(head.encode() + bomb)
    tracemalloc.start()
    problem = fails(f"http://127.0.0.1:{server.port}/")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert problem == "The response is too large."
    assert peak < 8 * outgoing.MAX_BYTES


SLOW = {
    "status line": (b"", b"H"),
    "informational responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers": (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x"),
    "body of unspecified length": (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    "chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "body of a redirect": (b"HTTP/1.1 301 x\r\nLocation: /\r\nContent-Length: 999\r\n\r\n", b"x"),
}


@pytest.mark.parametrize("part", SLOW)
@pytest.mark.parametrize("kind", [GuardedSession, BoundedSession])
def test_s10_a_response_that_drips_ends_in_time(monkeypatch, server, own, part, kind):
    monkeypatch.setattr(outgoing, "SECONDS", 0.3)
    head, drop = SLOW[part]
    server.answer = lambda connection: endless(connection, drop, head=head, wait=0.05)
    session = kind() if kind is GuardedSession else kind(0.3)
    with session, pytest.raises(NoResponse, match=r"^There was no complete response in time\.$"):
        session.get(f"http://127.0.0.1:{server.port}/")


def test_s10_a_tls_handshake_that_stalls_ends_in_time(monkeypatch, server, own):
    monkeypatch.setattr(outgoing, "SECONDS", 0.3)
    problem = fails(f"https://127.0.0.1:{server.port}/")  # the server waits for a line of text
    assert problem == "There was no complete response in time."


def test_s10_a_guarded_session_has_one_deadline_for_all_its_requests(names, monkeypatch):
    monkeypatch.setattr(outgoing, "SECONDS", 0)
    names["*"] = "93.184.216.34"
    assert fails("https://hooks.example.com/") == "There was no complete response in time."
    assert names.looked_up == []


@pytest.mark.parametrize(
    "answer", [b"secret\r\n\r\n", b"HTTP/1.1 500 secret\r\nX: secret\r\n\r\nsecret"]
)
def test_s10_no_problem_has_a_part_of_the_response_or_the_address(names, server, own, answer):
    names["hooks.internal"] = "127.0.0.1"
    server.answer = lambda connection: connection.sendall(answer)
    with GuardedSession() as session, suppress(NoResponse):
        session.get(f"http://hooks.internal:{server.port}/")
    assert len(server.heads) == 1
    assert session.problem in {
        "The service responded with 500.",
        "There is no connection.",
        "The response is not valid HTTP.",
    }


def test_s10_a_bounded_session_keeps_its_connection(server):
    server.answer = lambda connection: (
        [connection.sendall(OK), connection.recv(999)] and (connection.sendall(OK))
    )
    with BoundedSession() as session:
        for _ in range(2):
            assert session.get(f"http://127.0.0.1:{server.port}/").text == "ok"
    assert len(server.heads) == 1
