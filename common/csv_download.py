"""CSV files for spreadsheets: the only writer of downloads, so that no cell is ever a formula."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse

_FORMULA = frozenset("=+-@|%")
# Where the list separator of the computer is a semicolon, as in most of Europe, spreadsheets split
# lines at it, and do not know our quotes: a tab or line end in a cell begins another one, too.
_PIECES = re.compile(r"([;\t\r\n])")
_BEGINS_CELL = ("\t", "\r", "\n")
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")  # letters that are displayed as blanks


class _EchoBuffer:
    """A file for csv.writer that returns each line instead of writing it."""

    def write(self, line: str) -> str:
        return line


def csv_download(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """Answer with a file of this name, written while it is sent."""
    response = StreamingHttpResponse(_lines([columns], rows), content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def csv_cell(value: Any) -> Any:
    """Return a value such that no spreadsheet takes it, or a part of it, for a formula.

    Numbers and dates stay as they are, and everything else is a text.
    """
    if value is None or isinstance(value, int | float | Decimal | date):
        return value
    text = "".join(f"'{part}" if _is_formula(part) else part for part in _PIECES.split(str(value)))
    return f"'{text}" if text.startswith(_BEGINS_CELL) else text


def _is_formula(text: str) -> bool:
    """Return whether the first character that spreadsheets read begins a formula.

    They drop blanks, quotes and invisible characters before it, and read full-width forms.
    """
    first = next((letter for letter in text if not _is_dropped(letter)), "")
    return unicodedata.normalize("NFKC", first)[:1] in _FORMULA


def _is_dropped(letter: str) -> bool:
    """Return whether a character is a quote, a blank, or not seen: a control, format or mark."""
    return letter in "'\"" or letter in _FILLERS or unicodedata.category(letter)[0] in "CZM"


def _lines(*tables: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_EchoBuffer())
    for rows in tables:
        for row in rows:
            yield writer.writerow([csv_cell(value) for value in row])
