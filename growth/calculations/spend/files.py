"""CSV files of spend: their lines, and the errors by line."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from analytics.calculations.imports.columns import AS_CAPTURED
from analytics.calculations.imports.csv_rows import DELIMITERS, Header, csv_rows
from analytics.calculations.imports.encodings import MARK, encoding_of
from analytics.calculations.imports.errors import NotUnderstood
from growth.calculations.spend.lines import SpendLine, SpendLineError, line_of

COLUMNS = ("channel", "campaign", "day", "from", "to", "amount", "currency")
LARGEST_FILE = 500_000  # bytes; the preview posts it again


@dataclass(frozen=True, slots=True)
class SpendFile:
    """The lines that can be used, and the problem of each of the others by its number."""

    lines: Sequence[SpendLine]
    problems: dict[int, str]


def decoded(content: bytes) -> str:
    """Return a file's text; raise NotUnderstood where it is not text, or too long."""
    if len(content) > LARGEST_FILE:
        raise NotUnderstood(f"file: has more than {LARGEST_FILE // 1_000} kB")
    try:
        return content.decode(encoding_of(content)).removeprefix(MARK)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise NotUnderstood(f"encoding: line {line} is not UTF-8; save it as CSV UTF-8") from error


def read_file(text: str, *, currency: str) -> SpendFile:
    """Return the lines of a CSV file; raise NotUnderstood naming what its header lacks."""
    first, *others = text.splitlines(keepends=True) or [""]
    lines: list[SpendLine] = []
    problems: dict[int, str] = {}
    for row in csv_rows(others, _header(first)):
        if row.problem:
            problems[row.line] = row.problem
            continue
        try:
            fields = msgspec.json.decode(row.content, type=dict[str, str])
            lines.append(line_of(fields, number=row.line, currency=currency))
        except SpendLineError as error:
            problems[row.line] = str(error)
    return SpendFile(lines, problems)


def _header(line: str) -> Header:
    names: list[str] = []
    for delimiter in DELIMITERS:
        names = [name.strip().strip('"').casefold() for name in line.split(delimiter)]
        if {"channel", "amount"} <= {*names}:
            return _checked(Header(delimiter, names, AS_CAPTURED))
    raise NotUnderstood(
        f"header: needs the columns channel and amount; it is “{line[:80].strip()}”"
    )


def _checked(header: Header) -> Header:
    names = [name for name in header.names if name]
    if not {"day"} & {*names} and not {"from", "to"} <= {*names}:
        raise NotUnderstood("header: needs the column day, or the columns from and to")
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise NotUnderstood(f"header: two columns are named {repeated[0]}")
    return header
