"""Run code in real processes that can be killed."""

import os
import signal
import traceback
from collections.abc import Callable

from django.db import connections


def fork(work: Callable[[], object]) -> int:
    """Run `work` in a child process with connections of its own; return the child's pid."""
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


_inherited = []  # never closed by the child: the sockets are the parent's


def _forget_connections() -> None:
    for connection in connections.all(initialized_only=True):
        _inherited.append(connection.connection)
        connection.connection = None


def wait(pid: int) -> int:
    """Wait for a child and return its exit code, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill(pid: int) -> int:
    os.kill(pid, signal.SIGKILL)
    return wait(pid)
