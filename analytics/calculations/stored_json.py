"""JSON from outside, made safe for PostgreSQL and for every later reader."""

import re
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

import msgspec

from analytics.calculations.records import InvalidEvent, Reason

MAX_DEPTH = 100  # levels of properties; every JSON reader has some limit
MAX_INTEGER = 4_000  # digits; Python reads up to 4,300
MAX_VALUES = 20_000  # of an event's properties: decoded, each takes up to a hundred bytes

# What msgspec raises for unreadable JSON.
UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeError)

T = TypeVar("T")

decode_text = msgspec.json.Decoder(str).decode
decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def decoded_or(decode: Callable[[Any], T], raw: bytes | msgspec.Raw, default: T) -> T:
    """Return decoded JSON, or the default where it is unreadable."""
    try:
        return decode(raw)
    except UNREADABLE:
        return default


# Digits become 0 and E becomes e: without the signs, a large exponent is 0e000. Searching for
# that costs a tenth of the regular expression that distinguishes an exponent from part of a text.
_EXPONENTS = bytes.maketrans(b"123456789E", b"000000000e")
_LARGE_EXPONENT = re.compile(rb"[\s:,\[]-?[\d.]+[eE][+-]?\d{3}")
_MOST_LARGE_EXPONENTS = 1_000  # in a body: each takes as long to decode as a hundred other numbers


def has_large_exponent(raw: bytes) -> bool:
    """Whether a JSON object may hold a number with an exponent of three or more digits."""
    return _large_exponents_at_most(raw) > 0 and _LARGE_EXPONENT.search(raw) is not None


def has_too_many_large_exponents(raw: bytes) -> bool:
    """Whether so many of a body's numbers have such exponents that it must not be decoded."""
    if _large_exponents_at_most(raw) <= _MOST_LARGE_EXPONENTS:
        return False
    beyond = islice(_LARGE_EXPONENT.finditer(raw), _MOST_LARGE_EXPONENTS, None)
    return next(beyond, None) is not None


def _large_exponents_at_most(raw: bytes) -> int:
    return raw.translate(_EXPONENTS, b"+-").count(b"0e000")


def stored_object(raw: bytes) -> bytes:
    """Return a JSON object that PostgreSQL and later readers accept, or raise what a decoder does.

    PostgreSQL would store 1e99999, and return it digit by digit. Later readers look for names
    without decoding, so names have no escapes that they can do without.
    """
    if not raw.isascii():
        raw.decode()
    brackets = raw.count(b"{") + raw.count(b"[")
    nested, many = brackets > MAX_DEPTH, may_have_too_many_values(raw)
    large_exponent = has_large_exponent(raw)
    escaped_name = _has_escaped_name(raw)
    if nested or many or large_exponent or escaped_name or len(raw) > MAX_INTEGER:
        decoded = decode_object(raw)
        if many and _has_too_many_values(decoded):
            detail = f"properties: more than {MAX_VALUES:,} values"
            raise InvalidEvent(Reason.TOO_LARGE, detail)
        if nested and _depth(decoded) > MAX_DEPTH:
            raise InvalidEvent(Reason.BAD_FIELD, f"properties: deeper than {MAX_DEPTH} levels")
        if large_exponent or escaped_name:
            raw = msgspec.json.encode(decoded)
    return _NUL_ESCAPE.sub(rb"\1\\ufffd", raw) if b"\\u0000" in raw else raw


def _has_escaped_name(raw: bytes) -> bool:
    """Whether a name in a JSON object has an escape by number. Reads everything once."""
    escape = raw.find(b"\\u")
    while escape >= 0:
        rest = _rest_of_text(raw, escape)
        if rest is None or rest[1]:
            return True
        escape = raw.find(b"\\u", rest.end())
    return False


_rest_of_text = re.compile(rb'(?:[^"\\]++|\\.)*+"\s*+(:?)', re.DOTALL).match

# PostgreSQL's text cannot hold NUL characters.
_NUL_ESCAPE = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def stored_text(text: str) -> str:
    """Return a text without the NUL characters that PostgreSQL cannot hold."""
    return text.replace("\0", "\ufffd") if "\0" in text else text


def may_have_too_many_values(raw: bytes) -> bool:
    """Whether there may be too many values in JSON; some commas and brackets may be in texts."""
    return raw.count(b",") + raw.count(b"{") + raw.count(b"[") >= MAX_VALUES


def _has_too_many_values(value: Any) -> bool:
    """Whether there are too many values; stops counting there."""
    number, left = 0, [value]
    while left and number <= MAX_VALUES:
        node = left.pop()
        inner = node.values() if isinstance(node, dict) else node
        number += len(inner)
        left += [each for each in inner if isinstance(each, dict | list)]
    return number > MAX_VALUES


def _depth(value: Any) -> int:
    """Return the number of levels of objects and arrays."""
    depth, level = 0, [value]
    while level := [node for node in level if isinstance(node, dict | list)]:
        depth += 1
        level = [
            inner for node in level for inner in (node.values() if isinstance(node, dict) else node)
        ]
    return depth
