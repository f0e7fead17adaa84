"""Tables without subjects (trial design, vocabularies) are kept in the model as they are and copied out unchanged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document

Cell = str | int | float | bool | None


class ReferenceTable(Document):
    """A table by columns; `dtype` is the pandas type of each, dates as ISO 8601 text."""

    dtype: dict[str, str]
    values: dict[str, tuple[Cell, ...]]

    @model_validator(mode="after")
    def _consistent(self) -> ReferenceTable:
        if list(self.dtype) != list(self.values):
            raise ValueError("dtype and values name different columns")
        if len({len(column) for column in self.values.values()}) > 1:
            raise ValueError("the columns differ in length")
        return self


def keep_reference(frame: pd.DataFrame) -> ReferenceTable:
    """Turn a frame into its JSON form."""
    return ReferenceTable(
        dtype={str(c): str(frame[c].dtype) for c in frame.columns},
        values={str(c): tuple(_plain(v) for v in frame[c]) for c in frame.columns},
    )


def _plain(value: Any) -> Cell:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, pd.Timestamp | pd.Timedelta):
        return value.isoformat()
    return value


def restore_reference(table: ReferenceTable) -> pd.DataFrame:
    """The frame again, with its types."""
    columns = {}
    for name, values in table.values.items():
        dtype = table.dtype[name]
        series = pd.Series(list(values), dtype="object")
        if dtype.startswith("datetime64"):
            columns[name] = pd.to_datetime(series, format="ISO8601").astype(dtype)
        elif dtype.startswith("timedelta64"):
            columns[name] = pd.to_timedelta(series).astype(dtype)
        else:
            columns[name] = series.astype(dtype)
    return pd.DataFrame(columns)
