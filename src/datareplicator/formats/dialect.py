"""What a text file does not say of itself: encoding, delimiter, and whether its first line names the columns."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass

from charset_normalizer import from_bytes

from datareplicator.errors import Place, SourceError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_ROWS = 100
_SAMPLE_BYTES = 1 << 18
_NUMBER = re.compile(r"^[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?$")
_DATE = re.compile(r"^\d{4}-\d{2}(-\d{2})?|^\d{1,2}[./]\d{1,2}[./]\d{2,4}")


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written."""

    delimiter: str = ","
    encoding: str = "utf-8"
    header: bool = True
    newline: str = "\n"


def decode_text(raw: bytes, place: Place) -> tuple[str, str]:
    """The text of a file and the encoding it is in: a byte order mark, UTF-8, UTF-16, else a Western code page.

    Raises `SourceError` where the file holds NUL characters, naming the row.
    """
    encoding = _encoding(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"byte {error.start} is no {encoding} text.", place=place, hint="Save the file as UTF-8."
        ) from error
    at = text.find("\0")
    if at >= 0:
        row = text.count("\n", 0, at)
        raise SourceError(
            "the line holds a NUL character; this is no text file, or it is damaged.",
            place=Place(place.file, place.table, row=row or None),
            hint="Export the table again.",
        )
    return text, encoding


def _encoding(raw: bytes) -> str:
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return encoding
    try:
        raw.decode("utf-8")
        return _wide(raw) or "utf-8"
    except UnicodeDecodeError:
        return _wide(raw) or _code_page(raw)


def _wide(raw: bytes) -> str | None:
    """UTF-16 without a mark: half of the bytes are NUL, all at even or all at odd places."""
    sample = raw[:4096]
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if half and max(even, odd) > 0.7 * half and min(even, odd) < 0.05 * half:
        return "utf-16-le" if odd > even else "utf-16-be"
    return None


def _code_page(raw: bytes) -> str:
    """The Western code page unless the file cannot be one; then the best guess."""
    try:
        raw.decode("windows-1252")
        return "windows-1252"
    except UnicodeDecodeError:
        guess = from_bytes(raw[:_SAMPLE_BYTES]).best()
        return guess.encoding if guess is not None else "latin-1"


def sniff(text: str, encoding: str, tabs: bool) -> Dialect:
    """Delimiter, header and line ends of a text. `tabs`: the file's suffix promises tabs."""
    sample = text[:_SAMPLE_BYTES]
    newline = "\r\n" if "\r\n" in sample else "\n" if "\n" in sample else "\r" if "\r" in sample else "\n"
    candidates = ("\t", *(d for d in _DELIMITERS if d != "\t")) if tabs else _DELIMITERS
    rows = {delimiter: _rows(sample, delimiter) for delimiter in candidates}
    best = max(candidates, key=lambda d: _score(rows[d]))
    if _score(rows[best]) <= 0:
        best = "\t" if tabs else ","
    return Dialect(best, encoding, _has_header(rows[best]), newline)


def _rows(sample: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) > _SAMPLE_ROWS:
                break
    except csv.Error:
        pass  # a cell beyond the csv module's limit: what was read before it is enough to judge by
    whole = len(rows) > 1 and len(rows) <= _SAMPLE_ROWS and len(sample) == _SAMPLE_BYTES
    return rows[:-1] if whole else rows


def _score(rows: list[list[str]]) -> float:
    """Columns, weighted by how many rows agree with the first; 0 where there is one column only."""
    if not rows or len(rows[0]) < 2:
        return 0.0
    columns = len(rows[0])
    return (sum(len(row) == columns for row in rows) / len(rows)) ** 4 * columns


def _has_header(rows: list[list[str]]) -> bool:
    """A first row is data, not names, where some cell is a number or date like the rest of its column, and no cell
    speaks against it."""
    if len(rows) < 2:
        return True
    first, body = rows[0], rows[1:]
    alike = False
    for place, cell in enumerate(first):
        kinds = {_kind(row[place]) for row in body if len(row) > place and row[place]}
        if _kind(cell) == "text":
            if cell and kinds and "text" not in kinds:
                return True
            continue
        if kinds and kinds != {_kind(cell)}:
            return True
        alike = True
    return not alike


def _kind(cell: str) -> str:
    cell = cell.strip()
    return "number" if _NUMBER.match(cell) else "date" if _DATE.match(cell) else "text"
