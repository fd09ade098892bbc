"""Rows of JSON Lines and of JSON arrays."""

from collections.abc import Iterable, Iterator

import msgspec

from analytics.calculations.imports.encodings import MARK
from analytics.calculations.imports.errors import NotUnderstood
from analytics.calculations.imports.rows import Row
from analytics.calculations.stored_json import UNREADABLE

MAX_ARRAY = 256 * 1024 * 1024  # bytes; an array is read as a whole

_MARK = MARK.encode()
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


def json_lines(lines: Iterable[bytes]) -> Iterator[Row]:
    """Yield the lines that are not blank."""
    for number, raw in enumerate(lines, start=1):
        if line := raw.removeprefix(_MARK).strip():
            yield Row(number, line)


def json_array(content: bytes) -> Iterator[Row]:
    """Yield the elements of an array. Raise `NotUnderstood` where it cannot be read."""
    if len(content) > MAX_ARRAY:
        raise NotUnderstood(
            f"format: a JSON array larger than {MAX_ARRAY // 1024**2} MB;"
            " write one event per line, for example with jq -c '.[]'"
        )
    try:
        elements = _decode_array(content.removeprefix(_MARK))
    except UNREADABLE as error:
        line = 1 + content[: _byte(content, error)].count(b"\n")
        raise NotUnderstood(f"line {line}: the JSON array is not valid: {error}") from error
    for number, element in enumerate(elements, start=1):
        yield Row(number, bytes(element))


def _byte(content: bytes, error: Exception) -> int:
    """Return the index of the byte that an error of decoding names, or of the last one."""
    byte = str(error).rpartition("(byte ")[2].removesuffix(")")
    return int(byte) if byte.isdigit() else len(content.rstrip())
