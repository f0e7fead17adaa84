"""Days of a subject in tables that are there already, from which dates of later tables may be counted: a follow-up
begins when the last dose was taken, a dose ends when the treatment was given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd

from datareplicator.document import Document

MOST_VALUES = 8


class Landmark(Document):
    """A day of each subject: the `first` or `last` in a table's date column, or that of its one row `where` a column
    has a value."""

    table: str
    date: str
    pick: Literal["first", "last", "where"]
    column: str = ""
    value: str = ""

    @property
    def name(self) -> str:
        """How anchors name it."""
        where = f" where {self.column}={self.value}" if self.pick == "where" else ""
        return f"{self.pick} {self.table}.{self.date}{where}"

    def days(self, day: np.ndarray, subject: np.ndarray, values: pd.Series | None, n: int) -> np.ndarray:
        """The day of each of n subjects (float[n], NaN without), from the days, subjects and values of rows."""
        use = np.isfinite(day) & (subject >= 0)
        if self.pick == "where" and values is not None:
            use &= (values.astype(object) == self.value).to_numpy(dtype=bool)
        out = np.full(n, np.nan)
        reduce = np.fmin if self.pick == "first" else np.fmax
        reduce.at(out, subject[use], day[use])
        return out


def find_landmarks(
    table: str, dates: Mapping[str, np.ndarray], subject: np.ndarray, frame: pd.DataFrame
) -> tuple[Landmark, ...]:
    """The landmarks of a table. `dates`: days of its date columns (float a row); `frame`: text columns of few values by
    which a subject's rows may be told apart."""
    found = []
    several = bool(pd.Series(subject[subject >= 0]).duplicated().any())
    for date in dates:
        found.append(Landmark(table=table, date=date, pick="last"))
        if several:
            found.append(Landmark(table=table, date=date, pick="first"))
            for column in frame.columns:
                found += _told_apart(table, date, subject, frame[column])
    return tuple(found)


def _told_apart(table: str, date: str, subject: np.ndarray, values: pd.Series) -> list[Landmark]:
    known = values.notna().to_numpy() & (subject >= 0)
    rows = pd.DataFrame({"s": subject[known], "v": values.astype(object)[known].to_numpy()})
    if not 2 <= rows["v"].nunique() <= MOST_VALUES:
        return []
    once = ~rows.duplicated(keep=False).groupby(rows["v"]).any()
    return [
        Landmark(table=table, date=date, pick="where", column=str(values.name), value=str(v))
        for v in sorted(once[once].index)
    ]
