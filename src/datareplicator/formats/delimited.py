"""CSV, TSV and their relatives: everything is read as text first, and becomes a number only without loss.

Only the empty field is missing: ``NA``, ``None`` and ``.`` are texts. Blanks at either end of a cell are kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from datareplicator.errors import Place, SourceError, WriteError
from datareplicator.formats.dialect import Dialect, decode_text, sniff
from datareplicator.formats.inference import infer
from datareplicator.formats.layout import TableLayout, let_go
from datareplicator.formats.normalise import check_names, table_from_arrow
from datareplicator.formats.options import DelimitedOptions
from datareplicator.formats.textual import text_of
from datareplicator.study import Origin, Table

_LARGEST_BLOCK = (1 << 31) - 2


def read(path: Path, shown: str) -> list[Table]:
    """The table of a delimited file.

    Raises `SourceError` for NUL characters, rows of too few or too many cells, double or missing column names.
    """
    place = Place(shown, path.stem)
    text, encoding = decode_text(path.read_bytes(), place)
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise SourceError("the file is empty.", place=Place(shown), hint="Export it again, or leave it out.")
    tabs = path.suffix.lower() in (".tsv", ".tab")
    dialect = sniff(text, encoding, tabs)
    data = _parse(text, dialect, place)
    styles: dict[str, str] = {}
    columns: dict[str, pa.ChunkedArray] = {}
    for name, values in zip(data.column_names, data.columns, strict=True):
        present = pc.if_else(pc.equal(values, ""), pa.scalar(None, values.type), values)
        columns[name], style = infer(name, present)
        if style:
            styles[name] = style
    options = {
        "delimiter": dialect.delimiter,
        "encoding": encoding,
        "header": dialect.header,
        "newline": dialect.newline,
    }
    if styles:
        options["styles"] = styles
    return [table_from_arrow(path.stem, columns, Origin("tsv" if tabs else "csv", Path(shown).name, options))]


def _parse(text: str, dialect: Dialect, place: Place) -> pa.Table:
    """All cells as text."""
    if dialect.newline == "\r":
        text = text.replace("\r", "\n")
    raw = text.encode("utf-8")
    names, body = _names(text, dialect, place)
    check_names(names, place)
    bad: list[arrow_csv.InvalidRow] = []

    def refuse(row: arrow_csv.InvalidRow) -> str:
        bad.append(row)
        return "error"

    quoted = '"' in text
    try:
        data = arrow_csv.read_csv(
            pa.py_buffer(raw[body:]),
            read_options=arrow_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=min(max(len(raw), 1 << 10), _LARGEST_BLOCK)
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=dialect.delimiter,
                newlines_in_values=quoted,
                invalid_row_handler=refuse,
                ignore_empty_lines=True,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        if not bad:
            return _nothing(names, raw[body:], error, place)
        row = bad[0]
        raise SourceError(
            f"the row has {row.actual_columns} cells instead of {row.expected_columns}.",
            place=Place(place.file, place.table, row=row.number),
            hint="Quote cells that hold the delimiter, and give every row all its cells.",
        ) from error
    _check_quotes(text, data, place)
    return data


def _check_quotes(text: str, data: pa.Table, place: Place) -> None:
    """A quote that is never closed swallows the rows after it into the last cell."""
    if text.count('"') % 2 and data.num_rows and any("\n" in (values[-1].as_py() or "") for values in data.columns):
        raise SourceError(
            "a quotation mark is opened and never closed.",
            place=Place(place.file, place.table, row=data.num_rows),
            hint="Close it, or double the marks that belong to the text; the file may have been cut.",
        )


def _nothing(names: list[str], body: bytes, error: pa.ArrowInvalid, place: Place) -> pa.Table:
    """A table without rows where only the header is there; else the parser's complaint."""
    if body.strip():
        raise SourceError(
            f"the file cannot be read as delimited text ({str(error).splitlines()[0]}).",
            place=place,
            hint="Check quotes and line ends.",
        ) from error
    return pa.table({name: pa.array([], pa.large_string()) for name in names})


def _names(text: str, dialect: Dialect, place: Place) -> tuple[list[str], int]:
    """Column names, and the byte where the rows begin."""
    end = _line_end(text)
    first = next(_cells(text[:end], dialect), [])
    if not dialect.header:
        return [f"column{number}" for number in range(1, len(first) + 1)], 0
    names = [name or f"column{number}" for number, name in enumerate(first, start=1)]
    return names, len(text[:end].encode("utf-8"))


def _line_end(text: str) -> int:
    """The place after the first line that holds something, quoted line ends not counted."""
    at, quoted, seen = 0, False, False
    for at, mark in enumerate(text):
        quoted ^= mark == '"'
        if mark == "\n" and not quoted and seen:
            return at + 1
        seen |= not mark.isspace()
    return len(text)


def _cells(line: str, dialect: Dialect) -> Iterator[list[str]]:
    return (row for row in csv.reader(io.StringIO(line, newline=""), delimiter=dialect.delimiter) if row)


class Writer:
    """Writes one delimited file block by block, in the dialect the table came in where it came from one."""

    name = "csv"
    delimiter = ","

    def __init__(self, path: Path, layout: TableLayout) -> None:
        own = layout.own_options(self.name, DelimitedOptions)
        self._path, self._layout, self._styles, self._newline = path, layout, own.styles, own.newline
        self._delimiter = own.delimiter if layout.came_from(self.name) else self.delimiter
        try:
            self._stream = path.open("w", encoding=own.encoding, newline="", errors="strict")
        except LookupError as error:
            raise WriteError(f"the encoding {own.encoding} is unknown.", place=Place(path.name)) from error
        if own.header:
            self._write([pa.array([name], pa.large_string()) for name in layout.columns])

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows, columns in the layout's order."""
        if len(frame):
            self._write(
                [text_of(frame[name], column, self._styles.get(name)) for name, column in self._layout.columns.items()]
            )

    def _write(self, cells: list[pa.Array]) -> None:
        quoted = [self._quote(values) for values in cells]
        if len(quoted) == 1:
            lines = pc.if_else(
                pc.equal(quoted[0], ""), pa.scalar('""', pa.large_string()), quoted[0]
            )  # an empty line would be no row at all
        else:
            lines = pc.binary_join_element_wise(*quoted, pa.scalar(self._delimiter, pa.large_string()))
        try:
            self._stream.write(self._newline.join(lines.to_pylist()) + self._newline)
        except UnicodeEncodeError as error:
            raise WriteError(
                f"the text {error.object[error.start : error.end]!r} is not in the source's encoding {error.encoding}.",
                place=Place(self._path.name, self._layout.name),
                hint="Write another format than that of the source.",
            ) from error

    def _quote(self, values: pa.Array) -> pa.Array:
        values = pc.fill_null(values.cast(pa.large_string()), "")
        needs = pc.match_substring_regex(values, f'[{_escaped(self._delimiter)}"\r\n]')
        if not pc.any(needs).as_py():
            return values
        mark, nothing = pa.scalar('"', values.type), pa.scalar("", values.type)
        marked = pc.binary_join_element_wise(mark, pc.replace_substring(values, '"', '""'), mark, nothing)
        return pc.if_else(needs, marked, values)

    def close(self) -> None:
        """Finish the file."""
        self._stream.close()

    def abort(self) -> None:
        """Let go of the file."""
        let_go(self._stream)


class TabWriter(Writer):
    """The same with tabs."""

    name = "tsv"
    delimiter = "\t"


def _escaped(delimiter: str) -> str:
    return {"|": "\\|", "\t": "\t"}.get(delimiter, delimiter)
