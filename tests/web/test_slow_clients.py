"""Clients that are slow on purpose hold no thread, and are closed (S04)."""

import os
import signal
import socket
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from analytics.calculations.records import MAX_BODY
from tests.processes import wait_until
from tests.web import clients
from tests.web.clients import answers, connect, get, is_served, status
from web.limits import Limits

HEAD = b"POST /%b HTTP/1.1\r\nHost: a\r\n"
BODY = b"Content-Length: 1000\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


@contextmanager
def many(port, number, data):
    """Hold connections on which these bytes were sent."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(port, data)) for _ in range(number)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (HEAD % b"" + BODY + b"{", 408),
        (HEAD % b"" + BODY, 408),
        (HEAD % b"" + CHUNKED + b"1\r\n{\r\n", 408),
        (HEAD % b"", 408),
        (b"P", 408),
        (b"", 0),
    ],
)
def test_s04_a_request_that_does_not_arrive_is_given_up(port, data, expected):
    assert status(clients.exchange(port, data)) == expected


@pytest.mark.parametrize(
    ("data", "piece"),
    [(HEAD % b"" + BODY, b"x"), (HEAD % b"" + CHUNKED, b"1\r\nx\r\n"), (HEAD % b"" + b"X: ", b"x")],
)
def test_s04_a_byte_now_and_then_is_too_slow(port, data, piece):
    with connect(port, data) as connection:
        connection.settimeout(0.1)
        deadline = time.monotonic() + clients.TIMEOUT
        while not (answer := _received(connection)):
            assert time.monotonic() < deadline
            connection.send(piece)
    assert status(answer) == 408


def _received(connection):
    try:
        return connection.recv(1000)
    except TimeoutError:
        return b""


def test_s04_more_slow_clients_than_threads_leave_others_served(port):
    with many(port, 100, HEAD % b"" + BODY + b"{") as slow:
        started = time.monotonic()
        assert get(port, "/").status == 200
        assert time.monotonic() - started < 0.9  # before the slow ones are closed
        assert {status(answers(connection)) for connection in slow} == {408}


def test_s04_a_client_that_does_not_read_is_closed(port):
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(clients.TIMEOUT)
        connection.connect(("127.0.0.1", port))
        connection.sendall(b"GET /large?kB=20000 HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_until(lambda: _is_reset(connection))


def _is_reset(connection):
    """Return whether the server gave the connection up, without reading from it."""
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def test_s04_probes_are_answered_while_all_threads_are_busy():
    busy = b"GET /busy HTTP/1.1\r\nHost: a\r\n\r\n"
    with clients.server(threads=2) as port, many(port, 10, busy):
        assert get(port, "/livez").text == b"ok"
        assert get(port, "/readyz").status == 200


def test_s04_the_oldest_waiting_connection_of_an_address_makes_room():
    with clients.server(waiting_per_address=5) as port, many(port, 6, HEAD % b"" + BODY) as slow:
        assert status(answers(slow[0])) == 503
        assert is_open(slow[1])
        assert is_served(port)


def test_s04_connections_through_a_proxy_count_for_its_clients():
    head = HEAD % b"" + b"X-Forwarded-For: %b\r\n" + BODY
    with clients.server(waiting_per_address=2) as port, ExitStack() as stack:
        names = (b"a", b"b", b"c", b"d", b"a", b"a")
        first, *others = (stack.enter_context(connect(port, head % name)) for name in names)
        assert status(answers(first)) == 503
        assert all(map(is_open, others))


def is_open(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True


@pytest.mark.slow
def test_s04_bodies_that_do_not_end_take_a_bounded_memory():
    size = 19 * 1024 * 1024
    head = HEAD % b"" + b"Content-Length: 20000000\r\n\r\n"
    with clients.server() as port, ExitStack() as stack:
        process = get(port, "/process").text.decode()
        before = _peak(process)
        for _ in range(30):
            connection = stack.enter_context(connect(port, head))
            with suppress(ConnectionError):  # it was the largest
                connection.sendall(size * b"x")
        assert _peak(process) - before < 1.3 * Limits().memory
        assert is_served(port)


def _peak(process):
    """Return the most memory that a process has had, in bytes."""
    status_of = Path(f"/proc/{process}/status").read_text()
    return 1024 * int(status_of.split("VmHWM:")[1].split()[0])


def test_s04_a_body_beyond_the_largest_is_cut_for_the_application_and_refused_at_the_end():
    assert Limits().body_size == MAX_BODY + 1  # the application sees that it is too large


def test_o20_processes_that_are_killed_again_and_again_are_replaced_while_others_go_on():
    with clients.server(processes=2) as port:
        wait_until(lambda: len(processes(port)) == 2)
        parents = set()
        for _ in range(4):
            killed, other = first = processes(port)
            parents |= {parent(killed), parent(other)}
            os.kill(killed, signal.SIGKILL)
            assert other in processes(port)
            wait_for_others(port, first, 1)
        assert len(parents) == 1  # the server never ended as a whole


def test_o20_a_server_whose_processes_are_all_killed_is_back_at_once():
    with clients.server(processes=2) as port:
        wait_until(lambda: len(processes(port)) == 2)
        first = processes(port)
        for process in first:
            os.kill(process, signal.SIGKILL)
        wait_for_others(port, first, 2)


def wait_for_others(port, former, number):
    wait_until(lambda: len(processes(port) - former) == number)


def parent(process):
    return Path(f"/proc/{process}/status").read_text().split("PPid:")[1].split()[0]


def processes(port):
    """Return the ids of those that answer."""
    answered = set()
    for _ in range(30):
        with suppress(OSError):  # one on its way to a process that is killed is lost
            answered.add(int(get(port, "/process").text))
    return answered
