"""How long, how large and how many: what a client may cost before its connection is closed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one web process. Times are in seconds, sizes in bytes.

    Waiting connections are those on which the next move is the client's: it has not sent a
    request, or not all of one, or it has not read its response.
    """

    head_seconds: float = 10  # until the head of a request is complete
    body_seconds: float = 60  # until the whole request is
    grace_seconds: float = 10  # in each of which a client sends or reads at the minimum rate
    idle_seconds: float = 75  # between two requests; reverse proxies give up earlier
    rate: int = 1000  # bytes a second, the minimum
    head_size: int = 64 * 1024
    body_size: int = 20 * 1024 * 1024 + 1  # one more than the application accepts
    dropped_size: int = 80 * 1024 * 1024  # of a larger body, read so that its sender gets a 413
    memory: int = 256 * 1024 * 1024  # all requests and responses together
    connections: int = 4096
    waiting_per_address: int = 500
    waiting_requests: int = 16  # of a connection; after so many that wait for an answer it ends

    def longest_pause(self, *, is_new: bool) -> float:
        """Return how long a connection may be silent before its first or its next request."""
        return self.head_seconds if is_new else self.idle_seconds


@dataclass(slots=True)
class Pace:
    """How fast a client sends or reads, over one period of grace after another."""

    since: float  # seconds of the loop's clock
    moved: int = 0  # bytes by then

    def falls_behind(self, moved: int, now: float, limits: Limits) -> bool:
        """Whether fewer bytes moved than the minimum rate asks for; begins the next period."""
        seconds = now - self.since
        if seconds <= limits.grace_seconds:
            return False
        is_behind = moved - self.moved < limits.rate * seconds
        self.since, self.moved = now, moved
        return is_behind
