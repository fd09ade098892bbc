"""A cheap load generator: one process, keep-alive sockets, prepared requests."""

import multiprocessing
import selectors
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from time import perf_counter, sleep
from typing import NamedTuple

CONNECTIONS = 32  # four per thread of the server, so that none waits for us
_SENDERS = 16  # at a fixed rate
_TIMEOUT = 60  # seconds without a response


@contextmanager
def generator() -> Iterator[Executor]:
    """Return a separate process to send from."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        yield executor


class Done(NamedTuple):
    """What was sent and answered, and when, by `perf_counter`, the same in all processes."""

    requests: int
    started: float
    ended: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / (self.ended - self.started)


def request(body: bytes, *, path: str = "/batch/", compressed: bool = False) -> bytes:
    """Return an HTTP request as it goes over the wire."""
    encoding = b"Content-Encoding: gzip\r\n" if compressed else b""
    return (
        b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%b"
        b"Content-Length: %d\r\n\r\n%b" % (path.encode(), encoding, len(body), body)
    )


def keep_sending(port: int, requests: Sequence[bytes], seconds: float) -> Done:
    """Send the requests repeatedly, as fast as they are answered."""
    return _drive(port, cycle(requests), seconds)


def send_all(port: int, requests: Sequence[bytes]) -> Done:
    """Send each of the requests once, as fast as they are answered."""
    return _drive(port, iter(requests), float("inf"))


def send_evenly(port: int, requests: Sequence[bytes], per_second: float) -> list[float]:
    """Send each of the requests at its time; return when they were answered (`perf_counter`)."""
    start, answered_at = perf_counter(), [0.0] * len(requests)

    def send_some(first: int) -> None:
        with socket.create_connection(("127.0.0.1", port), _TIMEOUT) as connection:
            for index in range(first, len(requests), _SENDERS):
                sleep(max(0.0, start + index / per_second - perf_counter()))
                connection.sendall(requests[index])
                answer = bytearray()
                while not answer or not _is_whole(answer):
                    answer += connection.recv(65536)
                answered_at[index] = perf_counter()

    with ThreadPoolExecutor(_SENDERS) as threads:
        list(threads.map(send_some, range(_SENDERS)))
    return answered_at


def _drive(port: int, requests: Iterator[bytes], seconds: float) -> Done:
    selector = selectors.DefaultSelector()
    start, answered = perf_counter(), 0
    for first in islice(requests, CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(first)
        selector.register(connection, selectors.EVENT_READ, bytearray())
    while selector.get_map():
        ready = selector.select(_TIMEOUT)
        if not ready:
            raise TimeoutError("no answer")
        is_in_time = perf_counter() - start < seconds
        for key, _ in ready:
            connection, answer = key.fileobj, key.data
            answer += connection.recv(65536)
            if not _is_whole(answer):
                continue
            answered += 1
            answer.clear()
            following = next(requests, None) if is_in_time else None
            if following is None:
                selector.unregister(connection)
                connection.close()
            else:
                connection.sendall(following)
    return Done(answered, start, perf_counter())


def _is_whole(answer: bytearray) -> bool:
    """Return whether a response is complete; raise if it is not an acknowledgement."""
    if not answer.startswith(b"HTTP/1.1 20"):
        raise RuntimeError(answer.decode(errors="replace") or "the connection was closed")
    head, end, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(end) and len(body) >= int(length)
