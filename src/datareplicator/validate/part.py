"""Rows to be checked, with their place in the source tables and cached views of their columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from datareplicator import dates
from datareplicator.dates import Moments


@dataclass
class Part:
    """A domain or logical table. `table`: int codes into `tables`; `row`: 0-based row in that source table."""

    name: str
    frame: pd.DataFrame
    tables: tuple[str, ...]
    table: np.ndarray
    row: np.ndarray
    subject: str | None = None
    _codes: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    _distinct: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    _moments: dict[str, Moments] = field(default_factory=dict, repr=False)
    _texts: dict[str, pd.Series] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, name: str, frames: dict[str, pd.DataFrame], subject: str | None = None) -> Part:
        """One or several source tables below each other."""
        sizes = [len(frame) for frame in frames.values()]
        whole = pd.concat(list(frames.values()), ignore_index=True) if len(frames) > 1 else next(iter(frames.values()))
        row = np.concatenate([np.arange(size) for size in sizes])
        return cls(
            name, whole.reset_index(drop=True), tuple(frames), np.repeat(np.arange(len(sizes)), sizes), row, subject
        )

    def __len__(self) -> int:
        return len(self.frame)

    def has(self, *names: str) -> bool:
        """Whether all these columns are there."""
        return all(name in self.frame for name in names)

    def var(self, suffix: str) -> str:
        """The domain's variable of a suffix: ``var("SEQ")`` of AE is AESEQ."""
        return self.name[:2] + suffix

    def vars(self, *suffixes: str) -> list[str]:
        """Those of the domain's variables that are there."""
        return [self.var(suffix) for suffix in suffixes if self.var(suffix) in self.frame]

    def present(self, name: str) -> np.ndarray:
        """bool a row; False everywhere for a column that is not there."""
        if name not in self.frame:
            return np.zeros(len(self), dtype=bool)
        return self.codes(name) >= 0

    def equals(self, name: str, *values: str) -> np.ndarray:
        """bool a row: the text is one of these; False everywhere for a column that is not there."""
        if name not in self.frame:
            return np.zeros(len(self), dtype=bool)
        return self.frame[name].isin(values).to_numpy(dtype=bool)

    def codes(self, name: str) -> np.ndarray:
        """int64 a row, equal for equal values; -1 where missing."""
        if name not in self._codes:
            self._codes[name] = pd.factorize(self.frame[name])[0].astype(np.int64)
        return self._codes[name]

    def distinct(self, name: str) -> np.ndarray:
        """The values that the codes stand for, as objects."""
        if name not in self._distinct:
            first = np.full(int(self.codes(name).max(initial=-1)) + 1, -1, dtype=np.int64)
            rows = np.flatnonzero(self.codes(name) >= 0)[::-1]
            first[self.codes(name)[rows]] = rows
            self._distinct[name] = self.frame[name].iloc[first].to_numpy(dtype=object)
        return self._distinct[name]

    def texts(self, name: str) -> pd.Series:
        """The same as text."""
        if name not in self._texts:
            self._texts[name] = pd.Series(self.distinct(name), dtype=object).astype(str)
        return self._texts[name]

    def by_distinct(self, name: str, values: Iterable[bool]) -> np.ndarray:
        """bool a row from one bool for each distinct value; False where missing."""
        return np.append(np.fromiter(values, dtype=bool), False)[self.codes(name)]

    def groups(self, names: Iterable[str]) -> np.ndarray:
        """int64 a row: equal for rows that agree in all these columns (missing agrees with missing)."""
        group = np.zeros(len(self), dtype=np.int64)
        for name in names:
            codes = self.codes(name) + 1
            group = pd.factorize(group * (codes.max(initial=0) + 1) + codes)[0].astype(np.int64)
        return group

    def repeated(self, names: Iterable[str], among: np.ndarray | None = None) -> np.ndarray:
        """bool a row: an earlier row (of those in `among`) has the same values in all these columns."""
        rows = np.arange(len(self)) if among is None else np.flatnonzero(among)
        result = np.zeros(len(self), dtype=bool)
        result[rows] = pd.Series(self.groups(names)[rows]).duplicated().to_numpy()
        return result

    def number(self, name: str) -> np.ndarray:
        """float64 a row; NaN where the value is missing or no number."""
        values = self.frame[name]
        if pd.api.types.is_numeric_dtype(values.dtype):
            return values.to_numpy(dtype=float, na_value=np.nan)
        parsed = pd.to_numeric(pd.Series(self.distinct(name), dtype=object).astype(str), errors="coerce").to_numpy(
            dtype=float
        )
        return np.append(parsed, np.nan)[self.codes(name)]

    def moments(self, name: str) -> Moments:
        """The dates of a column."""
        if name not in self._moments:
            self._moments[name] = dates.parse(self.frame[name])
        return self._moments[name]

    @cached_property
    def date_names(self) -> list[str]:
        """The columns of ISO 8601 dates: those named --DTC that hold text or dates."""
        return [c for c in self.frame if c.endswith("DTC") and not pd.api.types.is_numeric_dtype(self.frame[c].dtype)]


def of_columns(table: str, names: Iterable[str]) -> Part:
    """What a table's columns are, to be checked themselves: one row a column, all with the row number 0."""
    frame = pd.DataFrame({"column": pd.Series(list(names), dtype=object)})
    return Part(table, frame, (table,), np.zeros(len(frame), dtype=np.int64), np.full(len(frame), -1, dtype=np.int64))


def later(a: Moments, b: Moments) -> np.ndarray:
    """bool a row: `a` lies after `b`, compared as finely as both are known; False where either is missing."""
    level = np.minimum(a.precision, b.precision)
    result = np.zeros(len(a), dtype=bool)
    for precision in np.unique(level[level > 0]).tolist():
        with np.errstate(invalid="ignore"):
            result |= (level == precision) & (_at(a, precision) > _at(b, precision))
    return result & a.valid & b.valid


def _at(m: Moments, precision: int) -> np.ndarray:
    if precision <= 4:
        return m.year
    if precision <= 7:
        return m.year * 12 + m.month
    unit = {10: 86400, 13: 3600, 16: 60}.get(precision, 1)
    return (m.day * 86400 + m.second) // unit


def usual(group: np.ndarray, code: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The commonest code of each row's group among the rows in `among`; -1 where the group has none."""
    counts = pd.DataFrame({"group": group[among], "code": code[among]}).value_counts(sort=True).reset_index()
    top = counts.drop_duplicates("group")
    result = np.full(int(group.max(initial=-1)) + 1, -1, dtype=np.int64)
    result[top["group"].to_numpy()] = top["code"].to_numpy()
    return result[group]


def share_of(group: np.ndarray, good: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Share of good rows among those in `among`, of each row's group; 0 where it has none."""
    size = int(group.max(initial=-1)) + 1
    total = np.bincount(group[among], minlength=size)
    hits = np.bincount(group[among & good], minlength=size)
    return (hits / np.maximum(total, 1))[group]
