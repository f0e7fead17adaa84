"""Frames that are in memory already: pandas, polars or Arrow, by way of narwhals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from datareplicator.errors import Place, RequestError
from datareplicator.formats.normalise import arrow_from_values, check_names, table_from_arrow
from datareplicator.study import Origin, Table


def read_frames(frames: Mapping[str, Any]) -> list[Table]:
    """Tables of a mapping of names to frames. The frames are not changed.

    Raises `RequestError` where a value is no frame, `SourceError` for nested columns and double names.
    """
    return [_table(str(name), frame) for name, frame in frames.items()]


def _table(name: str, frame: Any) -> Table:
    place = Place(table=name)
    attributes = getattr(frame, "attrs", {})
    labels = attributes.get("labels", {})
    label = attributes.get("label", "")
    if isinstance(frame, pd.DataFrame):
        data: Mapping[str, pa.ChunkedArray] | pa.Table = _from_pandas(frame, place)
    else:
        try:
            native = nw.from_native(frame)
        except TypeError as error:
            raise RequestError(
                f"a {type(frame).__name__} is no frame.", place=place, hint="Give pandas, polars or Arrow frames."
            ) from error
        data = (native.collect() if isinstance(native, nw.LazyFrame) else native).to_arrow()
        check_names(data.column_names, place)
    described = {column: {"label": str(text)} for column, text in labels.items()} if isinstance(labels, dict) else {}
    return table_from_arrow(name, data, Origin("frames", name), label=str(label), described=described)


def _from_pandas(frame: pd.DataFrame, place: Place) -> dict[str, pa.ChunkedArray]:
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    names = [str(name) for name in frame.columns]
    check_names(names, place)
    data: dict[str, pa.ChunkedArray] = {}
    for at, name in enumerate(names):
        values = frame.iloc[:, at]
        try:
            if values.dtype == object:
                raise TypeError("objects may be of any type")
            array = pa.array(values, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError):
            array = arrow_from_values(values.tolist(), Place(table=place.table, column=name))
        data[name] = array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
    return data
