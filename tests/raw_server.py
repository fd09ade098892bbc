"""A TCP server whose answers are written by hand: slow, endless, compressed, encrypted."""

import socket
from collections.abc import Callable
from contextlib import contextmanager, suppress
from ssl import SSLContext
from threading import Thread

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class RawServer:
    """Keeps the head of each request; `answer` writes the response to a connection."""

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.listener = socket.create_server((address, port))
        self.port = self.listener.getsockname()[1]
        self.heads: list[bytes] = []
        self.answer: Callable[[socket.socket], object] = lambda connection: connection.sendall(OK)
        self.tls: SSLContext | None = None

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                Thread(target=self._serve, args=self.listener.accept()[:1], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as lines:
                self.heads.append(b"".join(iter(lines.readline, b"\r\n")))
                self.answer(connection)


@contextmanager
def listening(address: str = "127.0.0.1", port: int = 0):
    server = RawServer(address, port)
    thread = Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.listener.shutdown(socket.SHUT_RDWR)
        server.listener.close()
        thread.join()


def endless(connection: socket.socket, part: bytes, *, head: bytes = b"", wait: float = 0) -> None:
    """Send `part` until the client hangs up."""
    connection.sendall(head)
    connection.settimeout(max(wait, 0.0001))
    while True:
        with suppress(TimeoutError):
            if not connection.recv(1, socket.MSG_PEEK):
                return
            connection.recv(65536)
        connection.sendall(part)
