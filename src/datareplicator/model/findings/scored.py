"""The findings on the scales of their statistics: what every step of learning starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datareplicator.model.arrays import group_sums
from datareplicator.model.findings.grid import Grid
from datareplicator.model.findings.model import Cell
from datareplicator.model.findings.scale import Scale
from datareplicator.model.subjects import Subjects

# Subjects' worth of guesses where nothing can be learned.
DEFAULT_SUBJECTS = 3.0


@dataclass
class Scored:
    grid: Grid
    scales: list[Scale]
    scores: np.ndarray
    known: np.ndarray
    subjects: Subjects
    visit_day: np.ndarray
    test_group: np.ndarray
    tables: np.ndarray
    coarse: np.ndarray
    continuous: np.ndarray
    within: np.ndarray
    shrinkage: np.ndarray

    @classmethod
    def start(cls, grid: Grid, scales, subjects: Subjects, visit_day: np.ndarray, cells: Sequence[Cell]) -> Scored:
        scores = np.column_stack([s.scores for s in scales]) if scales else np.empty((grid.rows, 0))
        known = np.isfinite(scores)
        names = {name: i for i, name in enumerate(dict.fromkeys(cell.table for cell in cells))}
        alone = -1 - np.arange(len(cells))
        group = np.array([cell.group_of_test for cell in cells], dtype=np.int64)
        group = np.unique(np.where(group < 0, alone, group), return_inverse=True)[1]
        tables = np.array([names[cell.table] for cell in cells], dtype=np.int64)
        coarse = np.array([_distinct(s.scores) < 10 for s in scales], dtype=bool)
        continuous = np.array([s.attenuation is None for s in scales], dtype=bool)
        none = np.empty(0)
        fit = cls(grid, scales, scores, known, subjects, visit_day, group, tables, coarse, continuous, none, none)
        fit.within, fit.shrinkage = fit._first_look()
        return fit

    def _first_look(self) -> tuple[np.ndarray, np.ndarray]:
        """Variance within subjects about visit means, and its ratio to the variance between."""
        filled = np.where(self.known, self.scores, 0.0)
        total = group_sums(filled, self.grid.visit, self.grid.visits)
        count = group_sums(self.known.astype(float), self.grid.visit, self.grid.visits)
        rest = np.where(self.known, self.scores - (total / np.maximum(count, 1))[self.grid.visit], 0.0)
        n = self.grid.by_subject(self.known.astype(float))
        own = self.grid.by_subject(rest) / np.maximum(n, 1)
        square = (np.where(self.known, rest - own[self.grid.subject], 0.0) ** 2).sum(0)
        freedom = np.maximum(n - 1, 0).sum(0)
        within = (square + DEFAULT_SUBJECTS * 0.4) / (freedom + DEFAULT_SUBJECTS)
        between = np.maximum((rest**2).sum(0) / np.maximum(self.known.sum(0), 1) - within, 0.05)
        return within, within / between


def _distinct(scores: np.ndarray) -> int:
    return len(np.unique(scores[np.isfinite(scores)]))


def weighted_variance(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    total = np.maximum(weight.sum(0), 1e-12)
    filled = np.where(weight > 0, x, 0.0)
    mean = (weight * filled).sum(0) / total
    return (weight * (filled - mean) ** 2).sum(0) / total
