"""A frame (pandas, polars or Arrow) as Arrow columns, with what is needed to give the same types back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import narwhals as nw
import pandas as pd
import pyarrow as pa

from datareplicator.errors import Place, RequestError, SourceError
from datareplicator.formats.normalise import arrow_from_values, check_names

Frame = Literal["pandas", "polars", "arrow"]


@dataclass(frozen=True)
class SourceColumn:
    """One column: its values (one Arrow array, dictionaries decoded unless of text), and the pandas type where Arrow's
    does not imply it. `categories`: those of a pandas categorical in their order, `ordered` whether that matters."""

    name: str
    data: pa.Array
    pandas_dtype: str | None = None
    categories: tuple[str, ...] | None = None
    ordered: bool | None = None


@dataclass(frozen=True)
class SourceTable:
    """A table: columns in order, `rows`, and the library that the frame came from."""

    columns: dict[str, SourceColumn]
    rows: int
    frame: Frame


def read_table(frame: Any, table: str | None = None) -> SourceTable:
    """The columns of a frame, which is not changed.

    Raises RequestError where it is no frame, SourceError for double names and for cells that hold lists, objects or
    bytes.
    """
    place = Place(table=table)
    if isinstance(frame, pd.DataFrame):
        names = [str(name) for name in frame.columns]
        check_names(names, place)
        columns = {name: _from_pandas(name, frame.iloc[:, at], table) for at, name in enumerate(names)}
        return SourceTable(columns, len(frame), "pandas")
    if isinstance(frame, pa.Table | pa.RecordBatch):
        data, kind = (pa.table(frame) if isinstance(frame, pa.RecordBatch) else frame), "arrow"
    else:
        try:
            native = nw.from_native(frame)
        except TypeError as error:
            raise RequestError(
                f"a {type(frame).__name__} is no frame.", place=place, hint="Give a pandas, polars or Arrow frame."
            ) from error
        data = (native.collect() if isinstance(native, nw.LazyFrame) else native).to_arrow()
        kind = "polars" if native.implementation.is_polars() else "arrow"
    check_names(data.column_names, place)
    columns = {
        name: SourceColumn(
            name,
            _plain(values, Place(table=table, column=name)),
            "category" if pa.types.is_dictionary(values.type) else None,
        )
        for name, values in zip(data.column_names, data.columns, strict=True)
    }
    return SourceTable(columns, data.num_rows, kind)  # type: ignore[arg-type]


def _from_pandas(name: str, values: pd.Series, table: str | None) -> SourceColumn:
    place = Place(table=table, column=name)
    dtype = values.dtype
    categories, ordered = None, None
    if isinstance(dtype, pd.PeriodDtype):
        values = values.astype("str")
    if isinstance(dtype, pd.CategoricalDtype):
        categories, ordered = dtype.categories, bool(dtype.ordered)
        values = values.astype(categories.dtype) if not isinstance(categories.dtype, pd.StringDtype) else values
    try:
        if pd.api.types.is_object_dtype(values.dtype):
            raise TypeError("objects may be of any type")
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError):
        array = arrow_from_values(values.tolist(), place)
    data = _plain(array, place)
    shown = None if categories is None else tuple(keys_of(pa.array(categories, from_pandas=True)))
    return SourceColumn(name, data, _pandas_dtype(dtype, data.type), shown, ordered)


def _pandas_dtype(dtype: Any, kind: pa.DataType) -> str | None:
    """The name of the pandas type, None where it is what pandas makes of Arrow's."""
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    usual = {"float64": pa.float64(), "int64": pa.int64(), "bool": pa.bool_()}.get(str(dtype))
    if usual == kind or (isinstance(dtype, pd.StringDtype) and dtype.na_value is not pd.NA):
        return None
    if pd.api.types.is_object_dtype(dtype):
        return "object" if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)) else None
    return str(dtype)


def _plain(values: pa.Array | pa.ChunkedArray, place: Place) -> pa.Array:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        values = values.storage
        kind = values.type
    if pa.types.is_dictionary(kind):
        if pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type):
            return values
        return values.cast(kind.value_type)
    if pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return values.cast(pa.large_string())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        raise SourceError(
            f"the column holds values of type {kind}, which a flat table cannot have.",
            place=place,
            hint="Flatten the column into plain columns, or leave it out.",
        )
    return values


def keys_of(values: pa.Array) -> list[str]:
    """Values as keys of a JSON object: text as it is, the rest as Arrow writes it; Arrow reads all of them back."""
    return [str(key) for key in values.cast(pa.large_string()).to_pylist()]
