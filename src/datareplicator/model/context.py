"""What is known of a row's subject when the row's own columns are drawn, in training and in generation alike."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import VisitRows

MARK = "@"
"""Prefix of context columns, so that none can be taken for a column of the table."""

MOST_LEVELS = 60


def subject_context(subjects: Subjects) -> pd.DataFrame:
    """One row a subject: arm, stratum, site, how far the subject came, and the root's columns with few levels."""
    columns: dict[str, np.ndarray | pd.Series] = {
        MARK + "group": pd.Series(subjects.group).astype(str).astype("category"),
        MARK + "stratum": pd.Series(subjects.stratum).astype(str).astype("category"),
        MARK + "site": pd.Series(subjects.site).astype(str).astype("category"),
    }
    if len(subjects.last_visit):
        columns[MARK + "last visit"] = subjects.last_visit.astype(float)
    if len(subjects.last_day):
        columns[MARK + "last day"] = subjects.last_day
    for name in subjects.covariates.columns:
        series = subjects.covariates[name]
        if pd.api.types.is_numeric_dtype(series.dtype):
            columns[MARK + name] = series.to_numpy(dtype=float)
        elif series.nunique() <= MOST_LEVELS:
            columns[MARK + name] = series.astype("category").reset_index(drop=True)
    return pd.DataFrame(columns)


def row_context(context: pd.DataFrame, subject: np.ndarray, known: dict[str, pd.Series | np.ndarray]) -> pd.DataFrame:
    """The subject's context seen from rows, and what is known of the rows themselves (`known`, one value a row)."""
    out = context.iloc[subject].reset_index(drop=True)
    for name, values in known.items():
        out[MARK + name] = values.reset_index(drop=True) if isinstance(values, pd.Series) else values
    return out


def shown(values: pd.Series) -> pd.Series:
    """A column as categories by what it shows: whole numbers without a point, whether they are stored as numbers or,
    as in a block, as the texts of codes."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        values = values.astype(float).map(lambda v: f"{v:.10g}", na_action="ignore")
    return values.astype("str").astype("category")


class VisitDays:
    """Days of attended visits as a matrix: `day[i, v]`, NaN where subject i did not attend visit v or its day is
    unknown; `attended[i, v]`. The first `own` are the study's visits, the others occasions of single tables.
    `end[i, v]`: the last day of a visit, NaN as long as nothing says it."""

    def __init__(self, rows: VisitRows, n: int, visits: int, own: int | None = None) -> None:
        self.day = np.full((n, visits), np.nan)
        self.end = np.full((n, visits), np.nan)
        self.attended = np.zeros((n, visits), dtype=bool)
        self.day[rows.subject, rows.visit] = rows.day
        self.attended[rows.subject, rows.visit] = True
        later = np.where(np.isfinite(self.day), self.day, np.inf)
        # Occasions of tables without visits are no visits that others come before or after.
        later[:, own if own else visits :] = np.inf
        earliest = later.min(axis=1, initial=np.inf)
        self.first = np.where(np.isfinite(earliest), earliest, np.nan)
        after = np.minimum.accumulate(later[:, ::-1], axis=1)[:, ::-1]
        self.following = np.full((n, visits), np.nan)
        if visits > 1:
            self.following[:, :-1] = np.where(np.isfinite(after[:, 1:]), after[:, 1:], np.nan)

    def at(self, subject: np.ndarray, visit: np.ndarray) -> np.ndarray:
        """Day of each row's visit; NaN where the row has none (-1) or it was not attended."""
        return np.where((visit >= 0) & (subject >= 0), self.day[subject, np.maximum(visit, 0)], np.nan)

    def last(self, subject: np.ndarray, visit: np.ndarray) -> np.ndarray:
        """Last day of each row's visit; NaN where it is unknown."""
        return np.where((visit >= 0) & (subject >= 0), self.end[subject, np.maximum(visit, 0)], np.nan)

    def next(self, subject: np.ndarray, visit: np.ndarray) -> np.ndarray:
        """Day of the subject's next visit after each row's visit."""
        return np.where((visit >= 0) & (subject >= 0), self.following[subject, np.maximum(visit, 0)], np.nan)

    def first_from(self, subject: np.ndarray, visit: np.ndarray, day: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Each row's visit, or where that is before `day` the subject's first attended visit from then on, among the
        visits `seen`; the row's own where there is none."""
        early = (visit >= 0) & (self.at(subject, visit) < day)
        rows = np.flatnonzero(early)
        there = np.where(np.isin(np.arange(self.day.shape[1]), seen), self.day[subject[rows]], np.nan)
        later = there >= np.floor(day[rows])[:, None]
        out = visit.copy()
        out[rows] = np.where(later.any(axis=1), later.argmax(axis=1), visit[rows])
        return out

    def nearest_attended(self, subject: np.ndarray, visit: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Each row's visit, or where its subject did not attend it the last attended before (else the first after),
        among the visits `seen`. -1 where the subject attended none of them."""
        index = np.arange(self.attended.shape[1])
        there = self.attended & np.isin(index, seen)
        before = np.maximum.accumulate(np.where(there, index, -1), axis=1)
        after = np.minimum.accumulate(np.where(there, index, len(index))[:, ::-1], axis=1)[:, ::-1]
        safe = np.maximum(visit, 0)
        low, high = before[subject, safe], after[subject, safe]
        near = np.where(low >= 0, low, np.where(high < len(index), high, -1))
        return np.where(visit >= 0, near, -1)
