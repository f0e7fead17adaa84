"""The rows of all findings as one matrix: a row is a subject at a visit, a column is a cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datareplicator.model.arrays import group_sums

# Above this number of matrix entries only every n-th subject counts: statistics gain nothing from more, memory does.
MAX_ENTRIES = 24_000_000


@dataclass
class Observations:
    """All findings of a study in long form, arrays of one length n.

    `subject`, `visit`, `cell`: int indices. `day`: float, relative to the anchor, NaN where unknown. `value`: float,
    NaN where the row exists without a numeric value (a test not done).
    """

    subject: np.ndarray
    visit: np.ndarray
    cell: np.ndarray
    day: np.ndarray
    value: np.ndarray


@dataclass
class Grid:
    """`rows` = distinct subject-visits, ordered by subject, day, visit; `cells` columns.

    `values`: float (rows, cells), NaN where nothing was measured. `present`: bool, a row exists in the source.
    `weight`: float (rows,), smaller for the rows of a subject with many, so that subjects count alike.
    """

    subject: np.ndarray
    visit: np.ndarray
    day: np.ndarray
    values: np.ndarray
    present: np.ndarray
    subjects: int
    visits: int

    @property
    def rows(self) -> int:
        return len(self.subject)

    @property
    def cells(self) -> int:
        return self.values.shape[1]

    def by_subject(self, array: np.ndarray) -> np.ndarray:
        """Sums over each subject's rows: (rows, cells) -> (subjects, cells); NaN must have been replaced."""
        return group_sums(array, self.subject, self.subjects)


def build_grid(observations: Observations, cells: int, subjects: int, visits: int) -> Grid:
    """Spread long rows over the matrix; a repeated (subject, visit, cell) keeps its first row."""
    subject, visit = np.asarray(observations.subject), np.asarray(observations.visit)
    cell, value = np.asarray(observations.cell), np.asarray(observations.value, dtype=float)
    day = np.asarray(observations.day, dtype=float)
    step = _thinning(subject, visit, cells, visits)
    if step > 1:
        keep = subject % step == 0
        subject, visit, cell, value, day = subject[keep], visit[keep], cell[keep], value[keep], day[keep]
    key, inverse = np.unique(subject.astype(np.int64) * visits + visit, return_inverse=True)
    known = np.isfinite(day)
    count = np.bincount(inverse[known], minlength=len(key))
    row_day = np.full(len(key), np.nan)
    sums = np.bincount(inverse[known], weights=day[known], minlength=len(key))
    row_day[count > 0] = sums[count > 0] / count[count > 0]
    row_subject, row_visit = key // visits, key % visits
    order = np.lexsort((row_visit, np.where(np.isnan(row_day), np.inf, row_day), row_subject))
    place = np.empty(len(key), dtype=np.int64)
    place[order] = np.arange(len(key))
    values = np.full((len(key), cells), np.nan)
    present = np.zeros((len(key), cells), dtype=bool)
    rows = place[inverse][::-1]  # the first of repeated rows is written last, so that it stays
    values[rows, cell[::-1]] = value[::-1]
    present[rows, cell[::-1]] = True
    return Grid(row_subject[order], row_visit[order], row_day[order], values, present, subjects, visits)


def _thinning(subject: np.ndarray, visit: np.ndarray, cells: int, visits: int) -> int:
    rows = len(np.unique(subject.astype(np.int64) * visits + visit))
    return max(1, -(-rows * cells // MAX_ENTRIES))
