"""The servers a process needs, and the environment variables with their addresses."""

import atexit
import os
import signal
import sys
from pathlib import Path

from devstack.data_dir import DataDir
from devstack.environment import has_servers, is_set
from devstack.postgres import Postgres
from devstack.server import EmbeddedServer
from devstack.valkey import Valkey

KINDS: dict[str, type[EmbeddedServer]] = {"DATABASE_URL": Postgres, "REDIS_URL": Valkey}


def ensure_services(*, data_dir: Path | None = None, durable: bool = True) -> None:
    """Set DATABASE_URL, REDIS_URL and SECRET_KEY in os.environ if they are unset.

    Joins the running servers of `data_dir` (default: PLUMBLINE_DATA_DIR, else `.local/`), or starts
    them for the lifetime of this process; call it from the main thread. `durable=False` trades
    safety in a power cut for speed: tests only. If both addresses are set it does nothing, so a
    deployment sets its own SECRET_KEY. Raises DevstackError, which ends the process with a message.
    """
    if not has_servers():
        provide_services(data_dir, durable=durable)


def provide_services(data_dir: Path | None, *, durable: bool) -> list[EmbeddedServer]:
    """Set DATABASE_URL, REDIS_URL and SECRET_KEY if unset; return the servers we own."""
    data = DataDir(data_dir)
    servers = {
        variable: kind(data, durable=durable)
        for variable, kind in KINDS.items()
        if not is_set(variable)
    }
    atexit.register(_end, list(servers.values()), os.getpid())
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        # Exits through atexit, so that our servers wait for the processes that joined them.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    for variable, server in servers.items():
        os.environ[variable] = server.ensure()
    if not is_set("SECRET_KEY"):
        os.environ["SECRET_KEY"] = data.secret_key()
    return [server for server in servers.values() if server.process]


def _end(servers: list[EmbeddedServer], process: int) -> None:
    if os.getpid() == process:  # not a forked child
        for server in servers:  # first, or two owners could wait for each other
            server.leave()
        for server in servers:
            server.stop()
