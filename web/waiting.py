"""The waiting connections of a process, and which of them to close when there are too many."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Protocol

from web.limits import Limits


class Client(Protocol):
    """What the limits need to know about a connection."""

    address: str

    @property
    def held(self) -> int:
        """Bytes of memory."""

    def check(self, now: float) -> None:
        """Close it if its client takes too long."""

    def give_up(self) -> None:
        """Close it, as others need its place."""


class Waiting:
    """Connections on which the next move is the client's, oldest first.

    Who has been waiting longest goes first, so a newcomer is served whatever others hold.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._all: dict[Client, None] = {}
        self._of_address: defaultdict[str, dict[Client, None]] = defaultdict(dict)

    def __iter__(self) -> Iterator[Client]:
        """Iterate over a copy: connections leave while they are checked."""
        return iter(list(self._all))

    def add(self, client: Client) -> None:
        """Add a connection; close the oldest of its address if that has too many."""
        self.remove(client)  # so that it is the newest
        self._all[client] = None
        same_address = self._of_address[client.address]
        same_address[client] = None
        if len(same_address) > self._limits.waiting_per_address:
            next(iter(same_address)).give_up()

    def remove(self, client: Client) -> None:
        """Remove a connection, if it is waiting."""
        if client not in self._all:
            return
        del self._all[client]
        same_address = self._of_address[client.address]
        del same_address[client]
        if not same_address:
            del self._of_address[client.address]

    def make_room(self, open_connections: int) -> None:
        """Close the oldest if a process has too many connections."""
        if open_connections > self._limits.connections and self._all:
            next(iter(self._all)).give_up()

    def free_memory(self, held: int) -> None:
        """Close the one that holds most if all connections together hold too much."""
        if held > self._limits.memory and self._all:
            max(self._all, key=lambda client: client.held).give_up()
