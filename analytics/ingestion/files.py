"""Files of events: what they are, read in a first pass that stores nothing, and their rows."""

import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path

import msgspec

from analytics.calculations.imports import encodings
from analytics.calculations.imports.columns import AS_CAPTURED, Columns
from analytics.calculations.imports.csv_rows import Header, csv_rows, read_header
from analytics.calculations.imports.encodings import MARK, UTF_8
from analytics.calculations.imports.errors import NotUnderstood
from analytics.calculations.imports.json_rows import MAX_ARRAY, json_array, json_lines
from analytics.calculations.imports.products import FileFormat
from analytics.calculations.imports.reading import read_row
from analytics.calculations.imports.rows import Row
from analytics.calculations.records import EventRecord, InvalidEvent, Proof, Rejection
from analytics.calculations.stored_json import UNREADABLE

SAMPLE = 100  # rows; a file in which none of the first can be read is not understood
_CHUNK = 1024 * 1024
_JSON_SUFFIXES = {".json", ".jsonl", ".ndjson"}
_NAMES_IN_MESSAGE = 20


class FileKind(StrEnum):
    """How a file separates its events."""

    JSON_LINES = "JSON Lines"
    JSON_ARRAY = "JSON array"
    CSV = "CSV"


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """What a user says about a file. Encoding and delimiter are recognized where they are empty."""

    file_format: FileFormat = FileFormat.PLUMBLINE
    columns: Columns = AS_CAPTURED
    encoding: str = ""
    delimiter: str = ""
    proved: bool = False  # the file is from the company's backend


@dataclass(frozen=True, kw_only=True)
class EventFile:
    """A file that was understood; `header` is that of a CSV file."""

    kind: FileKind
    encoding: str
    header: Header | None = None
    options: ReadingOptions = field(default_factory=ReadingOptions)

    @property
    def columns(self) -> Columns:
        """The columns with a role, as the file writes them."""
        return self.header.columns if self.header else self.options.columns

    def rows(self, file: io.BufferedReader) -> Iterator[Row]:
        """Yield the rows of the open file, from its start."""
        content = _decompressed(file)
        if self.kind is FileKind.JSON_ARRAY:
            yield from json_array(_as_utf_8(content.read(4 * MAX_ARRAY), self.encoding))
        elif self.kind is FileKind.JSON_LINES and self.encoding == UTF_8:
            yield from json_lines(content)
        else:
            text_lines = io.TextIOWrapper(
                content, self.encoding, newline="" if self.header else "\n"
            )
            if self.header:
                text_lines.readline()
                yield from csv_rows(text_lines, self.header)
            else:
                yield from json_lines(line.encode() for line in text_lines)
            text_lines.detach()  # or the file would be closed with it

    def read(self, row: Row) -> EventRecord | Rejection:
        """Return the event in a row, or why there is none."""
        options = self.options
        proof = Proof.PROVED if options.proved else Proof.CLAIMED
        try:
            return read_row(row, options.file_format, self.columns, proof)
        except InvalidEvent as error:
            return Rejection(error.reason, error.detail, row.content, row.line)


def understand(path: Path, name: str, options: ReadingOptions) -> EventFile:
    """Return how to read a file of this name, or raise `NotUnderstood`."""
    with path.open("rb") as file:
        content = _decompressed(file)
        start = next(_chunks(content), b"")
        encoding = encodings.encoding_of(start, options.encoding)
    with path.open("rb") as file:
        encodings.check(_chunks(_decompressed(file)), encoding)
    kind = _kind(start.decode(encoding, "ignore"), name, options)
    header = None
    if kind is FileKind.CSV:
        with path.open("rb") as file:
            text = io.TextIOWrapper(_decompressed(file), encoding, newline="")
            header = read_header(text.readline(), options.columns, options.delimiter)
    understood = EventFile(kind=kind, encoding=encoding, header=header, options=options)
    with path.open("rb") as file:
        _check_sample(list(islice(understood.rows(file), SAMPLE)), understood)
    return understood


def _kind(start: str, name: str, options: ReadingOptions) -> FileKind:
    first = start.lstrip(MARK + " \t\r\n")[:1]
    suffixes = {suffix.lower() for suffix in Path(name).suffixes}
    if options.delimiter:
        return FileKind.CSV
    if first == "[":
        return FileKind.JSON_ARRAY
    if first in ("{", "") or suffixes & _JSON_SUFFIXES:
        return FileKind.JSON_LINES
    if options.file_format is not FileFormat.PLUMBLINE:
        raise NotUnderstood(f"format: an export of {options.file_format} is JSON, but this is not")
    return FileKind.CSV


def _check_sample(rows: list[Row], file: EventFile) -> None:
    """Raise `NotUnderstood` where no row of a sample can be read."""
    results = [file.read(row) for row in rows]
    rejections = [result for result in results if isinstance(result, Rejection)]
    if not rejections or len(rejections) < len(results):
        return
    first = rejections[0]
    message = f"line {first.line}: {first.detail}"
    if len(rows) > 1:
        message += f"; none of the first {len(rows)} events can be read"
    if names := _names(rows[0]):
        message += f". Found: {', '.join(names[:_NAMES_IN_MESSAGE])}"
    elif not rows[0].problem:
        message += ". A file holds one JSON object per line; jq -c . writes it so"
    others = (each for each in FileFormat if each is not file.options.file_format)
    if file.kind is not FileKind.CSV and (
        hint := next((o for o in others if _fits(rows, o)), None)
    ):
        message += f". It looks like --format {hint}"
    raise NotUnderstood(message)


def _fits(rows: list[Row], file_format: FileFormat) -> bool:
    try:
        read_row(rows[0], file_format, AS_CAPTURED, Proof.CLAIMED)
    except InvalidEvent:
        return False
    return True


def _names(row: Row) -> list[str]:
    """Return the names of the fields in a row; none where it is not an object."""
    try:
        return list(msgspec.json.decode(row.content, type=dict[str, msgspec.Raw]))
    except UNREADABLE:
        return []


def _decompressed(file: io.BufferedReader) -> io.BufferedReader:
    is_gzip = file.peek(2)[:2] == b"\x1f\x8b"
    return io.BufferedReader(gzip.GzipFile(fileobj=file)) if is_gzip else file


def _chunks(content: io.BufferedReader) -> Iterator[bytes]:
    lines = 1
    try:
        while chunk := content.read(_CHUNK):
            lines += chunk.count(b"\n")
            yield chunk
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise NotUnderstood(f"gzip: cut off or damaged after line {lines}: {error}") from error


def _as_utf_8(text: bytes, encoding: str) -> bytes:
    return text if encoding == UTF_8 else text.decode(encoding).removeprefix(MARK).encode()
