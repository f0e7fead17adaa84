"""Which tables have rows at a visit that a subject attends: the pattern over tables, visit by visit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Ints
from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import VisitRows
from datareplicator.model.tree import TreeModel, fit_tree

_RARE = 5  # visits of fewer subjects share one table of patterns


class PresenceModel(Document):
    """`tables`: names. `pattern` int[P, D] of 0 and 1. `tree` int[V]: index into `trees`, -1 for visits never seen;
    the outcomes of the trees are patterns."""

    tables: tuple[str, ...]
    pattern: Ints
    tree: Ints
    trees: tuple[TreeModel, ...]

    @model_validator(mode="after")
    def _check(self) -> PresenceModel:
        if self.pattern.ndim != 2 or self.pattern.shape[1] != len(self.tables):
            raise ValueError("pattern must have one column a table")
        if len(self.tree) and (self.tree.min() < -1 or self.tree.max() >= len(self.trees)):
            raise ValueError("tree names a tree that does not exist")
        for tree in self.trees:
            if len(tree.outcomes.day) and not 0 <= tree.outcomes.day.min() <= tree.outcomes.day.max() < len(
                self.pattern
            ):
                raise ValueError("a leaf names a pattern that does not exist")
        return self


def visit_context(rows: VisitRows, subjects: Subjects) -> pd.DataFrame:
    """What is known of each visit of each subject: stratum, arm, whether the schedule goes on after it."""
    at = subjects.last_visit[rows.subject]
    return pd.DataFrame(
        {
            "stratum": pd.Categorical(subjects.stratum[rows.subject].astype(str)),
            "group": pd.Categorical(subjects.group[rows.subject].astype(str)),
            "stage": np.sign(rows.visit - at),
        }
    )


def fit_presence(
    present: np.ndarray, tables: tuple[str, ...], rows: VisitRows, subjects: Subjects, visits: int
) -> PresenceModel:
    """Learn which tables have rows at a visit.

    `present` bool[m, D]: one row for each of `rows` (distinct subject x visit), one column a table; `visits`: length of
    the catalogue. What always or never happens at a visit in a stratum stays so.
    """
    pattern, outcome = np.unique(present.astype(np.int64).reshape(len(rows), -1), axis=0, return_inverse=True)
    outcome = outcome.ravel()
    context = visit_context(rows, subjects)
    tree = np.full(visits, -1, dtype=np.int64)
    trees: list[TreeModel] = []
    count = np.bincount(rows.visit, minlength=visits)
    rare = (count > 0) & (count < _RARE)
    for v in np.flatnonzero(count >= _RARE):
        mine = rows.visit == v
        tree[v] = len(trees)
        trees.append(fit_tree(outcome[mine], context[mine], ("stratum",)))
    if rare.any():
        mine = rare[rows.visit]
        tree[rare] = len(trees)
        trees.append(fit_tree(outcome[mine], context[mine].assign(visit=rows.visit[mine]), ("stratum",)))
    return PresenceModel(tables=tables, pattern=pattern, tree=tree, trees=tuple(trees))
