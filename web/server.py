"""A server's processes: uvicorn starts, watches and stops them; the connections are our own."""

import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

import uvicorn
from uvicorn.server import ServerState
from uvicorn.supervisors import Multiprocess, multiprocess

from web.connection import Connection
from web.limits import Limits
from web.service import Service

_GRACE = 3  # seconds that requests get to end when a process is stopped
_PATIENCE = 30  # seconds after which a process that does not react is replaced
_IS_LINUX = sys.platform == "linux"


@dataclass
class Protocol:
    """What uvicorn calls for every new connection; it makes a process's service with the first."""

    threads: int
    limits: Limits
    service: Service | None = None

    def __call__(
        self, config: uvicorn.Config, server_state: ServerState, **_: object
    ) -> Connection:
        if self.service is None:
            self.service = Service(
                config.loaded_app,
                client_of=_hook(config, "client_network", itemgetter("REMOTE_ADDR")),
                lane_of=_hook(config, "lane_of", lambda _path: ""),
                threads=self.threads,
                limits=self.limits,
                connections=server_state.connections,
            )
        return Connection(self.service)


def _hook(config: uvicorn.Config, name: str, default: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return a function of the application's module, if it has one of that name.

    `client_network` returns what distinguishes clients, from a request's environ. `lane_of` returns
    the lane of a path: requests in one lane do not wait for those in another.
    """
    module = sys.modules[str(config.app).partition(":")[0]]
    return getattr(module, name, default)


class WatchedProcess(multiprocess.Process):
    """A process whose end is noticed at once, as nothing else holds its end of the pipe."""

    def start(self) -> None:
        super().start()
        self.child_conn.close()


class Listener(socket.socket):
    """The socket of an address. A process to which it is given opens its own for that address.

    So Linux spreads connections evenly; the first would take most from a shared one.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return listener, self.getsockname()[:2]


def listener(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to the address. It raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = Listener(family) if _IS_LINUX else socket.socket(family)  # elsewhere it is shared
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if _IS_LINUX:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((host, port))
    bound.set_inheritable(True)
    return bound


def serve(
    application: str, bound: socket.socket, *, processes: int, threads: int, limits: Limits
) -> None:
    """Serve a WSGI application, named as ``module:attribute``, until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        application,
        http=cast("Any", Protocol(threads, limits)),  # it is only called
        interface="asgi3",  # that is, as it is: only our connections call it
        loop="uvloop",
        lifespan="off",
        ws="none",
        workers=processes,
        proxy_headers=False,
        log_config=None,
        timeout_graceful_shutdown=_GRACE,
        timeout_worker_healthcheck=_PATIENCE,
    )
    vars(multiprocess)["Process"] = WatchedProcess
    Multiprocess(config, sockets=[bound]).run()
