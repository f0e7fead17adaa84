"""From whatever a reader holds to the normalised columns that `study.py` promises, by way of Arrow.

Arrow is the common ground: Parquet is Arrow, pandas and polars frames convert to it, and lists of Python values too.
"""

from __future__ import annotations

import decimal
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from datareplicator.errors import Place, SourceError
from datareplicator.study import Column, ColumnType, Origin, Table

TEXT = pd.StringDtype(na_value=np.nan)
INT64_MAX = np.iinfo(np.int64).max


def text_series(values: pa.Array | pa.ChunkedArray) -> pd.Series:
    """A pandas ``str`` column of Arrow text (null = missing)."""
    if isinstance(values, pa.Array):
        values = pa.chunked_array([values])
    return pd.Series(TEXT.__from_arrow__(values.cast(pa.large_string())))


def column_from_arrow(values: pa.ChunkedArray, place: Place) -> tuple[pd.Series, ColumnType, bool]:
    """Normalise one column.

    Returns the pandas column, its type, and whether missing text is written as the empty string there.

    Raises `SourceError` for types that a flat table cannot have (lists, structs, bytes).
    """
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
        kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        values = pa.chunked_array([chunk.storage for chunk in values.chunks], kind.storage_type)
        kind = values.type
    for test, convert in _CONVERTERS:
        if test(kind):
            return convert(values)
    raise SourceError(
        f"the column holds values of type {kind}, which a flat table cannot have.",
        place=place,
        hint="Flatten the column into plain columns, or leave it out.",
    )


def _text(values: pa.ChunkedArray) -> tuple[pd.Series, ColumnType, bool]:
    values = values.cast(pa.large_string())
    empty = pc.equal(values, "")
    count = pc.sum(empty).as_py() or 0
    if count:
        blank = count > values.null_count
        return text_series(pc.if_else(empty, pa.scalar(None, pa.large_string()), values)), "text", blank
    return text_series(values), "text", False


def _null(values: pa.ChunkedArray) -> tuple[pd.Series, ColumnType, bool]:
    return text_series(values.cast(pa.large_string())), "text", False


def _integer(values: pa.ChunkedArray) -> tuple[pd.Series, ColumnType, bool]:
    if pa.types.is_uint64(values.type) and len(values) and (pc.max(values).as_py() or 0) > INT64_MAX:
        return _text(values.cast(pa.string()))
    whole = values.cast(pa.int64())
    if not whole.null_count:
        return pd.Series(np.asarray(whole, dtype=np.int64)), "integer", False
    missing = np.asarray(whole.is_null())
    filled = np.asarray(pc.fill_null(whole, 0), dtype=np.int64)
    return pd.Series(pd.arrays.IntegerArray(filled, missing)), "integer", False


def _float(values: pa.ChunkedArray) -> tuple[pd.Series, ColumnType, bool]:
    number = values.cast(pa.float64())
    return pd.Series(np.array(pc.fill_null(number, float("nan")), dtype=np.float64)), "float", False


def _decimal(values: pa.ChunkedArray) -> tuple[pd.Series, ColumnType, bool]:
    if values.type.scale > 0:
        return _float(values)
    try:
        return _integer(values.cast(pa.int64()))
    except pa.ArrowInvalid:
        return _text(values.cast(pa.string()))


def _boolean(values: pa.ChunkedArray) -> tuple[pd.Series, ColumnType, bool]:
    missing = np.asarray(values.is_null())
    return (
        pd.Series(pd.arrays.BooleanArray(np.array(pc.fill_null(values, False), dtype=bool), missing)),
        "boolean",
        False,
    )


def _date(values: pa.ChunkedArray) -> tuple[pd.Series, ColumnType, bool]:
    return pd.Series(np.asarray(values.cast(pa.timestamp("us")))).astype("datetime64[us]"), "date", False


def _datetime(values: pa.ChunkedArray) -> tuple[pd.Series, ColumnType, bool]:
    zone = values.type.tz
    stamp = values.cast(pa.timestamp("us", zone), safe=False)
    naive = pd.Series(np.asarray(stamp.cast(pa.int64()).cast(pa.timestamp("us")))).astype("datetime64[us]")
    return (naive.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else naive), "datetime", False


