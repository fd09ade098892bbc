"""Web and ingest processes, run as `make up` runs them."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic, sleep

from benchmarks import dataset
from devstack.processes import child_options, stop_process
from devstack.server import HOST, free_port
from devstack.up import web_command

_START_TIMEOUT = 60  # seconds


@contextmanager
def web(application: str, database: str) -> Iterator[int]:
    """Serve a WSGI application on a database; return the port."""
    with web_process(application, database) as (port, _):
        yield port


@contextmanager
def web_process(application: str, database: str) -> Iterator[tuple[int, int]]:
    """Serve a WSGI application on a database; return the port and the process's id."""
    port = free_port()
    with _program(web_command(HOST, port, application), database) as process:
        deadline = monotonic() + _START_TIMEOUT
        while not _answers(port):
            if process.poll() is not None or monotonic() > deadline:
                raise RuntimeError(f"{application} does not start")
            sleep(0.1)
        yield port, process.pid


@contextmanager
def ingest(database: str) -> Iterator[None]:
    """Run an ingest process on a database."""
    with _program([sys.executable, "manage.py", "ingest"], database):
        yield


@contextmanager
def _program(command: list[str], database: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "DATABASE_URL": dataset.url(database),
        "PLUMBLINE_LOG_LEVEL": "WARNING",
    }
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        **child_options(signal.SIGTERM),
    )
    try:
        yield process
    finally:
        stop_process(process, signal.SIGTERM)


def _answers(port: int) -> bool:
    with suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection(HOST, port, timeout=10)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()
        return True
    return False
