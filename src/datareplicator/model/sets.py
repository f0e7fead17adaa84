"""Tables with a few rows a subject whose codes form a pattern: disposition, doses by phase, study elements.

The whole pattern of a subject, in order and with no row at all as one of them, is one outcome; only patterns of the
source are drawn. Where nearly every subject has its own, codes follow one another instead, the number of rows first.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import model_validator

from datareplicator.document import Document, Ints
from datareplicator.model.discrete import Discrete, DiscreteTables
from datareplicator.model.tree import TreeModel, find_leaves, fit_tree

_MOST = 0.6  # more distinct patterns than this share of subjects are no patterns


class ChainModel(Document):
    """Codes one after another. `codes` int[C]. `following`: C+1 tables over places in `codes`, the first for the first
    row. `allowed` int[H, C]: codes that occur in each leaf of the tree. `repeats`: whether a subject has a code
    twice."""

    codes: Ints
    following: DiscreteTables
    allowed: Ints
    repeats: bool

    @model_validator(mode="after")
    def _check(self) -> ChainModel:
        if len(self.following) != len(self.codes) + 1 or self.allowed.shape[1:] != (len(self.codes),):
            raise ValueError("following and allowed must match the codes")
        return self


class SetModel(Document):
    """`tree`: outcomes are pattern numbers or, with `chain`, numbers of rows. `start` int[P+1], `code` int[.]: the
    patterns one after another (empty with a chain). `suppressed`: share of subjects whose pattern was too rare."""

    tree: TreeModel
    start: Ints
    code: Ints
    chain: ChainModel | None = None
    suppressed: float = 0.0

    @model_validator(mode="after")
    def _check(self) -> SetModel:
        if not len(self.start) or self.start[0] != 0 or (np.diff(self.start) < 0).any():
            raise ValueError("start must be ascending from 0")
        if self.start[-1] != len(self.code):
            raise ValueError("code must have the length that start names")
        day = self.tree.outcomes.day
        if len(day) and (day.min() < 0 or (self.chain is None and day.max() >= len(self.start) - 1)):
            raise ValueError("a leaf names a pattern that does not exist")
        return self


def fit_sets(
    codes: np.ndarray,
    subject: np.ndarray,
    context: pd.DataFrame,
    hard: tuple[str, ...] = (),
    *,
    min_subjects: int = 1,
) -> SetModel:
    """Learn the patterns of codes.

    `codes` int[n] >= 0: one a row, rows in the order that they are to come in within a subject; `subject` int[n];
    `context`: one row a subject (all subjects, those without rows too); `hard`: columns of it whose combinations never
    mix. Patterns of fewer than `min_subjects` are left out.
    """
    order = np.argsort(subject, kind="stable")
    codes, subject = np.asarray(codes)[order], np.asarray(subject)[order]
    count = np.bincount(subject, minlength=len(context))
    pattern, start, flat = _patterns(codes, count)
    if len(start) - 1 > _MOST * len(context) and len(context) >= 5 and len(start) > 6:
        return _fit_chain(codes, subject, count, context, hard)
    frequency = np.bincount(pattern, minlength=len(start) - 1)
    keep = (frequency >= min_subjects)[pattern]
    if not keep.any():
        keep[:] = True
    tree = fit_tree(pattern[keep], context[keep], hard)
    return SetModel(tree=tree, start=start, code=flat, suppressed=float(1 - keep.mean()) if len(keep) else 0.0)


def _patterns(codes: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pattern number of each subject, and the distinct patterns as start and codes."""
    ends = np.cumsum(count)
    known: dict[bytes, int] = {}
    distinct: list[np.ndarray] = []
    pattern = np.zeros(len(count), dtype=np.int64)
    for i, part in enumerate(np.split(codes.astype(np.int64), ends[:-1]) if len(count) else []):
        key = part.tobytes()
        if key not in known:
            known[key] = len(distinct)
            distinct.append(part)
        pattern[i] = known[key]
    start = np.append(0, np.cumsum([len(part) for part in distinct], dtype=np.int64)).astype(np.int64)
    return pattern, start, np.concatenate(distinct) if distinct else np.empty(0, dtype=np.int64)


def _fit_chain(
    codes: np.ndarray, subject: np.ndarray, count: np.ndarray, context: pd.DataFrame, hard: tuple[str, ...]
) -> SetModel:
    tree = fit_tree(count, context, hard)
    values, place = np.unique(codes, return_inverse=True)
    first = np.append(True, subject[1:] != subject[:-1])
    before = np.where(first, 0, np.append(0, place[:-1]) + 1)
    table = np.zeros((len(values) + 1, len(values)))
    np.add.at(table, (before, place), 1.0)
    overall = table.sum(0) / table.sum()
    # A code that was followed once or twice says little of what may follow: two rows' worth of all codes.
    table[1:] += 2 * overall
    allowed = np.zeros((len(tree.outcomes), len(values)), dtype=np.int64)
    allowed[find_leaves(tree, context)[subject], place] = 1
    chain = ChainModel(
        codes=values,
        following=DiscreteTables.of([Discrete(np.arange(len(values), dtype=float), row / row.sum()) for row in table]),
        allowed=allowed,
        repeats=bool(len(np.unique(np.column_stack([subject, place]), axis=0)) < len(codes)),
    )
    return SetModel(tree=tree, start=np.zeros(1, dtype=np.int64), code=np.empty(0, dtype=np.int64), chain=chain)
