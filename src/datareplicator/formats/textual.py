"""Columns as text for the formats that know nothing else: CSV cells and JSON strings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from datareplicator.formats.inference import WORDS, number_style
from datareplicator.study import Column


def text_of(values: pd.Series, column: Column, style: str | None = None) -> pa.Array:
    """A normalised column as Arrow text, null where missing. Only distinct values are formatted.

    `style`: how the source wrote its numbers or truth values (`inference`).
    """
    if column.type == "text":
        data = pa.array(values, from_pandas=True)
        data = data.combine_chunks() if isinstance(data, pa.ChunkedArray) else data
        return data.cast(pa.large_string())
    codes, distinct = pd.factorize(values)
    texts = pa.array(_texts(pd.Series(distinct), column.type, style), pa.large_string())
    return (
        texts.take(pa.array(np.where(codes < 0, 0, codes), mask=codes < 0))
        if len(texts)
        else pa.nulls(len(codes), texts.type)
    )


def _texts(values: pd.Series, kind: str, style: str | None) -> list[str]:
    if kind == "boolean":
        words = WORDS.get(style or "lower", WORDS["lower"])
        return [words[int(value)] for value in values]
    if kind == "integer":
        return [str(int(value)) for value in values]
    if kind == "date":
        return values.dt.strftime("%Y-%m-%d").tolist()
    if kind == "datetime":
        return [stamp.isoformat() for stamp in values]
    if kind == "time":
        return [clock_text(span) for span in values]
    return list(map(number_style(style or "plain"), values.tolist()))


def clock_text(span: pd.Timedelta) -> str:
    """A time of day as ISO 8601.

    >>> clock_text(pd.Timedelta("0 days 08:05:00")), clock_text(pd.Timedelta("1 days 02:00:00.5"))
    ('08:05:00', '26:00:00.500000')
    """
    micro = span.value // 1000 if span.unit == "ns" else int(span / pd.Timedelta(microseconds=1))
    sign, micro = ("-", -micro) if micro < 0 else ("", micro)
    seconds, rest = divmod(micro, 1_000_000)
    text = f"{sign}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{rest:06d}" if rest else text
