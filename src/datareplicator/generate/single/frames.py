"""Arrow columns as a frame of the library that the source came from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from datareplicator.errors import ModelError, RequestError
from datareplicator.formats.normalise import text_series
from datareplicator.model.single import document as parts

FRAMES = ("pandas", "polars", "arrow")


def to_frame(columns: dict[str, pa.Array], table: parts.TableModel | parts.SingleModel, frame: str, rows: int) -> Any:
    """A pandas or polars DataFrame or an Arrow table. Raises RequestError for another library, or one that is not
    installed."""
    if frame == "pandas":
        series = {c.name: _series(columns[c.name], c, f"columns[{k}]") for k, c in enumerate(table.columns)}
        return pd.DataFrame(series, index=pd.RangeIndex(rows), copy=False)
    if frame not in FRAMES:
        raise RequestError(f"{frame!r} is no kind of frame.", hint=f"Choose one of {', '.join(FRAMES)}.")
    arrow = to_arrow(columns)
    if frame == "arrow":
        return arrow
    try:
        import polars
    except ImportError as error:
        raise RequestError("polars is not installed.", hint='Install it, or ask for frame="pandas".') from error
    return polars.from_arrow(arrow)


def to_arrow(columns: dict[str, pa.Array]) -> pa.Table:
    """An Arrow table."""
    return pa.table(columns)


def _series(values: pa.Array, column: parts.Column, path: str) -> pd.Series:
    kind, wanted = values.type, column.params.pandas_dtype
    if wanted == "category" and isinstance(column.params, parts.CategoricalParams):
        return _categorical(values, column.params)
    if wanted is not None:
        try:
            return _plain_series(values).astype(wanted)
        except (TypeError, ValueError) as error:
            raise ModelError(f"{path}.params.pandas_dtype: the values cannot be of type {wanted!r}.") from error
    return text_series(values) if pa.types.is_large_string(kind) else _plain_series(values)


def _plain_series(values: pa.Array) -> pd.Series:
    kind = values.type
    if pa.types.is_large_string(kind) or pa.types.is_string(kind):
        return text_series(values)
    if pa.types.is_integer(kind) and values.null_count:
        filled = np.array(values.fill_null(0))
        return pd.Series(pd.arrays.IntegerArray(filled, np.asarray(values.is_null())))
    if pa.types.is_boolean(kind) and values.null_count:
        filled = np.array(values.fill_null(False))
        return pd.Series(pd.arrays.BooleanArray(filled, np.asarray(values.is_null())))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return pd.Series(values.to_numpy(zero_copy_only=False).copy())
    return values.to_pandas()


def _categorical(values: pa.Array, params: parts.CategoricalParams) -> pd.Series:
    dictionary = values.dictionary
    kept = pa.array(params.categories or tuple(params.weights), pa.large_string()).cast(dictionary.type)
    place = pd.Index(kept.to_pandas()).get_indexer(pd.Index(dictionary.to_pandas()))
    codes = np.asarray(values.indices.fill_null(-1))
    codes = np.where(codes >= 0, place[codes], -1)
    categories = text_series(kept) if pa.types.is_large_string(kept.type) else kept.to_pandas()
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(categories), ordered=bool(params.ordered)))
