"""Values as text that gives exactly the value back, as the answer key holds them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.study import Column


def as_text(values: pd.Series | np.ndarray) -> np.ndarray:
    """Each value as text, missing as None: numbers with all digits, dates as ISO 8601.

    >>> as_text(pd.Series([0.1, None, 3.0])).tolist()
    ['0.1', None, '3.0']
    """
    series = pd.Series(values)
    missing = series.isna().to_numpy(dtype=bool)
    if isinstance(series.dtype, pd.StringDtype):
        held = series.to_numpy(dtype=object, copy=True)
        held[missing] = None
        return held
    if pd.api.types.is_timedelta64_dtype(series.dtype):
        values_of: Iterable[Any] = series.astype("int64").to_numpy(dtype=object)
    elif pd.api.types.is_datetime64_any_dtype(series.dtype):
        values_of = [None if gone else stamp.isoformat() for stamp, gone in zip(series, missing, strict=True)]
    else:
        values_of = series.to_numpy(dtype=object)
    texts = [
        None if gone else v if isinstance(v, str) else repr(_plain(v))
        for v, gone in zip(values_of, missing, strict=True)
    ]
    result = np.empty(len(texts), dtype=object)
    result[:] = texts
    return result


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def from_text(texts: Sequence[str | None], column: Column) -> list[Any]:
    """The values of texts that `as_text` made, for a column of that type.

    >>> from_text(["0.1", None], Column("AGE", "float"))
    [0.1, None]
    """
    read = _READERS[column.type]
    return [None if text is None else read(text) for text in texts]


_READERS = {
    "text": str,
    "integer": int,
    "float": float,
    "boolean": lambda text: text == "True",
    "date": pd.Timestamp,
    "datetime": pd.Timestamp,
    "time": lambda text: pd.Timedelta(int(text), "us"),
}


def row_json(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Each row as a JSON object of the columns' values as text; missing values are null."""
    return ["{" + ", ".join(row) + "}" for row in zip(*(_members(frame[name], name) for name in columns), strict=True)]


def _members(values: pd.Series, name: str) -> list[str]:
    """One column's part of each row's JSON: every distinct value is written once."""
    label = json.dumps(name, ensure_ascii=False)
    codes, distinct = pd.factorize(as_text(values))
    told = [f"{label}: {json.dumps(text, ensure_ascii=False)}" for text in distinct]
    return np.array([*told, f"{label}: null"], dtype=object)[codes].tolist()


def typed(frame: pd.DataFrame, columns: dict[str, Column], zones: dict[str, Any] | None = None) -> pd.DataFrame:
    """The columns in the types that a study has for them (see `study`)."""
    return pd.DataFrame({name: typed_column(frame[name], column) for name, column in columns.items()})


def typed_column(values: pd.Series, column: Column) -> pd.Series:
    """One column in its normal type."""
    if column.type == "text":
        return values if isinstance(values.dtype, pd.StringDtype) else _as_str(values)
    if column.type == "integer":
        if values.isna().any():
            return values.astype("Int64")
        return values.astype("int64")
    if column.type == "float":
        return values.astype("float64")
    if column.type == "boolean":
        return values.astype("boolean")
    return values


def _as_str(values: pd.Series) -> pd.Series:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.astype("str")
    return pd.Series(as_text(values), index=values.index, dtype="str")
