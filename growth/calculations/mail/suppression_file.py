"""CSV files of addresses that must not be mailed."""

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from growth.calculations.mail.mail_events import SuppressionReason

ADDRESS_COLUMNS = ("address", "email", "e-mail", "email address", "recipient")
MOST_ROWS = 500_000
_REASONS = {reason.value for reason in SuppressionReason} - {SuppressionReason.ERASED}


class NotReadable(ValueError):
    """The file as a whole cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class SuppressionRow:
    line: int
    address: str
    topic: str = ""  # a slug; "": all marketing
    reason: SuppressionReason = SuppressionReason.IMPORT


@dataclass(frozen=True, slots=True)
class LineError:
    line: int
    problem: str


@dataclass
class SuppressionFile:
    """The rows of a file, and the lines that cannot be used."""

    rows: list[SuppressionRow] = field(default_factory=list)
    errors: list[LineError] = field(default_factory=list)


def read(content: bytes, *, topics: Collection[str]) -> SuppressionFile:
    """Read a file with a header: the address, and perhaps `topic` and `reason`.

    Without a header, its only column is the address. Raise NotReadable.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotReadable(f"must be UTF-8: byte {error.start + 1} is not") from error
    result = SuppressionFile()
    try:
        for line, cells in _lines(text):
            _add(result, line, cells, topics)
    except csv.Error as error:
        raise NotReadable(f"invalid CSV: {error}") from error
    return result


def _lines(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the lines by number, each as its cells by column."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    header: list[str] | None = None
    for number, cells in enumerate(reader):
        if number > MOST_ROWS:
            raise NotReadable(f"has more than {MOST_ROWS:,} rows; split it")
        if not any(cell.strip() for cell in cells):
            continue
        if header is None:
            header = _header(cells)
            if header:
                continue
            header = ["address"]
        yield reader.line_num, dict(zip(header, map(str.strip, cells), strict=False))
    if header is None:
        raise NotReadable("has no rows")


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _header(cells: list[str]) -> list[str]:
    """Return the names of the columns, empty where the first line is an address already."""
    names = [cell.strip().lower() for cell in cells]
    column = next((name for name in ADDRESS_COLUMNS if name in names), None)
    if column:
        return ["address" if name == column else name for name in names]
    if len(cells) == 1 and "@" in cells[0]:
        return []
    raise NotReadable(f"needs a column named {ADDRESS_COLUMNS[0]} or {ADDRESS_COLUMNS[1]}")


def _add(
    result: SuppressionFile, line: int, cells: dict[str, str], topics: Collection[str]
) -> None:
    # Our own export marks what a spreadsheet would take for a formula.
    address = cells.get("address", "").removeprefix("'")
    topic, reason = cells.get("topic", ""), cells.get("reason", "").lower()
    if "@" not in address.strip("@") or any(character.isspace() for character in address):
        problem = "no address" if not address else "must be an address such as ada@example.com"
    elif len(address) > 320 or "\0" in address:
        problem = "the address is too long or has an invalid character"
    elif topic and topic not in topics:
        problem = f"there is no topic {topic[:50]!r}"
    elif reason and reason not in _REASONS:
        problem = f"the reason must be one of {', '.join(sorted(_REASONS))}"
    else:
        read_reason = SuppressionReason(reason) if reason else SuppressionReason.IMPORT
        result.rows.append(SuppressionRow(line, address, topic, read_reason))
        return
    result.errors.append(LineError(line, problem))
