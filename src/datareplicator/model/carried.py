"""Rows of one record at visit after visit: a medicine that is listed at every visit while it is taken.

Such a table has two levels. A *record* (term and start) is what the event model learns and draws; its rows are the
visits at which it stands, a chain over the subject's attended visits whose step depends on whether the record has
ended by then.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Floats
from datareplicator.model.context import VisitDays

OPEN, PASSED, OVER = 0, 1, 2
"""At a visit, a record has not ended as far as is known, has ended since the visit before, or before that one."""

LEAST_ROWS = 1.5
"""Rows a record from which on a table is taken to carry its records over visits."""
CONSTANT = 0.95
"""Share of the records of several rows that keep a column's value, for it to be one of the record."""
PRIOR = 1.0


class Carried(Document):
    """`going` float[3, 2]: the share of visits with a row of a record, by what is known of its end (OPEN, PASSED,
    OVER) and by whether the visit before had none (0) or one (1). `columns`: have one value a record."""

    going: Floats
    columns: tuple[str, ...]

    @model_validator(mode="after")
    def _shares(self) -> Carried:
        if self.going.shape != (3, 2) or not ((self.going >= 0) & (self.going <= 1)).all():
            raise ValueError("the rows carried over visits need a 3 by 2 table of shares")
        return self


def records(group: np.ndarray, visit: np.ndarray) -> np.ndarray:
    """Which rows (int[m]) are one record: those of a `group` at different visits; rows of one group and visit belong to
    records of their own."""
    nth = pd.DataFrame({"g": group, "v": visit}).groupby(["g", "v"]).cumcount().to_numpy()
    return pd.factorize(group.astype(np.int64) * (int(nth.max(initial=0)) + 1) + nth)[0].astype(np.int64)


def fit_carried(
    frame: pd.DataFrame,
    group: np.ndarray,
    subject: np.ndarray,
    visit: np.ndarray,
    end: np.ndarray,
    visits: VisitDays,
    needed: list[str],
) -> tuple[Carried, np.ndarray, np.ndarray] | None:
    """Learn how a table's records are carried over visits; None where they are not.

    `group` int[m]: subject, term and start as one code; `visit` int[m]: index in the catalogue, -1 none; `end`
    float[m]: days, NaN unknown; `needed`: columns that must not change within a record. Returns the model, each
    record's first row, int[records], and the record of each row, int[m].
    """
    if (visit < 0).any() or not len(visit) or (subject < 0).any():
        return None
    record = records(group, visit)
    count = np.bincount(record)
    apart = pd.DataFrame({"g": group, "v": visit}).duplicated().mean()
    if len(visit) < LEAST_ROWS * len(count) or apart > 0.05:
        return None
    several = count[record] > 1
    kept = {c: _constant(frame.loc[several, c], record[several]) for c in frame.columns}
    if any(kept[c] < CONSTANT for c in needed):
        return None
    columns = tuple(c for c, share in kept.items() if share >= CONSTANT)
    day = visits.at(subject, visit)
    first = pd.Series(np.where(np.isfinite(day), day, np.inf)).groupby(record).idxmin().to_numpy()
    seen = np.unique(visit)
    index, state = courses(subject[first], visit[first], end[first], visits, seen)
    place = np.full(int(seen.max(initial=0)) + 1, -1)
    place[seen] = np.arange(len(seen))
    there = np.zeros((len(first), len(place)), dtype=bool)
    there[record, visit] = True
    has = np.take_along_axis(there, index, axis=1)
    tally, rows = np.zeros((3, 2)), np.zeros((3, 2))
    before = np.zeros((len(first), 1), dtype=bool)
    had = np.concatenate([before, has[:, :-1]], axis=1).astype(np.int64)
    use = state >= 0
    np.add.at(tally, (state[use], had[use]), 1.0)
    np.add.at(rows, (state[use], had[use]), has[use])
    # An open record goes on, one that is over does not: what is assumed where nothing is seen.
    prior = np.array([[0.0, 1.0], [0.0, 0.5], [0.0, 0.0]])
    return Carried(going=(rows + PRIOR * prior) / (tally + PRIOR), columns=columns), first, record


def _constant(values: pd.Series, record: np.ndarray) -> float:
    """Share of the records that have one value."""
    if not len(values):
        return 1.0
    code = pd.Series(pd.factorize(values, use_na_sentinel=False)[0])
    return float((code.groupby(record).transform("min") == code.groupby(record).transform("max")).mean())


def courses(
    subject: np.ndarray, first: np.ndarray, end: np.ndarray, visits: VisitDays, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The visits of each record's subject among `seen` in the order of their days (int[m, k], catalogue indices), and
    what is known of the record's end there (int[m, k]; -1 up to its `first` visit and where none was attended)."""
    seen = np.asarray(seen)
    day = np.where(visits.attended[:, seen], visits.day[:, seen], np.nan)
    order = np.argsort(day, axis=1, kind="stable")
    index, at = seen[order][subject], np.take_along_axis(day, order, axis=1)[subject]
    before = np.concatenate([np.full((len(at), 1), -np.inf), at[:, :-1]], axis=1)
    ended = np.floor(end)[:, None]
    state = np.where(ended < before, OVER, np.where(ended < at, PASSED, OPEN))
    begun = np.cumsum(index == first[:, None], axis=1) - (index == first[:, None]) > 0
    return index, np.where(begun & np.isfinite(at), state, -1)
