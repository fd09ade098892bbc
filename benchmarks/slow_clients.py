"""Clients that hold connections by being slow, from one address, run in a separate process."""

import socket
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter, sleep
from typing import NamedTuple

_STEP = 1.0  # seconds between two bytes of a client that sends some
_WEBHOOK = b"/api/billing/stripe/webhook/6f1d3c0a-5b7e-4f57-9c1e-7f0c1d2b3a45"

_HEAD = (
    b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n"
)
_CHUNKED = (
    b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


class Kind(NamedTuple):
    """What a slow client sends at first, and then every second."""

    first: bytes
    then: bytes


KINDS = {
    "one byte of a body": Kind(_HEAD % b"/batch/" + b"{", b""),
    "a byte a second, to the API": Kind(_HEAD % b"/api/analytics/persons" + b"{", b"x"),
    "a byte a second, to the log-in": Kind(_HEAD % b"/admin/login/" + b"{", b"x"),
    "a byte a second, to Stripe's webhook": Kind(_HEAD % _WEBHOOK + b"{", b"x"),
    "chunks of a byte": Kind(_CHUNKED % b"/batch/", b"1\r\nx\r\n"),
    "no body": Kind(_HEAD % b"/batch/", b""),
    "half a head": Kind(b"POST /batch/ HTTP/1.1\r\nX-Slow: ", b"x"),
    "nothing": Kind(b"", b""),
}


class Held(NamedTuple):
    """How many connections were closed, and after how many seconds each of them."""

    opened: int
    closed_after: list[float]

    def __str__(self) -> str:
        if not self.closed_after:
            return f"none of {self.opened} closed"
        return (
            f"{len(self.closed_after)} of {self.opened} closed,"
            f" after {median(self.closed_after):.0f} s (median), {max(self.closed_after):.0f} s"
        )


@dataclass(slots=True)
class _Client:
    port: int
    kind: Kind
    opened_at: float = 0.0
    connection: socket.socket | None = field(default=None)

    def open(self) -> None:
        with suppress(OSError):
            self.connection = socket.create_connection(("127.0.0.1", self.port), 5)
            self.opened_at = perf_counter()
            self.connection.sendall(self.kind.first)
            self.connection.setblocking(False)

    def is_closed(self) -> bool:
        """Send the next byte; return whether the server has closed the connection."""
        if self.connection is None:
            return True
        try:
            if self.kind.then:
                self.connection.send(self.kind.then)
            while self.connection.recv(65536):
                pass
        except BlockingIOError:
            return False
        except OSError:
            pass
        self.connection.close()
        self.connection = None
        return True


def hold(port: int, kinds: list[Kind], connections: int, seconds: float) -> Held:
    """Hold this many connections in turn of each kind, opening a new one for each closed one."""
    clients = [_Client(port, kinds[index % len(kinds)]) for index in range(connections)]
    start, opened, closed_after = perf_counter(), 0, []
    while (now := perf_counter()) - start < seconds:
        for client in clients:
            had_one = client.connection is not None
            if client.is_closed():
                if had_one:
                    closed_after.append(perf_counter() - client.opened_at)
                client.open()
                opened += 1
        sleep(max(0.0, now + _STEP - perf_counter()))
    return Held(opened, closed_after)
