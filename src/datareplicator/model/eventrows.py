"""Dated rows of subjects as arrays: what the event model learns from and what it makes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.dates import Moments, Precision


@dataclass
class EventRows:
    """m rows, one entry each; index i of `subject` is a subject of a `Subjects`.

    `start`, `end`: float days from the anchor, at partial precision an approximate day within the period, NaN where
    unknown. `start_precision`, `end_precision`: `dates.Precision`; 0 where there is no date (an end of precision 0
    is an ongoing event, or one whose end was not collected). `code`: the coded term, or None for a table without.
    `group`: a coarser class of the term (body system), where known. `attributes`: the other columns to be drawn, one
    row an event. `marks`: named facts that tie rows to the rest of the study (this row is the fatal one).
    """

    subject: np.ndarray
    start: np.ndarray
    end: np.ndarray
    code: pd.Series | None = None
    group: pd.Series | None = None
    attributes: pd.DataFrame = field(default_factory=pd.DataFrame)
    start_precision: np.ndarray | None = None
    end_precision: np.ndarray | None = None
    marks: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.subject)

    def precision(self, which: str) -> np.ndarray:
        """The precision of "start" or "end"; where none was given, whole days and missing."""
        given = self.start_precision if which == "start" else self.end_precision
        if given is not None:
            return np.asarray(given, dtype=np.int64)
        return np.where(np.isfinite(getattr(self, which)), int(Precision.DAY), int(Precision.MISSING)).astype(np.int64)

    def take(self, rows: np.ndarray) -> EventRows:
        """The given rows (numbers or mask), in that order."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows

        def part(series: pd.Series | None) -> pd.Series | None:
            return None if series is None else series.iloc[rows].reset_index(drop=True)

        return EventRows(
            subject=np.asarray(self.subject, dtype=np.int64)[rows],
            start=self.start[rows],
            end=self.end[rows],
            code=part(self.code),
            group=part(self.group),
            attributes=self.attributes.iloc[rows].reset_index(drop=True)
            if len(self.attributes.columns)
            else pd.DataFrame(index=range(len(rows))),
            start_precision=self.precision("start")[rows],
            end_precision=self.precision("end")[rows],
            marks={name: np.asarray(mark, dtype=bool)[rows] for name, mark in self.marks.items()},
        )


def approximate_days(moments: Moments, anchor: np.ndarray) -> np.ndarray:
    """Days from the anchor (float[m], days since 1970-01-01) of dates of any precision.

    A full date keeps its time as a fraction. Of a month or year the middle is taken, of the part before the anchor
    where the anchor lies within: what is remembered by year or month began before the study as a rule.

    >>> from datareplicator.dates import parse
    >>> approximate_days(parse(pd.Series(["2014", "2014-03-02", None])), np.full(3, 16071.0)).tolist()
    [182.0, 60.0, nan]
    """
    day = moments.day + moments.second / 86_400
    partial = np.isnan(moments.day) & (moments.precision > 0)
    year, month = moments.year, moments.month
    whole_year = np.isnan(month)
    first = _month_start(year, np.where(whole_year, 1, month))
    turns = whole_year | (month == 12)
    last = _month_start(np.where(turns, year + 1, year), np.where(turns, 1, month + 1)) - 1
    inside = (first < anchor) & (anchor <= last)
    middle = np.floor((first + np.where(inside, anchor - 1, last)) / 2)
    return np.where(partial, middle, day) - anchor


def _month_start(year: np.ndarray, month: np.ndarray) -> np.ndarray:
    known = np.isfinite(year) & np.isfinite(month)
    number = np.where(known, (year - 1970) * 12 + month - 1, 0).astype(np.int64)
    return np.where(known, number.astype("datetime64[M]").astype("datetime64[D]").astype(float), np.nan)
