"""Columns of values, one class a type. Each knows which values are missing and can be taken by row numbers.

=========  ===========================================================================================
class      holds
=========  ===========================================================================================
`Numbers`  float64, NaN where missing
`Texts`    codes into distinct texts, -1 where missing, so that work follows the distinct values
`Dates`    what a date may be at the least and before what it must lie, in seconds since 1970-01-01
`Truths`   int8: 1 true, -1 false, 0 unknown; so `and` is the minimum, `or` the maximum, `not` the negative
=========  ===========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from datareplicator.dates import Moments, Precision, parse, to_text
from datareplicator.expressions.signatures import Type

DAY = 86_400.0
_WIDTH = {Precision.DAY: DAY, Precision.HOUR: 3600.0, Precision.MINUTE: 60.0, Precision.SECOND: 1.0}


@dataclass(frozen=True)
class Numbers:
    """Numbers."""

    values: np.ndarray
    type = Type.NUMBER

    def __len__(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> np.ndarray:
        """Where no value is."""
        return np.isnan(self.values)

    @property
    def order(self) -> np.ndarray:
        """Float64 that sorts as the values do, NaN where missing."""
        return self.values

    def take(self, rows: np.ndarray) -> Numbers:
        """The values of these rows; missing at -1."""
        return Numbers(np.append(self.values, np.nan)[rows])

    def series(self) -> pd.Series:
        """As pandas holds them."""
        return pd.Series(self.values)


@dataclass(frozen=True)
class Texts:
    """Texts: int64 codes and an object array of distinct (or at least few) texts."""

    codes: np.ndarray
    distinct: np.ndarray
    type = Type.TEXT

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def missing(self) -> np.ndarray:
        """Where no value is."""
        return self.codes < 0

    @property
    def order(self) -> np.ndarray:
        """Float64 that sorts as the values do (by code point), NaN where missing."""
        ranks = ranked([self.distinct])[0]
        return np.append(ranks.astype(float), np.nan)[self.codes]

    def take(self, rows: np.ndarray) -> Texts:
        """The values of these rows; missing at -1."""
        return Texts(np.append(self.codes, -1)[rows], self.distinct)

    def series(self) -> pd.Series:
        """As pandas holds them."""
        return pd.Series(np.append(self.distinct, np.nan)[self.codes], dtype="str")


@dataclass(frozen=True)
class Dates:
    """Dates: `low` and `high` bound what is not known of them (low <= date < high); `precision` as in `dates`.

    ``2014-03`` is low 2014-03-01, high 2014-04-01; a whole date is a day long, a time as long as its last part.
    """

    low: np.ndarray
    high: np.ndarray
    precision: np.ndarray
    type = Type.DATE

    def __len__(self) -> int:
        return len(self.low)

    @property
    def missing(self) -> np.ndarray:
        """Where no value is."""
        return np.isnan(self.low)

    @property
    def order(self) -> np.ndarray:
        """Seconds of the dates that are known to the day; NaN elsewhere."""
        return np.where(self.precision >= Precision.DAY, self.low, np.nan)

    def take(self, rows: np.ndarray) -> Dates:
        """The values of these rows; missing at -1."""
        return Dates(
            np.append(self.low, np.nan)[rows],
            np.append(self.high, np.nan)[rows],
            np.append(self.precision, np.int8(0))[rows],
        )

    def iso(self) -> pd.Categorical:
        """As ISO 8601 text, each as exact as it is known."""
        day = np.floor(self.low / DAY)
        return to_text(day, self.precision.astype(np.int64), self.low - day * DAY)

    def series(self) -> pd.Series:
        """As datetime64, where known to the day."""
        known = self.precision >= Precision.DAY
        micro = np.where(known, np.nan_to_num(self.low) * 1e6, 0).astype("int64").astype("datetime64[us]")
        return pd.Series(micro).where(pd.Series(known))


@dataclass(frozen=True)
class Truths:
    """Truth values: 1 true, 0 unknown, -1 false."""

    values: np.ndarray
    type = Type.TRUTH

    def __len__(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> np.ndarray:
        """Where it is unknown."""
        return self.values == 0

    @property
    def order(self) -> np.ndarray:
        """Float64, NaN where unknown."""
        return np.where(self.values == 0, np.nan, self.values.astype(float))

    def take(self, rows: np.ndarray) -> Truths:
        """The values of these rows; unknown at -1."""
        return Truths(np.append(self.values, np.int8(0))[rows])

    def series(self) -> pd.Series:
        """As pandas holds them."""
        return pd.Series(pd.array(self.values > 0, dtype="boolean")).mask(pd.Series(self.values == 0))


Vector = Numbers | Texts | Dates | Truths


def ranked(groups: list[np.ndarray]) -> list[np.ndarray]:
    """Ranks of texts over several arrays of them, so that ranks compare as the texts do by code point."""
    every = sorted({t for group in groups for t in group})
    rank = {t: i for i, t in enumerate(every)}
    return [np.array([rank[t] for t in group], dtype=np.int64) for group in groups]


def read_dates(moments: Moments) -> Dates:
    """What parsed dates may be. Impossible and unreadable ones are missing."""
    precision = moments.precision.astype(np.int64)
    year = np.where(precision >= Precision.YEAR, np.nan_to_num(moments.year), 1970).astype(np.int64)
    month = np.where(precision >= Precision.MONTH, np.nan_to_num(moments.month, nan=1), 1).astype(np.int64)
    first = (year - 1970) * 12 + np.clip(month, 1, 12) - 1
    months = np.where(precision == Precision.YEAR, 12, 1)
    begin, after = (m.astype("datetime64[M]").astype("datetime64[s]").astype(float) for m in (first, first + months))
    width = np.select([precision == p for p in _WIDTH], list(_WIDTH.values()), np.nan)
    exact = moments.day * DAY + moments.second
    coarse = precision < Precision.DAY
    gone = (precision == 0) | ~moments.valid
    low = np.where(gone, np.nan, np.where(coarse, begin, exact))
    high = np.where(gone, np.nan, np.where(coarse, after, exact + width))
    return Dates(low, high, np.where(gone, 0, precision).astype(np.int8))


def texts_to_dates(texts: Texts) -> Dates:
    """Read texts as ISO 8601 dates."""
    distinct = read_dates(parse(pd.Series(texts.distinct, dtype="str")))
    return distinct.take(texts.codes)


def column_vector(column: pd.Series, kind: Type) -> Vector:
    """A column of a frame as the type that the schema gives it."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _categorical(column, kind)
    if kind == Type.TEXT or (kind == Type.DATE and not pd.api.types.is_datetime64_any_dtype(column.dtype)):
        codes, distinct = pd.factorize(column)
        texts = Texts(codes.astype(np.int64), np.asarray(distinct, dtype=object).astype(object))
        return texts if kind == Type.TEXT else texts_to_dates(texts)
    if kind == Type.DATE:
        return read_dates(parse(column))
    if kind == Type.TRUTH:
        if not pd.api.types.is_bool_dtype(column.dtype):  # categories of truth values are their texts
            column = column.map({"True": True, "False": False})
        values = column.astype("boolean")
        return Truths(np.where(values.isna(), 0, np.where(values.fillna(False), 1, -1)).astype(np.int8))
    if kind == Type.ANY:
        return Numbers(np.full(len(column), np.nan))
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return Numbers(column.dt.total_seconds().to_numpy(dtype=float))
    return Numbers(finite(column.to_numpy(dtype=float, na_value=np.nan)))


def _categorical(column: pd.Series, kind: Type) -> Vector:
    codes = column.cat.codes.to_numpy().astype(np.int64)
    return column_vector(pd.Series(column.cat.categories), kind).take(codes)


def finite(values: np.ndarray) -> np.ndarray:
    """Infinity is no value."""
    return np.where(np.isfinite(values), values, np.nan)
