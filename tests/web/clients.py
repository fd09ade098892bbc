"""The web server in a process of its own, and clients that speak HTTP byte by byte."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from typing import NamedTuple

from devstack.server import HOST, free_port
from tests.processes import ROOT, wait_until

TIMEOUT = 20  # seconds, on a busy machine


@contextmanager
def server(application="tests.web.application:application", env=None, **options) -> Iterator[int]:
    """Serve an application; yield the port."""
    port = free_port()
    wanted = {"processes": 1, "threads": 2} | options
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in wanted.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "web", application, f"--port={port}", *arguments], cwd=ROOT, env=env
    )
    try:
        wait_until(lambda: process.poll() is not None or is_served(port))
        yield port
    finally:
        process.terminate()
        process.wait()


def is_served(port: int, path: str = "/livez") -> bool:
    with suppress(OSError):
        return get(port, path).status == 200
    return False


class Answer(NamedTuple):
    status: int
    text: bytes


def get(port: int, path: str) -> Answer:
    with closing(HTTPConnection(HOST, port, timeout=TIMEOUT)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return Answer(response.status, response.read())


def connect(port: int, data: bytes = b"") -> socket.socket:
    connection = socket.create_connection((HOST, port), TIMEOUT)
    connection.sendall(data)
    return connection


def answers(connection: socket.socket) -> bytes:
    """Return everything until the server closes the connection."""
    answer = bytearray()
    with suppress(ConnectionError):
        while data := connection.recv(65536):
            answer += data
    return bytes(answer)


def exchange(port: int, data: bytes) -> bytes:
    """Return what the server answers until it closes the connection."""
    with connect(port, data) as connection:
        return answers(connection)


def received(port: int, data: bytes) -> dict[str, str]:
    """Return the request that the application got."""
    return json.loads(exchange(port, data).partition(b"\r\n\r\n")[2])


def status(answer: bytes) -> int:
    """Return the status of the first response; 0 if there is none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0
