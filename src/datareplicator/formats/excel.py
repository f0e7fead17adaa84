"""Excel workbooks (``.xlsx``) by openpyxl: each sheet is a table, its first row the names.

Numbers and texts stay what their cells are; a text ``007`` remains one. openpyxl is imported where a workbook is at
hand: every worker process would wait for it otherwise.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from datareplicator.errors import Place, SourceError, WriteError
from datareplicator.formats.archive import check_archive
from datareplicator.formats.layout import TableLayout, let_go
from datareplicator.formats.normalise import arrow_from_values, check_names, table_from_arrow
from datareplicator.formats.options import ExcelOptions
from datareplicator.formats.textual import text_of
from datareplicator.study import Column, Origin, Table

MAX_ROWS = 1_048_575
MAX_TEXT = 32_767
_EXACT = 10**15  # Excel keeps 15 digits: longer whole numbers are written as text
_DEFAULT_SHEET = re.compile(r"^(sheet|tabelle|feuil|hoja|foglio|blad)\s?\d+$", re.IGNORECASE)
_MOMENT = (1980, 1, 1, 0, 0, 0)


def read(path: Path, shown: str) -> list[Table]:
    """The tables of a workbook. A workbook of one sheet gives a table named like the file.

    Raises `SourceError` where the file is damaged, or a sheet has double names.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, shown)
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise SourceError(
            f"the workbook cannot be read ({error}).", place=Place(shown), hint="Save it again."
        ) from error
    try:
        filled = [(sheet.title, rows) for sheet in book.worksheets if (rows := _rows(sheet))]
    except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
        raise SourceError(f"the workbook is damaged ({error}).", place=Place(shown), hint="Save it again.") from error
    finally:
        book.close()
    if not filled:
        raise SourceError("the workbook holds no cells.", place=Place(shown), hint="Save it again, or leave it out.")
    alone = len(filled) == 1
    return [_table(path.stem if alone else title, title, rows, shown) for title, rows in filled]


def _rows(sheet: Any) -> list[tuple[Any, ...]]:
    """The rows that hold something, from the first on."""
    rows = list(sheet.iter_rows(values_only=True))
    while rows and all(cell is None for cell in rows[-1]):
        rows.pop()
    while rows and all(cell is None for cell in rows[0]):
        rows.pop(0)
    return rows


def _table(name: str, sheet: str, rows: list[tuple[Any, ...]], shown: str) -> Table:
    width = max(
        len(row) - next((i for i, cell in enumerate(reversed(row)) if cell is not None), len(row)) for row in rows
    )
    head = [*rows[0], *[None] * width][:width]
    names = [str(cell) if cell is not None else f"column{number}" for number, cell in enumerate(head, start=1)]
    check_names(names, Place(shown, name))
    body = [[*row, *[None] * width][:width] for row in rows[1:]]
    columns = {
        column: _values([row[at] for row in body], Place(shown, name, column)) for at, column in enumerate(names)
    }
    return table_from_arrow(name, columns, Origin("xlsx", Path(shown).name, {"sheet": sheet}))


def _values(cells: list[Any], place: Place) -> pa.ChunkedArray:
    """Midnights without exception are dates."""
    known = [cell for cell in cells if cell is not None]
    if known and all(isinstance(cell, dt.datetime) and cell.time() == dt.time() for cell in known):
        cells = [None if cell is None else cell.date() for cell in cells]
    return arrow_from_values(cells, place)


class Writer:
    """Writes one workbook of one sheet; rows are streamed to a temporary file by openpyxl.

    Raises `WriteError` for more than 1,048,575 rows, texts over 32,767 characters and control characters.
    """

    def __init__(self, path: Path, layout: TableLayout) -> None:
        import openpyxl

        self._path, self._layout, self._rows = path, layout, 0
        self._book = openpyxl.Workbook(write_only=True)
        self._sheet = self._book.create_sheet(re.sub(r"[\[\]:*?/\\]", "_", self._title())[:31])
        self._sheet.append([self._cell(name) for name in layout.columns])

    def _title(self) -> str:
        own = self._layout.own_options("xlsx", ExcelOptions).sheet
        return own if own and not _DEFAULT_SHEET.match(own) else self._layout.name

    def _cell(self, value: Any) -> Any:
        """Text that begins with = is text, not a formula."""
        if isinstance(value, str) and value.startswith("="):
            from openpyxl.cell import WriteOnlyCell

            cell = WriteOnlyCell(self._sheet, value)
            cell.data_type = "s"
            return cell
        return value

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows, columns in the layout's order."""
        from openpyxl.utils.exceptions import IllegalCharacterError

        if self._rows + len(frame) > MAX_ROWS:
            raise WriteError(
                f"a sheet holds {MAX_ROWS:,} rows.",
                place=Place(self._path.name, self._layout.name),
                hint="Write Parquet.",
            )
        columns = [self._cells(frame[column.name], column) for column in self._layout.columns.values()]
        for number, row in enumerate(zip(*columns, strict=True), start=self._rows + 1):
            try:
                self._sheet.append([self._cell(value) for value in row])
            except IllegalCharacterError as error:
                raise WriteError(
                    "a text holds control characters, which Excel refuses.",
                    place=Place(self._path.name, self._layout.name, row=number),
                    hint="Write Parquet or CSV.",
                ) from error
        self._rows += len(frame)

    def _cells(self, values: pd.Series, column: Column) -> Iterable[Any]:
        if column.type == "text":
            texts = text_of(values, column).to_pylist()
            long = next((at for at, text in enumerate(texts) if text is not None and len(text) > MAX_TEXT), None)
            if long is not None:
                raise WriteError(
                    f"a cell holds {MAX_TEXT:,} characters.",
                    place=Place(self._path.name, self._layout.name, column.name, self._rows + long + 1),
                    hint="Write Parquet or CSV.",
                )
            return texts
        if column.type == "integer":
            return [None if v is pd.NA else str(v) if abs(v) >= _EXACT else int(v) for v in values.astype("Int64")]
        if column.type == "float":
            return self._floats(values.to_numpy(dtype=float, na_value=np.nan), column)
        if column.type == "date":
            return [None if v is pd.NaT else v.date() for v in values]
        if column.type == "datetime" and getattr(values.dtype, "tz", None) is None:
            return [None if v is pd.NaT else v.to_pydatetime() for v in values]
        if column.type == "boolean":
            return [None if v is pd.NA else bool(v) for v in values.astype("boolean")]
        return text_of(values, column).to_pylist()

    def _floats(self, values: np.ndarray, column: Column) -> list[float | None]:
        infinite = np.isinf(values)
        if infinite.any():
            row = self._rows + int(np.argmax(infinite)) + 1
            place = Place(self._path.name, self._layout.name, column.name, row)
            raise WriteError("Excel has no infinite numbers.", place=place, hint="Write Parquet or CSV.")
        return [None if value != value else value for value in values.tolist()]

    def close(self) -> None:
        """Finish the file, without the moment of writing in it: the same study gives the same bytes."""
        raw, fixed = io.BytesIO(), io.BytesIO()
        self._book.save(raw)
        with zipfile.ZipFile(raw) as source, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as target:
            for member in source.infolist():
                data = source.read(member)
                if member.filename == "docProps/core.xml":
                    data = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"1980-01-01T00:00:00Z", data)
                entry = zipfile.ZipInfo(member.filename, _MOMENT)
                entry.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(entry, data)
        self._path.write_bytes(fixed.getvalue())

    def abort(self) -> None:
        """End openpyxl's temporary file."""
        let_go(self._sheet)
