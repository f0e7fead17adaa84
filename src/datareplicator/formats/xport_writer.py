"""Writing SAS XPORT files, version 5 (and 8 where the source was one), block by block.

The widths of text columns stand in the header, before the rows: they begin at the declared length, and where a later
block brings a longer text, the rows from there on are written wider and `close` brings the earlier ones to the same
width. Memory stays bounded, and the declared lengths are kept wherever the data fit them.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from datareplicator.errors import Place, WriteError
from datareplicator.formats.ibm import out_of_range, to_ibm
from datareplicator.formats.layout import TableLayout, let_go
from datareplicator.formats.options import XportOptions
from datareplicator.formats.sasformats import moment_kind, split_format, to_sas
from datareplicator.formats.xport_layout import RECORD, Member, Variable, write_header
from datareplicator.study import Column

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_MOMENT_FORMAT = {"date": "DATE9.", "datetime": "DATETIME20.", "time": "TIME8."}
_EXACT = 1 << 53
_REWRITE_BYTES = 8 << 20


@dataclass(frozen=True)
class _Limits:
    name: int
    label: int
    text: int


_LIMITS = {5: _Limits(8, 40, 200), 8: _Limits(32, 256, 32767)}


@dataclass
class _Segment:
    """Rows written one after the other with the same widths."""

    widths: list[int]
    rows: int = 0


class Writer:
    """Writes one XPORT file.

    Raises `WriteError` at once for names and labels that version 5 cannot hold, and later for texts that are too long
    and numbers that are too large, naming the row.
    """

    def __init__(self, path: Path, layout: TableLayout) -> None:
        own = layout.own_options("xpt", XportOptions)
        self._path, self._layout = path, layout
        self._version = own.version
        self._encoding = own.encoding
        self._came_so = layout.came_from("xpt")
        self._columns = list(layout.columns.values())
        self._member = own.member or (layout.name if self._version == 8 else layout.name.upper())
        self._check()
        self._rows = 0
        self._segments = [_Segment([self._declared(column) for column in self._columns])]
        self._stream: BinaryIO = path.open("w+b")
        self._body = len(self._header(self._segments[0].widths))
        self._stream.seek(self._body)

    def _place(self, column: str | None = None, row: int | None = None) -> Place:
        return Place(self._path.name, self._layout.name, column, row)

    def _check(self) -> None:
        """Names and labels, and the rule that SAS does not tell upper from lower case."""
        limits = _LIMITS[self._version]
        self._check_name(self._member, None)
        if len(self._layout.label.encode("utf-8")) > 40:
            raise WriteError(
                "a table's label may have 40 bytes in XPT.", place=self._place(), hint="Shorten the label."
            )
        seen: set[str] = set()
        for column in self._columns:
            self._check_name(column.name, column.name)
            if column.name.upper() in seen:
                raise WriteError(
                    "another column differs by upper and lower case only.",
                    place=self._place(column.name),
                    hint="Rename it.",
                )
            seen.add(column.name.upper())
            if len(column.label.encode(self._encoding, errors="replace")) > limits.label:
                raise WriteError(
                    f"the label has more than the {limits.label} bytes that XPT version {self._version} holds.",
                    place=self._place(column.name),
                    hint="Shorten the label, or write Parquet.",
                )
            self._check_formats(column)

    def _check_name(self, name: str, column: str | None) -> None:
        limit = _LIMITS[self._version].name
        valid = _NAME.match(name) is not None and (self._version == 8 or self._came_so or name == name.upper())
        if len(name) > limit or not valid:
            raise WriteError(
                f"the name {name} cannot be in XPT version {self._version}: up to {limit} "
                "capital letters, digits and underscores, no digit first.",
                place=self._place(column),
                hint="Rename it, or write Parquet or CSV.",
            )

    def _check_formats(self, column: Column) -> None:
        """The names of formats have 8 bytes in version 5; version 8 has a section for longer ones."""
        for text in (_format_of(column), column.informat):
            if self._version == 5 and len(split_format(text)[0].encode(self._encoding, errors="replace")) > 8:
                raise WriteError(
                    f"the format {text} has a name of more than the 8 bytes that XPT version 5 holds.",
                    place=self._place(column.name),
                    hint="Write Parquet or CSV.",
                )

    def _declared(self, column: Column) -> int:
        if column.type == "text":
            return max(1, min(column.length or 1, self._text_limit(column)))
        return column.length if column.length is not None and 2 <= column.length <= 8 else 8

    def _text_limit(self, column: Column) -> int:
        limit = _LIMITS[self._version].text
        return max(limit, min(column.length or 0, 32767)) if self._came_so else limit

    def _header(self, widths: list[int]) -> bytes:
        offsets = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(int).tolist()
        variables = [
            Variable(
                column.name, column.type != "text", width, offset, column.label, _format_of(column), column.informat
            )
            for column, width, offset in zip(self._columns, widths, offsets, strict=True)
        ]
        return write_header(
            Member(self._member, self._layout.label, self._version, variables, rows=self._rows), self._encoding
        )

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows, columns in the layout's order."""
        cells = [self._encode(frame[column.name], column) for column in self._columns]
        widths = [
            max(width, _needed(part, column, width))
            for part, column, width in zip(cells, self._columns, self._segments[-1].widths, strict=True)
        ]
        if widths != self._segments[-1].widths:
            self._segments.append(_Segment(widths))
        self._stream.write(_records(cells, [column.type == "text" for column in self._columns], widths).tobytes())
        self._segments[-1].rows += len(frame)
        self._rows += len(frame)

    def _encode(self, values: pd.Series, column: Column) -> np.ndarray:
        """A column as padded bytes: uint8 of shape (rows, bytes)."""
        if column.type == "text":
            return self._encode_text(values, column)
        number = _numbers(values, column)
        if column.type == "integer":
            self._refuse(np.abs(number) > _EXACT, column, "the whole number has more digits than SAS numbers hold.")
        self._refuse(out_of_range(number), column, "the number is infinite or larger than SAS numbers can be.")
        return to_ibm(number)

    def _encode_text(self, values: pd.Series, column: Column) -> np.ndarray:
        data = pa.array(values, from_pandas=True)
        data = data.combine_chunks() if isinstance(data, pa.ChunkedArray) else data
        coded = data if pa.types.is_dictionary(data.type) else data.cast(pa.large_string()).dictionary_encode()
        codes = np.asarray(coded.indices.fill_null(-1), dtype=np.int64)
        used = np.zeros(len(coded.dictionary) + 1, dtype=bool)
        used[codes] = True
        encoded = [
            self._bytes(str(text), column, codes, code) if used[code] else b""
            for code, text in enumerate(coded.dictionary.to_pylist())
        ]
        size = np.array([len(raw) for raw in encoded] + [0])
        limit = self._text_limit(column)
        self._refuse(size[codes] > limit, column, f"the text has more than the {limit} bytes that XPT holds.")
        width = max(1, int(size.max()))
        table = np.frombuffer(b"".join(raw.ljust(width) for raw in encoded) + b" " * width, dtype=np.uint8)
        return table.reshape(-1, width)[codes]

    def _bytes(self, text: str, column: Column, codes: np.ndarray, code: int) -> bytes:
        try:
            return text.encode(self._encoding).rstrip(b" ")
        except UnicodeEncodeError as error:
            row = self._rows + int(np.argmax(codes == code)) + 1
            raise WriteError(
                f"the text holds characters that the source's encoding {self._encoding} lacks.",
                place=self._place(column.name, row),
                hint="Write Parquet or CSV.",
            ) from error

    def _refuse(self, bad: np.ndarray, column: Column, message: str) -> None:
        if bad.any():
            row = self._rows + int(np.argmax(bad)) + 1
            raise WriteError(message, place=self._place(column.name, row), hint="Write Parquet or CSV.")

    def close(self) -> None:
        """Bring all rows to the final widths, and write the header and the padding."""
        widths = self._segments[-1].widths
        if any(segment.rows and segment.widths != widths for segment in self._segments):
            self._widen(widths)
        self._stream.seek(0, os.SEEK_END)
        self._stream.write(b" " * (-self._stream.tell() % RECORD))
        self._stream.seek(0)
        self._stream.write(self._header(widths))
        self._stream.close()

    def _widen(self, widths: list[int]) -> None:
        """Copy the rows into a second file at the final widths, then put it in the place of the first."""
        text = [column.type == "text" for column in self._columns]
        wider = self._path.with_name(self._path.name + ".wider")
        self._stream.seek(self._body)
        with wider.open("wb") as target:
            target.write(b" " * self._body)
            for segment in self._segments:
                size, left = sum(segment.widths), segment.rows
                edges = np.cumsum(segment.widths)[:-1]
                while left:
                    rows = min(left, max(1, _REWRITE_BYTES // size))
                    raw = np.frombuffer(self._stream.read(rows * size), dtype=np.uint8).reshape(rows, size)
                    target.write(_records(np.split(raw, edges, axis=1), text, widths).tobytes())
                    left -= rows
        self._stream.close()
        os.replace(wider, self._path)
        self._stream = self._path.open("r+b")

    def abort(self) -> None:
        """Let go of the file."""
        let_go(self._stream)


def _format_of(column: Column) -> str:
    """The format to write: dates need one to be read as dates, and text must not have one of numbers."""
    if column.type == "text":
        return column.format if column.format.startswith("$") else ""
    default = _MOMENT_FORMAT.get(column.type)
    return default if default is not None and moment_kind(column.format) != column.type else column.format


def _numbers(values: pd.Series, column: Column) -> np.ndarray:
    if column.type in ("date", "datetime", "time"):
        return to_sas(values, column.type)
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _needed(cells: np.ndarray, column: Column, width: int) -> int:
    """Bytes that the cells of a column need; a number may be cut only where the bytes cut off are zero."""
    if column.type == "text":
        return cells.shape[1]
    return 8 if cells[:, width:].any() else width


def _records(cells: list[np.ndarray], text: list[bool], widths: list[int]) -> np.ndarray:
    """Rows of the given widths: uint8 (rows, sum of widths), text filled with blanks and numbers with zeros."""
    records = np.full((len(cells[0]), sum(widths)), 0x20, dtype=np.uint8)
    at = 0
    for part, is_text, width in zip(cells, text, widths, strict=True):
        size = min(part.shape[1], width)
        records[:, at : at + size] = part[:, :size]
        if not is_text:
            records[:, at + size : at + width] = 0
        at += width
    return records
