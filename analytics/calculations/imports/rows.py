"""The rows of a file: each is an event as a JSON object, or what could not be read of it."""

from typing import NamedTuple


class Row(NamedTuple):
    """A row of a file. `problem` says why `content` is the line itself, and not a JSON object."""

    line: int  # the first of the row's, from 1; in a JSON array the number of the event
    content: bytes
    problem: str = ""
