"""What measured numbers of a wide table owe to the subject, and to each other.

A table with one column a measure (weight, pulse) says of its rows what findings say in rows of their own. Each number
has a normal score given its context; the scores are the sum of a subject's level and a residual of the row, both
correlated over the columns (variance components by the method of moments; Searle, Casella and McCulloch, 1992).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import model_validator
from scipy.special import ndtri
from scipy.stats import rankdata

from datareplicator.document import Document, Floats
from datareplicator.model.arrays import group_sums
from datareplicator.model.backoff import Conditional, find_cells
from datareplicator.model.correlation import nearest

LEAST_CELL = 8
"""Rows of a cell from which on ranks within it say something."""
SUBJECTS = 4.0
"""Subjects' worth of doubt about levels and correlations."""
LEAST_WITHIN = 1e-3
LEAST_VALUES = 10
"""Distinct values of a measurement, and pairs of rows that show its level."""
MOST_ALIKE, LEAST_LIKENESS = 0.7, 0.2
"""Neighbouring rows of a subject that may have the very same value, and their least rank correlation."""
LEAST = 0.05
"""Share of the variance between subjects below which it is taken as none."""


class Levels(Document):
    """`columns`: K numbers. `between` float[K]: share of the variance of the scores between subjects; `subject`,
    `row` float[K, K]: correlations of the levels, and of the residuals of a row."""

    columns: tuple[str, ...]
    between: Floats
    subject: Floats
    row: Floats

    @model_validator(mode="after")
    def _shapes(self) -> Levels:
        k = len(self.columns)
        if self.between.shape != (k,) or self.subject.shape != (k, k) or self.row.shape != (k, k):
            raise ValueError("the levels of a table's numbers have arrays of different sizes")
        if ((self.between < 0) | (self.between > 1)).any():
            raise ValueError("a share of variance between subjects lies outside 0 and 1")
        return self


def scores(
    table: Conditional, parents: dict[str, np.ndarray], outcome: np.ndarray, place: np.ndarray, missing: np.ndarray
) -> np.ndarray:
    """Normal scores (float[n], NaN where missing) of numbers given their parents.

    `outcome`: the bin of each row; `place`: where it lies within the bin, 0 to 1. The deepest cell of enough rows
    counts.
    """
    n = len(outcome)
    rank = np.full(n, np.nan)
    for level in table.levels:
        cell = find_cells(table, level, parents, n)
        weight = np.where(level.outcome > 0, level.weight, 0.0)
        total = np.append(0.0, np.cumsum(weight))
        size = total[level.start[1:]] - total[level.start[:-1]]
        owner = np.repeat(np.arange(len(level.keys)), np.diff(level.start))
        entry = owner * table.outcomes + level.outcome
        at = np.minimum(np.searchsorted(entry, cell * table.outcomes + outcome), len(entry) - 1)
        found = (cell >= 0) & (entry[at] == cell * table.outcomes + outcome) & (outcome > 0)
        found &= (size[cell] >= LEAST_CELL) | (level.depth == 0)
        start = total[level.start[:-1]][cell]
        share = (total[at] - start + weight[at] * place) / np.maximum(size[cell], 1e-9)
        rank = np.where(found, share, rank)
    score = ndtri(np.clip(rank, 0.5 / max(n, 1), 1 - 0.5 / max(n, 1)))
    return np.where(missing, np.nan, score)


def fit_levels(columns: Sequence[str], score: np.ndarray, subject: np.ndarray) -> Levels | None:
    """Levels of subjects and correlations from normal scores (float[n, K], NaN missing); None where rows tell nothing
    of each other."""
    known = np.isfinite(score)
    if not len(columns) or known.sum() < LEAST_CELL:
        return None
    filled = np.where(known, score, 0.0)
    spread = np.sqrt((filled**2).sum(axis=0) / np.maximum(known.sum(axis=0), 1))
    z = filled / np.maximum(spread, 1e-9)
    units = int(subject.max(initial=-1)) + 1
    mask = known.astype(float)
    together, rows = z.T @ z, mask.T @ mask
    total, count = group_sums(z, subject, units), group_sums(mask, subject, units)
    pairs = count.T @ count - rows
    several = ((count > 1).T.astype(float) @ (count > 1)) if units else np.zeros_like(rows)
    cross = np.divide(total.T @ total - together, pairs, out=np.zeros_like(rows), where=pairs > 0)
    between = cross * several / (several + SUBJECTS)
    same = np.divide(together, rows, out=np.zeros_like(rows), where=rows > 0)
    # What varies within subjects is doubted by factors: a weight must not begin to jump where subjects are few.
    worth = np.diag(several) / (np.diag(several) + SUBJECTS)
    within = np.clip(1.0 - np.diag(cross), LEAST_WITHIN, 1.0)
    share = np.where(np.diag(pairs) > 0, 1.0 - np.exp(worth * np.log(within)), 0.0)
    share = np.where(share < LEAST, 0.0, share)
    people = (count > 0).T.astype(float) @ (count > 0)
    trust = people / (people + SUBJECTS)
    left = np.where(np.eye(len(columns), dtype=bool), 1.0 - share, (same - between) * trust)
    levels = Levels(
        columns=tuple(columns), between=share, subject=_correlation(between, share), row=_correlation(left, 1.0 - share)
    )
    apart = np.abs(levels.row - np.eye(len(columns))).max(initial=0.0)
    return levels if share.any() or apart > LEAST else None


def _correlation(covariance: np.ndarray, variance: np.ndarray) -> np.ndarray:
    scale = np.sqrt(np.maximum(variance, 1e-9))
    matrix = np.where(np.outer(variance, variance) > 0, np.clip(covariance / np.outer(scale, scale), -0.98, 0.98), 0.0)
    np.fill_diagonal(matrix, 1.0)
    return nearest(matrix)


def is_measured(values: np.ndarray, subject: np.ndarray) -> bool:
    """Whether a number of several rows a subject is a measurement with a level of the subject, and no code or dose: it
    has many values, near to each other within a subject but seldom the same.

    >>> is_measured(np.repeat(np.arange(20.0), 3) * 5 + np.tile([0, 1, 2], 20), np.repeat(np.arange(20), 3))
    True
    """
    known = np.isfinite(values)
    x, who = values[known], subject[known]
    if len(np.unique(x)) < LEAST_VALUES or len(np.unique(who)) < LEAST_VALUES / 2:
        return False
    order = np.argsort(who, kind="stable")
    x, who = x[order], who[order]
    next_to = who[1:] == who[:-1]
    if next_to.sum() < LEAST_VALUES or (x[1:] == x[:-1])[next_to].mean() > MOST_ALIKE:
        return False
    rank = rankdata(x)
    return bool(np.corrcoef(rank[1:][next_to], rank[:-1][next_to])[0, 1] > LEAST_LIKENESS)
