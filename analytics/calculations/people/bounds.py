"""How much is stored about a person or group: sizes in bytes of JSON, without spaces.

A value inside of a list or an object counts more, because it takes that much memory wherever
properties are read: a page of persons with hundreds of thousands of empty lists would take
gigabytes.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

Properties = dict[str, Any]

MAX_SIZE = 512 * 1024  # of all properties together, each with its name
MAX_VALUE = 64 * 1024  # of a property with its name
MAX_NAMES = 1_000
NESTED_VALUE = 64  # bytes that each value inside of another one counts in addition

MAX_NOTED = 20  # refused properties of a person or group that are noted
_MAX_NOTED_NAME = 200  # characters of a refused property's name

_encode = msgspec.json.Encoder().encode
_has_exponent = re.compile(rb"\de[+-]?\d").search  # perhaps; it may be part of a text


class Refusal(StrEnum):
    """Why a property was not stored on a person or group."""

    VALUE_TOO_LARGE = "value_too_large"
    TOO_MANY_NAMES = "too_many_names"
    TOO_LARGE = "properties_too_large"


def json_size(value: Any) -> int:
    """Return the bytes of JSON without spaces, with numbers as PostgreSQL writes them."""
    encoded: bytes = _encode(value)
    return len(encoded) + (_exponents_written_out(value) if _has_exponent(encoded) else 0)


def note(refused: dict[str, str], name: str, refusal: Refusal) -> None:
    """Note a refused property, unless enough others are noted."""
    name = name[:_MAX_NOTED_NAME]
    if len(refused) < MAX_NOTED or name in refused:
        refused[name] = refusal.value


def forget(refused: dict[str, str], name: str) -> None:
    """Forget that a property was refused: it was set or removed since."""
    refused.pop(name[:_MAX_NOTED_NAME], None)


class BoundedProperties:
    """Properties within the bounds. A change costs its own size, not that of all properties."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values: Properties = dict(values)
        self.size = sum(_size(name, value) for name, value in values.items())

    def set(self, name: str, value: Any) -> Refusal | None:
        """Set a property, or return why it stays as it was."""
        before = _size(name, self.values[name]) if name in self.values else 0
        size = _size(name, value)
        if size > MAX_VALUE:
            return Refusal.VALUE_TOO_LARGE
        if not before and len(self.values) >= MAX_NAMES:
            return Refusal.TOO_MANY_NAMES
        if size > before and self.size - before + size > MAX_SIZE:
            return Refusal.TOO_LARGE
        self.values[name] = value
        self.size += size - before
        return None

    def unset(self, name: str) -> None:
        if name in self.values:
            self.size -= _size(name, self.values.pop(name))

    def add_missing(self, others: Mapping[str, Any]) -> tuple[list[str], dict[str, Refusal]]:
        """Set those of the others that have no value yet, by name while they fit.

        Return the names of those set, and the others' with the reason.
        """
        added, refused = [], {}
        for name in sorted(name for name in others if name not in self.values):
            if refusal := self.set(name, others[name]):
                refused[name] = refusal
            else:
                added.append(name)
        return added, refused


def _size(name: str, value: Any) -> int:
    braces_for_a_comma = -1
    return json_size({name: value}) + braces_for_a_comma + NESTED_VALUE * _nested_values(value)


def _nested_values(value: Any) -> int:
    members = value.values() if isinstance(value, dict) else value
    if not isinstance(value, dict | list):
        return 0
    return len(value) + sum(map(_nested_values, members))


def _exponents_written_out(value: Any) -> int:
    """Return how many digits longer a value's numbers are where PostgreSQL writes them out."""
    if isinstance(value, float) and "e" in repr(value):
        return len(f"{Decimal(repr(value)):f}") - len(_encode(value))
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return 0
    return sum(map(_exponents_written_out, value))
