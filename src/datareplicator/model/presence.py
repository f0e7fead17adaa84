"""Which tables have rows at a visit that a subject attends: the pattern over tables, visit by visit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Ints
from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import VisitRows
from datareplicator.model.tree import TreeModel, fit_tree

_RARE = 5  # visits of fewer subjects (and of fewer than a quarter of a small study's) share one table of patterns
_POOLED = -1


class PresenceModel(Document):
    """`tables`: names. `pattern` int[P, D] of 0 and 1: combinations of tables. `cell` int[V]: the visit's own number,
    or -1 for visits that share a table. `tree`: its outcomes are patterns, its first hard column the cell."""

    tables: tuple[str, ...]
    pattern: Ints
    cell: Ints
    tree: TreeModel

    @model_validator(mode="after")
    def _check(self) -> PresenceModel:
        if self.pattern.ndim != 2 or self.pattern.shape[1] != len(self.tables):
            raise ValueError("pattern must have one column a table")
        day = self.tree.outcomes.day
        if len(day) and not 0 <= day.min() <= day.max() < len(self.pattern):
            raise ValueError("a leaf names a pattern that does not exist")
        return self


def visit_context(rows: VisitRows, subjects: Subjects, cell: np.ndarray) -> pd.DataFrame:
    """What is known of each visit of each subject: visit, stratum, arm, whether the schedule goes on after it."""
    return pd.DataFrame(
        {
            "visit": cell[rows.visit],
            "stratum": subjects.stratum[rows.subject],
            "group": _as_category(subjects.group, rows.subject),
            "stage": np.sign(rows.visit - subjects.last_visit[rows.subject]),
        }
    )


def _as_category(values: np.ndarray, rows: np.ndarray) -> pd.Categorical:
    distinct, code = np.unique(values, return_inverse=True)
    return pd.Categorical.from_codes(code[rows], categories=distinct.astype(str))


def fit_presence(
    present: np.ndarray, tables: tuple[str, ...], rows: VisitRows, subjects: Subjects, visits: int
) -> PresenceModel:
    """Learn which tables have rows at a visit.

    `present` bool[m, D]: one row for each of `rows` (distinct subject x visit), one column a table; `visits`: length of
    the catalogue; `subjects.last_visit` filled. What always or never happens at a visit in a stratum stays so.
    """
    pattern, outcome = np.unique(present.reshape(len(rows), len(tables)).astype(np.int64), axis=0, return_inverse=True)
    count = np.bincount(rows.visit, minlength=visits)
    enough = min(_RARE, -(-len(np.unique(rows.subject)) // 4))
    cell = np.where(count >= enough, np.arange(visits), _POOLED)
    tree = fit_tree(outcome.ravel(), visit_context(rows, subjects, cell), ("visit", "stratum"))
    return PresenceModel(tables=tables, pattern=pattern, cell=cell, tree=tree)
