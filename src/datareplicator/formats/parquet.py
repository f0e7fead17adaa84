"""Parquet, by pyarrow. What the study knows of a column (label, length, SAS format) travels in the file's own
metadata under the key ``datareplicator``, so that a study comes back from Parquet as it went in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from datareplicator.errors import Place, SourceError, WriteError
from datareplicator.formats.layout import TableLayout, let_go
from datareplicator.formats.normalise import check_names, described_columns, table_from_arrow
from datareplicator.formats.options import NarrowType, ParquetOptions
from datareplicator.study import Column, Origin, Table

KEY = b"datareplicator"
_FLUSH_BYTES = 16 << 20
_ARROW = {
    "text": pa.string(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
    "time": pa.duration("us"),
}
_NARROW = frozenset(get_args(NarrowType))  # wider in memory than in the source, and written back as they came
_DESCRIBED = {"label": str, "length": int, "format": str, "informat": str}


def read(path: Path, shown: str) -> list[Table]:
    """The table of a Parquet file.

    Raises `SourceError` where the file is damaged or holds nested columns.
    """
    try:
        data = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"the Parquet file cannot be read ({str(error).splitlines()[0]}).",
            place=Place(shown),
            hint="The file is damaged or was cut; export it again.",
        ) from error
    schema = data.schema
    note = described_columns((schema.metadata or {}).get(KEY))
    pandas = described_columns((schema.metadata or {}).get(b"pandas"))
    check_names(data.column_names, Place(shown, path.stem))
    index = [name for name in pandas.get("index_columns", ()) if str(name).startswith("__index_level_")]
    data = data.drop_columns([name for name in index if name in data.column_names])
    attributes = pandas.get("attributes") or {}
    described = {field.name: _described(field.metadata or {}, attributes) for field in schema}
    options: dict[str, Any] = {"attributes": attributes} if attributes else {}
    narrow = {field.name: str(field.type) for field in schema if str(field.type) in _NARROW}
    if narrow:
        options["types"] = narrow
    label = note.get("label", "")
    return [
        table_from_arrow(
            path.stem, data, Origin("parquet", Path(shown).name, options), label=label, described=described
        )
    ]


def _described(metadata: dict[bytes, bytes], attributes: dict[str, Any]) -> dict[str, Any]:
    """What a field says of itself: our note first, then a plain ``label`` as other tools write it."""
    note = described_columns(metadata.get(KEY))
    known = {name: note[name] for name, kind in _DESCRIBED.items() if isinstance(note.get(name), kind)}
    if "label" not in known and b"label" in metadata:
        known["label"] = metadata[b"label"].decode("utf-8", errors="replace")
    return known


def arrow_column(values: pd.Series, column: Column, place: Place) -> pa.ChunkedArray:
    """A normalised column as Arrow, of the type its `Column` declares.

    Raises `WriteError` where a value is not of that type.
    """
    kind = _ARROW[column.type]
    if column.type == "datetime":
        kind = pa.timestamp("us", getattr(values.dtype, "tz", None) and str(values.dtype.tz))
    try:
        data = pa.array(values, from_pandas=True)
        if column.type == "time" and pa.types.is_null(data.type):
            return pa.chunked_array([data.cast(kind)])
        data = data if isinstance(data, pa.ChunkedArray) else pa.chunked_array([data])
        if pa.types.is_dictionary(data.type):
            data = data.cast(data.type.value_type)
        return data.cast(kind)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise WriteError(
            f"a value is not of the column's type {column.type} ({str(error).splitlines()[0]}).", place=place
        ) from error


def _narrowed(data: pa.ChunkedArray, kind: str, place: Place) -> pa.ChunkedArray:
    """The column in the narrower type that it had in the source.

    Raises `WriteError` where a value does not fit.
    """
    try:
        if kind.startswith("time"):
            data = data.cast(pa.int64()).cast(pa.time64("us"))
        return data.cast(pa.type_for_alias(kind))
    except pa.ArrowException as error:
        raise WriteError(
            f"a value does not fit the source's type {kind}.", place=place, hint="Write another format."
        ) from error


class Writer:
    """Writes one Parquet file block by block."""

    suffix = ".parquet"

    def __init__(self, path: Path, layout: TableLayout) -> None:
        self._layout, self._path = layout, path
        self._narrow: Mapping[str, str] = layout.own_options("parquet", ParquetOptions).types
        self._pending: list[pa.Table] = []
        self._pending_bytes = 0
        self._schema: pa.Schema | None = None
        self._writer: pq.ParquetWriter | None = None

    def append(self, frame: pd.DataFrame) -> None:
        """Add rows, columns in the layout's order."""
        arrays = [self._array(frame[name], column) for name, column in self._layout.columns.items()]
        if self._schema is None:
            self._open([array.type for array in arrays])
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        self._pending.append(table)
        self._pending_bytes += table.nbytes
        if self._pending_bytes >= _FLUSH_BYTES:
            self._flush()

    def _array(self, values: pd.Series, column: Column) -> pa.ChunkedArray:
        place = Place(self._path.name, self._layout.name, column.name)
        data = arrow_column(values, column, place)
        if column.name in self._narrow:
            return _narrowed(data, self._narrow[column.name], place)
        return data.fill_null("") if column.type == "text" and column.blank else data

    def _open(self, kinds: list[pa.DataType]) -> None:
        fields = []
        for column, kind in zip(self._layout.columns.values(), kinds, strict=True):
            note = {name: getattr(column, name) for name in _DESCRIBED if getattr(column, name)}
            fields.append(pa.field(column.name, kind, metadata={KEY: json.dumps(note).encode()} if note else None))
        note = {KEY: json.dumps({"label": self._layout.label}).encode()} if self._layout.label else None
        self._schema = pa.schema(fields, metadata=note)
        self._writer = pq.ParquetWriter(self._path, self._schema, compression="zstd")

    def _flush(self) -> None:
        if self._pending and self._writer is not None:
            self._writer.write_table(pa.concat_tables(self._pending), row_group_size=1 << 20)
        self._pending, self._pending_bytes = [], 0

    def close(self) -> None:
        """Write what is pending and the footer."""
        if self._writer is None:
            self.append(pd.DataFrame({name: pd.Series([], dtype=object) for name in self._layout.columns}))
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def abort(self) -> None:
        """Let go of the file; what was written is thrown away by the caller."""
        if self._writer is not None:
            let_go(self._writer)
