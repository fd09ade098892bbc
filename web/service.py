"""What the connections of a process share."""

import asyncio
import sys
from collections.abc import Callable, MutableSet
from email.utils import formatdate
from time import time
from typing import Any

from web.environ import Environ
from web.limits import Limits
from web.response import Application
from web.threads import Done, Job, Lanes, Outbox
from web.waiting import Client, Waiting

_EVERY = 1.0  # seconds between two checks of all waiting connections, at most


class Service:
    """Runs on the loop; only the application runs on threads."""

    def __init__(
        self,
        application: Application,
        *,
        client_of: Callable[[Environ], str],
        lane_of: Callable[[str], str],
        threads: int,
        limits: Limits,
        connections: MutableSet[Any],
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.limits = limits
        self.client_of = client_of  # behind a proxy, by the headers of a request
        self.waiting = Waiting(limits)
        self.held = 0  # bytes of all connections
        self._connections = connections
        self._lanes = Lanes(threads, application, Outbox(self.loop), lane_of)
        self._constant: Environ = {
            "SCRIPT_NAME": "",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.errors": sys.stderr,
            "wsgi.input_terminated": True,
            "wsgi.multiprocess": True,
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
        }
        self._check()

    def environ(self, client: str, server: tuple[str, int]) -> Environ:
        """Return what all requests of a connection have in common."""
        host, port = server
        return {
            **self._constant,
            "REMOTE_ADDR": client,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
        }

    def answer(self, request: Environ, done: Done, *, keep_alive: bool) -> None:
        """Let a thread answer a whole request."""
        self._lanes.submit(Job(request, done, self._date, keep_alive))

    def opened(self, connection: Client) -> None:
        self._connections.add(connection)
        self.waiting.make_room(len(self._connections))

    def closed(self, connection: Client) -> None:
        self._connections.discard(connection)
        self.waiting.remove(connection)

    def check_memory(self) -> None:
        self.waiting.free_memory(self.held)

    def _check(self) -> None:
        self._date = formatdate(time(), usegmt=True)
        now = self.loop.time()
        for connection in self.waiting:
            connection.check(now)
        self.loop.call_later(min(_EVERY, self.limits.grace_seconds / 4), self._check)
