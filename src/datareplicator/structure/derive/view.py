"""Frames as the templates see them: each column encoded once, joins by codes, nothing done per row in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from datareplicator import dates


class Values:
    """One column, encoded when asked: `codes` point into the distinct `levels`, -1 is missing."""

    def __init__(self, series: pd.Series) -> None:
        self.series = series
        self.categorical = isinstance(series.dtype, pd.CategoricalDtype)

    def __len__(self) -> int:
        return len(self.series)

    @cached_property
    def _factorised(self) -> tuple[np.ndarray, np.ndarray]:
        if self.categorical:
            levels = self.series.cat.categories
            return self.series.cat.codes.to_numpy().astype(np.int64), _plain(pd.Series(levels))
        codes, levels = pd.factorize(self.series)
        return codes.astype(np.int64), _plain(pd.Series(levels))

    @property
    def codes(self) -> np.ndarray:
        """int64, one a row."""
        return self._factorised[0]

    @property
    def levels(self) -> np.ndarray:
        """Distinct values: float64, datetime64 or an object array of texts (integers past 2**53 stay exact)."""
        return self._factorised[1]

    @cached_property
    def stored_number(self) -> bool:
        """Whether the source stores numbers (not texts of numbers, not dates)."""
        dtype = self.series.cat.categories.dtype if self.categorical else self.series.dtype
        return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)

    @cached_property
    def stored_time(self) -> bool:
        """Whether the source stores true dates."""
        dtype = self.series.cat.categories.dtype if self.categorical else self.series.dtype
        return pd.api.types.is_datetime64_any_dtype(dtype)

    @cached_property
    def present(self) -> np.ndarray:
        """bool, one a row."""
        if self.categorical or "_factorised" in self.__dict__:
            return self.codes >= 0
        return self.series.notna().to_numpy()

    @cached_property
    def text_levels(self) -> np.ndarray:
        """The levels as texts, numbers in their shortest form (38, not 38.0)."""
        return texts(self.levels)

    @cached_property
    def level_numbers(self) -> np.ndarray:
        """float64 per level; NaN where a level is no number."""
        if self.stored_number:
            return self.levels.astype(np.float64)
        if self.stored_time or not len(self.levels):
            return np.full(len(self.levels), np.nan)
        found = pd.to_numeric(pd.Series(self.levels, dtype=object).map(str), errors="coerce").to_numpy(dtype=float)
        return np.where(np.isinf(found), np.nan, found)

    @cached_property
    def number(self) -> np.ndarray:
        """float64 per row; NaN where missing or no number."""
        if self.stored_number and not self.categorical:
            return self.series.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.append(self.level_numbers, np.nan)[self.codes]

    @cached_property
    def moments(self) -> dates.Moments:
        """Dates per level."""
        return dates.parse(pd.Series(self.levels))

    @cached_property
    def day(self) -> np.ndarray:
        """float64 per row: days since 1970-01-01; NaN where missing, partial or no date."""
        return np.append(self.moments.day, np.nan)[self.codes]

    @cached_property
    def moment(self) -> np.ndarray:
        """float64 per row: days with the time of day as a fraction."""
        return np.append(self.moments.day + self.moments.second / 86_400, np.nan)[self.codes]

    @cached_property
    def is_date(self) -> bool:
        """Whether nearly all levels are dates and at least one is finer than a year."""
        if self.stored_time:
            return bool(len(self.levels))
        if self.stored_number or not len(self.levels):
            return False
        sample = self.levels[:: max(1, len(self.levels) // 50)]
        if not np.mean([len(str(v)) >= 4 and str(v)[:4].isdigit() for v in sample]) >= 0.9:
            return False
        found = self.moments
        return bool(found.valid.mean() >= 0.95 and (found.precision >= dates.Precision.MONTH).any())

    @cached_property
    def is_number(self) -> bool:
        """Whether it is a number, stored or written as text (half of the levels or more)."""
        if self.stored_number:
            return True
        return bool(len(self.levels) and not self.is_date and np.isfinite(self.level_numbers).mean() >= 0.5)

    @cached_property
    def distinct(self) -> int:
        """Number of levels in use."""
        return len(np.unique(self.codes[self.codes >= 0])) if self.categorical else len(self.levels)


def _plain(levels: pd.Series) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(levels.dtype):
        if getattr(levels.dtype, "tz", None) is not None:
            levels = levels.dt.tz_localize(None)
        return levels.to_numpy().astype("datetime64[us]")
    if pd.api.types.is_integer_dtype(levels.dtype):
        whole = levels.to_numpy(dtype=np.int64)
        return whole if (np.abs(whole) > 2**53).any() else whole.astype(np.float64)
    if pd.api.types.is_float_dtype(levels.dtype):
        return levels.to_numpy(dtype=np.float64)
    return levels.to_numpy(dtype=object)


def number_text(value: float) -> str:
    """The shortest usual text of a number, at 12 significant digits (SAS BEST12.).

    >>> number_text(38.0), number_text(166.54399999999998), number_text(0.05)
    ('38', '166.544', '0.05')
    """
    text = f"{value:.12g}"
    return np.format_float_positional(float(text), trim="-") if "e" in text else text


def texts(levels: np.ndarray) -> np.ndarray:
    """Levels as an object array of texts."""
    if np.issubdtype(levels.dtype, np.floating):
        return np.array([number_text(v) for v in levels.tolist()], dtype=object)
    if np.issubdtype(levels.dtype, np.datetime64):
        return np.datetime_as_string(levels, unit="D").astype(object)
    return np.array([str(v) for v in levels], dtype=object)


class View:
    """Frames by logical table name, with the encodings kept. Frames are read, and changed by `put` alone."""

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self.frames = dict(frames)
        self._values: dict[tuple[str, str], Values] = {}
        self._groups: dict[tuple[str, tuple[str, ...]], tuple[np.ndarray, int]] = {}
        self._matches: dict[tuple[str, tuple[str, ...], str, tuple[str, ...]], np.ndarray] = {}

    def rows(self, table: str) -> int:
        """Rows of a table."""
        return len(self.frames[table])

    def values(self, table: str, column: str) -> Values:
        """The encoded column; KeyError when there is none."""
        if (table, column) not in self._values:
            self._values[table, column] = Values(self.frames[table][column])
        return self._values[table, column]

    def put(self, table: str, column: str, series: pd.Series) -> None:
        """Set a column, forgetting what was encoded of it."""
        self.frames[table] = self.frames[table].assign(**{column: series})
        self._values.pop((table, column), None)
        for key in [k for k in self._groups if k[0] == table and column in k[1]]:
            del self._groups[key]
        for match in [
            m for m in self._matches if (m[0] == table and column in m[1]) or (m[2] == table and column in m[3])
        ]:
            del self._matches[match]

    def group(self, table: str, columns: Sequence[str]) -> tuple[np.ndarray, int]:
        """Dense ids of the rows' combination of values (missing counts as a value), and how many there are."""
        key = (table, tuple(columns))
        if key not in self._groups:
            ids, size = np.zeros(self.rows(table), dtype=np.int64), 1
            for column in columns:
                values = self.values(table, column)
                width = len(values.levels) + 1
                ids, size = ids * width + values.codes + 1, size * width
                if size > 4 * len(ids) + 16:
                    ids, distinct = pd.factorize(ids)
                    size = len(distinct)
            ids, distinct = pd.factorize(ids)
            self._groups[key] = ids.astype(np.int64), len(distinct)
        return self._groups[key]

    def match(self, table: str, columns: Sequence[str], other: str, others: Sequence[str]) -> np.ndarray:
        """For each row of `table`, the first row of `other` with equal values; -1 where there is none or a value is
        missing."""
        key = (table, tuple(columns), other, tuple(others))
        if key not in self._matches:
            self._matches[key] = self._match(*key)
        return self._matches[key]

    def _match(self, table: str, columns: Sequence[str], other: str, others: Sequence[str]) -> np.ndarray:
        left = np.zeros(self.rows(table), dtype=np.int64)
        right = np.zeros(self.rows(other), dtype=np.int64)
        found, held = np.ones(len(left), dtype=bool), np.ones(len(right), dtype=bool)
        for column, partner in zip(columns, others, strict=True):
            a, b = self.values(table, column), self.values(other, partner)
            code = np.append(level_index(a, b.levels), -1)[a.codes]
            width = len(b.levels) + 1
            left, right = left * width + code, right * width + b.codes
            found &= code >= 0
            held &= b.codes >= 0
        rows = np.flatnonzero(held)
        codes, distinct = pd.factorize(right[rows])
        first = np.empty(len(distinct), dtype=np.int64)
        first[codes[::-1]] = rows[::-1]
        at = pd.Index(distinct).get_indexer(left)
        return np.where(found & (at >= 0), np.append(first, -1)[at], -1)


