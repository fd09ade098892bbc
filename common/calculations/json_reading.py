"""Read JSON from outside into values that can be stored and written again."""

import re
from typing import Any

import msgspec

DEEPEST = 100  # levels of arrays and objects
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # PostgreSQL stores every character but this


def read_json(body: bytes) -> Any:
    """Return the value of a JSON text in UTF-8; raise ValueError with the reason if it has none.

    Refused are also: halves of surrogate pairs, numbers that are not finite, the character U+0000,
    and more levels than `DEEPEST`.
    """
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError(f"more than {DEEPEST} levels") from error
    if _NUL.search(body):
        raise ValueError("contains the character U+0000")
    if _is_deeper(value, DEEPEST):
        raise ValueError(f"more than {DEEPEST} levels")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Return whether a value has more levels; level by level, as recursion has a limit itself."""
    containers = [value] if isinstance(value, dict | list) else []
    while containers and levels:
        levels -= 1
        containers = [
            inner
            for outer in containers
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(containers)
