"""Columns as JSON tokens, made once for every distinct value."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from datareplicator.errors import Place, WriteError
from datareplicator.formats.textual import text_of
from datareplicator.study import Column


def tokens(values: pd.Series, column: Column, place: Place, first_row: int, *, quoted: bool = False) -> pa.Array:
    """A normalised column as Arrow text of JSON tokens; dates and times are ISO 8601 strings.

    `quoted`: numbers are written as strings too.

    Raises `WriteError` for infinite numbers, which JSON does not have.
    """
    if column.type == "float":
        infinite = np.isinf(values.to_numpy(dtype=float, na_value=np.nan))
        if infinite.any():
            raise WriteError(
                "JSON has no infinite numbers.",
                place=Place(place.file, place.table, column.name, first_row + int(np.argmax(infinite))),
                hint="Write Parquet or CSV.",
            )
        plain = text_of(values, column, "plain" if quoted else "repr")
    else:
        plain = text_of(values, column)
    if quoted or column.type in ("text", "date", "datetime", "time"):
        coded = plain.dictionary_encode()
        texts = [json.dumps(text, ensure_ascii=False) for text in coded.dictionary.to_pylist()]
        plain = pa.array(texts, pa.large_string()).take(coded.indices)
    return pc.fill_null(plain, '""' if column.type == "text" and column.blank else "null")


def join(parts: list[pa.Array | str]) -> list[str]:
    """Text built row by row of columns and constants."""
    kind = pa.large_string()
    scalars = [pa.scalar(part, kind) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*scalars, pa.scalar("", kind)).to_pylist()