def level_index(values: Values, keys: Sequence[Any] | np.ndarray) -> np.ndarray:
    """Position of each level of `values` in `keys` (numbers and texts of numbers compare by number); -1 if absent."""
    keys = keys if isinstance(keys, np.ndarray) else key_array(keys)
    if not len(keys) or not len(values.levels):
        return np.full(len(values.levels), -1, dtype=np.int64)
    levels = values.levels
    if levels.dtype.kind != keys.dtype.kind or levels.dtype == object:
        levels, keys = texts(levels), texts(keys)
    codes, distinct = pd.factorize(keys)
    first = np.full(len(distinct) + 1, -1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(keys))[::-1]
    first[-1] = -1
    return first[pd.Index(distinct).get_indexer(levels)]


def key_array(keys: Sequence[Any]) -> np.ndarray:
    """JSON values as an array to look up in: float64 where all are numbers, else objects."""
    if len(keys) and all(isinstance(k, int | float) and not isinstance(k, bool) for k in keys):
        if all(isinstance(k, int) for k in keys) and any(abs(k) > 2**53 for k in keys):
            return np.array(keys, dtype=np.int64)
        return np.array(keys, dtype=np.float64)
    return np.array(list(keys), dtype=object)


def json_levels(levels: np.ndarray) -> list[Any]:
    """Levels as JSON values: numbers stay numbers, all else becomes text."""
    if levels.dtype.kind in "fi":
        return levels.tolist()
    return texts(levels).tolist() if levels.dtype != object else [v if isinstance(v, bool) else str(v) for v in levels]


def from_levels(codes: np.ndarray, levels: Sequence[Any]) -> pd.Series | np.ndarray:
    """Rows from codes and JSON levels: float64 where all levels are numbers, else a categorical of texts."""
    array = key_array(list(levels))
    if array.dtype.kind == "f":
        return np.append(array, np.nan)[codes]
    labels, distinct = pd.factorize(texts(array))
    return pd.Series(
        pd.Categorical.from_codes(np.append(labels, -1)[codes], categories=pd.Index(distinct, dtype="str"))
    )


def take(series: pd.Series, rows: np.ndarray) -> pd.Series:
    """`series` at the given rows, missing where the row is -1; the type stays (integers become nullable)."""
    gaps = rows < 0
    if pd.api.types.is_integer_dtype(series.dtype) and gaps.any():
        series = series.astype("Int64")
    if not len(series):
        return pd.Series(np.full(len(rows), np.nan)).astype(series.dtype if series.dtype != "int64" else "Int64")
    taken = series.iloc[np.where(gaps, 0, rows)].reset_index(drop=True)
    return taken.mask(gaps) if gaps.any() else taken
