"""Run code in real processes that can be killed."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg
from django.db import connections

from analytics.capture import capture

ROOT = Path(__file__).resolve().parents[1]
_END_SESSIONS = """
SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = %s
"""
PATIENCE = 60  # seconds, for what takes a moment on an idle machine


def fork(work: Callable[[], object]) -> int:
    """Run `work` in a child process with connections of its own; return the child's pid."""
    _end_committing_thread()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        _forget_connections()
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _end_committing_thread() -> None:
    """Wait for the kernel, too: an ending thread holds locks of OpenSSL, which a child inherits."""
    thread = capture.requests._thread
    capture.requests.close()
    if thread:
        wait_until(lambda: not Path(f"/proc/self/task/{thread.native_id}").exists())


_inherited: list[object] = []  # kept open in the child, as the sockets belong to the parent


def _forget_connections() -> None:
    os.environ["PGAPPNAME"] = _application(os.getpid())
    for connection in connections.all(initialized_only=True):
        _inherited.append(connection.connection)
        connection.connection = None


def wait(pid: int) -> int:
    """Wait for a child and return its exit code, negative for a signal.

    PostgreSQL notices some time later that a killed child is gone, and releases its locks then:
    what holds on until then is not left to chance.
    """
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code < 0:
        with (
            suppress(psycopg.OperationalError),  # the server may have been stopped, too
            psycopg.connect(environment()["DATABASE_URL"]) as database,
        ):
            database.execute(_END_SESSIONS, [_application(pid)])
    return code


def _application(pid: int) -> str:
    return f"child {pid}"


def kill(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)
    return wait(pid)


def environment() -> dict[str, str]:
    """Return the environment of a process that uses the test database."""
    database = connections["default"].settings_dict
    address = "{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "DATABASE_URL": f"postgresql://{address}", "PATH": path}


def wait_until(condition: Callable[[], object], state: Callable[[], object] = str) -> None:
    """Wait for a condition; fail with the `state` if it is not met in time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain {state()}"
        time.sleep(0.05)