def _time(values: pa.ChunkedArray) -> tuple[pd.Series, ColumnType, bool]:
    if pa.types.is_time32(values.type):
        values = values.cast(pa.time64("us") if values.type.unit == "ms" else pa.time32("ms")).cast(pa.time64("us"))
    if pa.types.is_time64(values.type):
        values = values.cast(pa.time64("us"), safe=False).cast(pa.int64()).cast(pa.duration("us"))
    span = np.asarray(values.cast(pa.duration("us"), safe=False))
    return pd.Series(span).astype("timedelta64[us]"), "time", False


_Converter = Callable[[pa.ChunkedArray], tuple[pd.Series, ColumnType, bool]]
_CONVERTERS: list[tuple[Callable[[pa.DataType], bool], _Converter]] = [
    (lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t), _text),
    (pa.types.is_null, _null),
    (pa.types.is_integer, _integer),
    (pa.types.is_floating, _float),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_boolean, _boolean),
    (pa.types.is_date, _date),
    (pa.types.is_timestamp, _datetime),
    (lambda t: pa.types.is_time(t) or pa.types.is_duration(t), _time),
]


def arrow_from_values(values: Iterable[Any], place: Place) -> pa.ChunkedArray:
    """An Arrow column of plain Python values; values of different types become text.

    Whole numbers among floats stay a number column; anything else that is mixed is written out as text.

    Raises `SourceError` for lists and objects inside a cell.
    """
    items = list(values)
    types = set(map(type, items)) - {type(None)}
    nested = tuple(kind for kind in types if issubclass(kind, list | dict | tuple | set))
    if nested:
        row = next(number for number, item in enumerate(items, start=1) if isinstance(item, nested))
        raise SourceError(
            f"the cell holds a {type(items[row - 1]).__name__}, which a flat table cannot have.",
            place=Place(place.file, place.table, place.column, row),
            hint="Flatten the column into plain columns, or leave it out.",
        )
    kinds = {_plain_kind(kind) for kind in types}
    if len(kinds) <= 1 or kinds == {int, float}:
        try:
            return pa.chunked_array([pa.array(items, from_pandas=True)])
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            pass  # whole numbers beyond 64 bits, or a type that Arrow does not know: both are kept as text
    return pa.chunked_array(
        [pa.array([None if _is_missing(item) else plain_text(item) for item in items], pa.string())]
    )


def _plain_kind(kind: type) -> type:
    plain = ((np.bool_, bool), (np.integer, int), (np.floating, float))
    return next((to for of, to in plain if issubclass(kind, of)), kind)


def _is_missing(item: Any) -> bool:
    return item is None or item is pd.NA or item is pd.NaT or (isinstance(item, float) and item != item)


def plain_text(item: Any) -> str:
    """A single Python value as text, the way it stands in a file: ``true``, ``1``, ``1.5``, ISO 8601 dates."""
    if isinstance(item, bool | np.bool_):
        return "true" if item else "false"
    if isinstance(item, decimal.Decimal):
        return format(item, "f")
    if hasattr(item, "isoformat"):
        return item.isoformat()
    return str(item)


def table_from_arrow(
    name: str,
    data: Mapping[str, pa.ChunkedArray] | pa.Table,
    origin: Origin,
    *,
    label: str = "",
    described: Mapping[str, Mapping[str, Any]] | None = None,
) -> Table:
    """A normalised `Table` of Arrow columns; `described` holds label, length, format and informat by column name."""
    items = zip(data.column_names, data.columns, strict=True) if isinstance(data, pa.Table) else data.items()
    series: dict[str, pd.Series] = {}
    columns: dict[str, Column] = {}
    for column, values in items:
        values = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
        series[column], kind, blank = column_from_arrow(values, Place(origin.file, name, column))
        columns[column] = Column(column, kind, blank=blank, **dict((described or {}).get(column, {})))
    return Table(name, pd.DataFrame(series, copy=False), columns, label, origin)


def check_names(names: Iterable[str], place: Place, *, ignore_case: bool = False) -> None:
    """Refuse column names that occur twice.

    Raises `SourceError` naming the column.
    """
    seen: set[str] = set()
    for name in names:
        key = name.upper() if ignore_case else name
        if key in seen:
            raise SourceError(
                "the column name occurs more than once.",
                place=Place(place.file, place.table, name),
                hint="Give every column a name of its own.",
            )
        seen.add(key)


def described_columns(raw: bytes | str | None) -> dict[str, Any]:
    """Our own JSON note of a column or table, or nothing where there is none or it is not ours."""
    if not raw:
        return {}
    try:
        note = json.loads(raw)
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}
