"""A request that is arriving, and a response that is being written."""

from dataclasses import dataclass, field
from typing import IO

from web.environ import Environ
from web.limits import Limits, Pace
from web.response import PIECE, Response

_OVERHEAD = 32  # bytes that a header costs beyond its own
_FRAMING_PER_BYTE = 6  # of a body in chunks of a byte each


class FieldsTooLarge(ValueError):
    """The head and the trailers of a request are larger than allowed."""


class TooManyRequests(ValueError):
    """A client sends more requests than it may before the answers to the first ones."""


@dataclass(slots=True)
class Incoming:
    """A request of which not everything has arrived."""

    started: float  # the loop's time
    pace: Pace
    environ: Environ
    target: bytes = b""
    has_head: bool = False
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0  # bytes of the body so far, those that are not kept included
    fields_size: int = 0  # bytes of the target, the headers and the trailers, with their overhead
    framing: int = 0  # bytes received that are not of the body

    def is_overdue(self, now: float, limits: Limits) -> bool:
        """Whether the rest will not be waited for; asked again and again."""
        seconds = now - self.started
        if not self.has_head:
            return seconds > limits.head_seconds
        return seconds > limits.body_seconds or self.pace.falls_behind(self.size, now, limits)

    def add_field(self, size: int, limits: Limits) -> None:
        """Count a part of the head, or a trailer; raise `FieldsTooLarge`."""
        self.fields_size += size + _OVERHEAD
        if self.fields_size > limits.head_size:
            raise FieldsTooLarge

    def is_mostly_framing(self, limits: Limits) -> bool:
        """Whether more arrived around the body than its head and its chunks can need."""
        return self.framing > limits.head_size + _FRAMING_PER_BYTE * self.size


@dataclass(slots=True)
class Writing:
    """The response that is being written."""

    pace: Pace
    is_on: bool = False
    is_full: bool = False  # the client has to read before more is written
    rest: IO[bytes] | None = None
    size: int = 0  # bytes handed to the transport

    def start(self, answer: Response, now: float) -> None:
        self.is_on, self.rest, self.size = True, answer.rest, len(answer.start)
        self.pace.since, self.pace.moved = now, 0

    def next_piece(self) -> bytes:
        """Return what to write next; nothing at the end."""
        piece = self.rest.read(PIECE) if self.rest else b""
        self.size += len(piece)
        return piece

    def stop(self) -> None:
        self.is_on = False
        if self.rest:
            self.rest.close()
            self.rest = None
