"""A load generator that is cheap: one process, keep-alive sockets, requests made beforehand."""

import multiprocessing
import selectors
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import cycle
from time import perf_counter
from typing import NamedTuple

CONNECTIONS = 32  # four for each thread of the server, so that none of them waits for us
_TIMEOUT = 60  # seconds without an answer


@contextmanager
def generator() -> Iterator[Executor]:
    """Give a process of its own to send from."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        yield executor


class Done(NamedTuple):
    """What was sent and answered, and when, by `perf_counter`, which all processes share."""

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
    """Send the requests over and over, as fast as they are answered."""
    return _drive(port, cycle(requests), seconds)


def send_all(port: int, requests: Sequence[bytes]) -> Done:
    """Send each of the requests once, as fast as they are answered."""
    return _drive(port, iter(requests), float("inf"))


def _drive(port: int, requests: Iterator[bytes], seconds: float) -> Done:
    selector = selectors.DefaultSelector()
    connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    start, answered = perf_counter(), 0
    for connection in connections:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if (first := next(requests, None)) is not None:
            connection.sendall(first)
            selector.register(connection, selectors.EVENT_READ)
    while selector.get_map():
        ready = selector.select(_TIMEOUT)
        if not ready:
            raise TimeoutError("no answer")
        goes_on = perf_counter() - start < seconds
        for key, _ in ready:
            _check(key.fileobj.recv(65536))
            answered += 1
            following = next(requests, None) if goes_on else None
            if following is None:
                selector.unregister(key.fileobj)
            else:
                key.fileobj.sendall(following)
    ended = perf_counter()
    for connection in connections:
        connection.close()
    return Done(answered, start, ended)


def _check(answer: bytes) -> None:
    """Refuse all but a 2xx that came whole: these answers are so short that they come at once."""
    if not answer.startswith(b"HTTP/1.1 20"):
        raise RuntimeError(answer.decode(errors="replace") or "the connection was closed")
