"""CSV files for spreadsheets: the only writer of downloads, so that no cell is ever a formula."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

# Spreadsheets drop blanks, quotes and invisible marks before they look for a formula's first
# character, of which there are full-width forms; a tab or line end would begin another cell.
_FORMULA = re.compile(r"[\s'\"\u200b\ufeff]*[=+\-@＝＋－＠|%]|[\t\r\n]")


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
    """Return a value such that no spreadsheet takes it for a formula."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _lines(*tables: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_EchoBuffer())
    for rows in tables:
        for row in rows:
            yield writer.writerow([csv_cell(value) for value in row])
