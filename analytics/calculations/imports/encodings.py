"""The encoding of a file: by its byte-order mark, by name, or UTF-8."""

import codecs
import io
from collections.abc import Iterable

from analytics.calculations.imports.errors import NotUnderstood

UTF_8 = "utf-8"
MARK = "\ufeff"  # of byte order, at the start of a file or of files joined to it

# UTF-32's mark starts with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WITHOUT_MARK = {"utf-8-sig": UTF_8, "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_COMPRESSED = {
    b"PK\x03\x04": "a zip archive (or an Excel file): unpack it, and import the files in it",
    b"PAR1": "Parquet: export it as JSON Lines",
    b"\x28\xb5\x2f\xfd": "compressed with zstd: decompress it first",
    b"BZh": "compressed with bzip2: decompress it first",
    b"\xfd7zXZ\0": "compressed with xz: decompress it first",
    b"\xd0\xcf\x11\xe0": "an Excel file: save it as CSV",
}


def encoding_of(start: bytes, named: str = "") -> str:
    """Return the encoding of a file that starts with these bytes.

    Raise `NotUnderstood` where it is not text, or where its mark contradicts the encoding `named`.
    """
    for magic, kind in _COMPRESSED.items():
        if start.startswith(magic):
            raise NotUnderstood(f"encoding: the file is {kind}")
    encoding = _normalized(named) if named else ""
    for mark, marked in _MARKS:
        if start.startswith(mark):
            if encoding not in ("", marked) and not marked.startswith(named.lower()):
                raise NotUnderstood(f"encoding: the file is marked as {marked}, not {named}")
            return marked
    if not encoding and b"\0" in start:
        guess = "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
        raise NotUnderstood(
            f"encoding: the file holds NUL bytes; if it is UTF-16, name it: --encoding {guess}"
        )
    return encoding or UTF_8


def check(chunks: Iterable[bytes], encoding: str) -> None:
    """Raise `NotUnderstood`, with the line, where bytes are not in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    try:
        for chunk in chunks:
            lines += decoder.decode(chunk).count("\n")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding, "ignore")
        line, start = lines + before.count("\n"), before.rpartition("\n")[2]
        wrong = error.object[error.start : error.start + 1].hex()
        raise NotUnderstood(
            f"encoding: line {line} is not {encoding.upper()} (byte 0x{wrong} after"
            f" “{start[-20:]}”). Name the file's encoding, such as --encoding windows-1252"
        ) from error


def _normalized(named: str) -> str:
    try:
        io.TextIOWrapper(io.BytesIO(), named)  # refuses codecs that are not of text
        encoding = codecs.lookup(named).name
    except (LookupError, ValueError) as error:
        raise NotUnderstood(f"encoding: “{named}” is not a known encoding of text") from error
    return _WITHOUT_MARK.get(encoding, encoding)
