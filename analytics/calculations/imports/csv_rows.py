"""Rows of CSV files: the delimiter, the header, and rows of which none swallows another.

A row that is not valid (a quotation mark that is not closed or doubled, more or fewer cells than
the header) costs its first line only: reading continues with the next line.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from analytics.calculations.imports.columns import Columns
from analytics.calculations.imports.encodings import MARK
from analytics.calculations.imports.errors import NotUnderstood
from analytics.calculations.imports.rows import Row
from analytics.calculations.records import MAX_EVENT

DELIMITERS = (",", ";", "\t", "|")
_MOST_LISTED = 20  # columns in a message


@dataclass(frozen=True)
class Header:
    """The delimiter, the names of the columns, and which of them have a role."""

    delimiter: str
    names: Sequence[str]
    columns: Columns


def read_header(line: str, columns: Columns, delimiter: str = "") -> Header:
    """Return the header in a file's first line, or raise `NotUnderstood` naming what it lacks.

    Without a `delimiter` it is the one that gives the columns with a role; names match in any case.
    """
    csv.field_size_limit(MAX_EVENT)  # of the process; by default 131,072 characters
    by_delimiter = {each: _names(line, each) for each in ([delimiter] if delimiter else DELIMITERS)}
    problems: dict[str, NotUnderstood] = {}
    for each, names in by_delimiter.items():
        try:
            return Header(each, names, columns.matched(names))
        except NotUnderstood as error:
            problems[each] = error
    best = max(by_delimiter, key=lambda each: len(by_delimiter[each]))
    listed = ", ".join(by_delimiter[best][:_MOST_LISTED])
    raise NotUnderstood(
        f"header: {problems[best]}. Found, separated by {best!r}: {listed}"
    ) from problems[best]


def csv_rows(lines: Iterable[str], header: Header) -> Iterator[Row]:
    """Yield the rows after the header, each as a JSON object of the cells that are not empty."""
    source = _Lines(lines, number=1)
    reader = _reader(source, header)
    while True:
        source.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield source.first_line(f"row: a quotation mark is not closed or not doubled: {error}")
            reader = _reader(source, header)
            continue
        if len(cells) < 2 and not any(map(str.strip, cells)):
            continue
        if problem := _problem(cells, header):
            yield source.first_line(problem)
            continue
        fields = {name: cell for name, cell in zip(header.names, cells, strict=True) if cell}
        yield Row(source.number - len(source.taken) + 1, msgspec.json.encode(fields))


def _reader(source: "_Lines", header: Header) -> Iterator[list[str]]:
    return csv.reader(source, delimiter=header.delimiter, strict=True)


def _problem(cells: Sequence[str], header: Header) -> str:
    if len(cells) != len(header.names):
        return f"row: {len(cells)} cells, but the header has {len(header.names)}"
    for number, (name, cell) in enumerate(zip(header.names, cells, strict=True), start=1):
        if cell and not name:
            return f"row: cell {number} has no name in the header"
    return ""


def _names(line: str, delimiter: str) -> list[str]:
    try:
        (names,) = csv.reader([line.removeprefix(MARK)], delimiter=delimiter)
    except csv.Error as error:
        raise NotUnderstood(f"header: {error}") from error
    return [name.strip() for name in names]


class _Lines:
    """Lines for a CSV reader, which can go back to the second line of a row."""

    def __init__(self, lines: Iterable[str], number: int) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.number = number  # of the last line that was read
        self.taken: list[str] = []  # the lines of the current row

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.number += 1
        self.taken.append(line)
        return line

    def first_line(self, problem: str) -> Row:
        """Return the first line of the current row as a row of its own, and go back to the next."""
        first, *others = self.taken
        self._again.extendleft(reversed(others))
        self.number -= len(others)
        return Row(self.number, first.strip().encode(), problem)
