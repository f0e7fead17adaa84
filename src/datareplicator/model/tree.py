"""A small classification tree over subjects or rows: which of a few outcomes, given what is known of the subject.

Splits are binary and must be significant (likelihood ratio, corrected for the number of splits tried), so that a
small sample gives a stump and a large one its interactions. *Hard* columns are crossed before any split: outcomes of
one combination are never offered to another (a subject that left early is never "completed").
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import model_validator
from scipy.stats import chi2

from datareplicator.document import Document, Floats, Ints
from datareplicator.model.discrete import Discrete, DiscreteTables

_LEAF = 5  # subjects in a leaf at least
_LEVEL = 0.05  # chance of a split where nothing depends on anything
_CUTS = 12  # cuts tried of an ordered column
_OUTCOMES = 40  # outcomes told apart when splits are judged; rarer ones count as one


class Column(Document):
    """A column of the context as the tree reads it. `categories`: the texts of an unordered column, empty for an
    ordered one (numbers); `cuts`: thresholds of an ordered one."""

    name: str
    categories: tuple[str, ...] = ()
    ordered: bool = False


class TreeModel(Document):
    """`hard`, `soft`: columns. `cell` float[H, len(hard)]: combinations of hard columns (numbers or category codes) and
    `root` int[H]: their tree. Nodes: `feature` int[N] (soft column, -1 leaf), `threshold` float[N]: to the left go
    ordered values up to it, or the category of that code; `left`, `right` int[N], `leaf` int[N]. `outcomes`: per leaf
    the outcomes and their shares.
    """

    hard: tuple[Column, ...]
    soft: tuple[Column, ...]
    cell: Floats
    root: Ints
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    leaf: Ints
    outcomes: DiscreteTables

    @model_validator(mode="after")
    def _check(self) -> TreeModel:
        nodes = len(self.feature)
        if any(len(x) != nodes for x in (self.threshold, self.left, self.right, self.leaf)):
            raise ValueError("the arrays of nodes differ in length")
        if len(self.cell) != len(self.root) or (len(self.cell) and self.cell.shape[1:] != (len(self.hard),)):
            raise ValueError("cell must have one row a tree and one column a hard column")
        inner = self.feature >= 0
        here = np.arange(nodes)[inner]
        if (self.left[inner] <= here).any() or (self.right[inner] <= here).any():
            raise ValueError("a node's children must come after it")
        if nodes and (max(self.left.max(), self.right.max(), self.root.max()) >= nodes):
            raise ValueError("a node names a node that does not exist")
        if (self.feature >= len(self.soft)).any() or (self.leaf[~inner] < 0).any():
            raise ValueError("a node names a column or leaf that does not exist")
        if nodes and self.leaf.max() >= len(self.outcomes):
            raise ValueError("a node names a leaf that does not exist")
        return self


class _Split(NamedTuple):
    feature: int
    threshold: float
    goes_left: np.ndarray


def fit_tree(outcome: np.ndarray, context: pd.DataFrame, hard: tuple[str, ...] = ()) -> TreeModel:
    """Learn P(outcome | context).

    `outcome` int[n] >= 0; `context`: n rows; numbers are ordered, anything else is not.
    `hard` names columns of it whose combinations are never mixed.
    """
    fixed = tuple(_describe(context[name]) for name in hard)
    free = tuple(_describe(context[name]) for name in context.columns if name not in hard)
    hard_codes, soft_codes = encode(fixed, context), encode(free, context)
    cell, member = (
        np.unique(hard_codes, axis=0, return_inverse=True)
        if hard
        else (
            np.empty((1, 0)),
            np.zeros(len(outcome), dtype=np.int64),
        )
    )
    grower = _Grower(outcome, soft_codes, free)
    root = [grower.grow(np.flatnonzero(member.ravel() == c)) for c in range(len(cell))]
    nodes = np.array(grower.nodes, dtype=float).reshape(-1, 5)
    feature, left, right, leaf = nodes[:, [0, 2, 3, 4]].astype(np.int64).T
    return TreeModel(
        hard=fixed,
        soft=free,
        cell=cell,
        root=np.array(root, dtype=np.int64),
        feature=feature,
        threshold=nodes[:, 1],
        left=left,
        right=right,
        leaf=leaf,
        outcomes=DiscreteTables.of(grower.leaves),
    )


def find_leaves(model: TreeModel, context: pd.DataFrame) -> np.ndarray:
    """Leaf of each row (int[n]). A combination of hard columns that was never seen takes the one that agrees in the
    earliest columns."""
    if not len(model.root):
        return np.zeros(len(context), dtype=np.int64)
    soft = encode(model.soft, context)
    node = model.root[_nearest_cell(model, encode(model.hard, context))]
    rows = np.arange(len(context))
    while True:
        inner = model.feature[node] >= 0
        if not inner.any():
            return model.leaf[node]
        feature = np.maximum(model.feature[node], 0)
        ordered = np.array([column.ordered for column in model.soft] or [False])[feature]
        value = soft[rows, feature]
        goes_left = np.where(ordered, value <= model.threshold[node], value == model.threshold[node])
        node = np.where(inner, np.where(goes_left, model.left[node], model.right[node]), node)


def _nearest_cell(model: TreeModel, codes: np.ndarray) -> np.ndarray:
    if not model.hard:
        return np.zeros(len(codes), dtype=np.int64)
    distinct, inverse = np.unique(codes, axis=0, return_inverse=True)
    weight = 2.0 ** -np.arange(len(model.hard))  # each counts for more than all after it together
    agree = (distinct[:, None, :] == model.cell[None, :, :]).astype(float) @ weight
    return np.argmax(agree, axis=1)[inverse.ravel()]


def _describe(values: pd.Series) -> Column:
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return Column(name=str(values.name), ordered=True)
    return Column(name=str(values.name), categories=tuple(sorted(values.dropna().astype(str).unique())))


def encode(columns: tuple[Column, ...], context: pd.DataFrame) -> np.ndarray:
    """Context as numbers (float[n, columns]): numbers as they are, or category codes; missing and unseen is -1 for
    categories and below all others for ordered columns."""
    codes = np.zeros((len(context), len(columns)))
    for j, column in enumerate(columns):
        values = context[column.name]
        if column.ordered:
            number = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
            codes[:, j] = np.where(np.isfinite(number), number, -1e15)
        else:
            codes[:, j] = _category_codes(values, column.categories)
    return codes


def _category_codes(values: pd.Series, categories: tuple[str, ...]) -> np.ndarray:
    """Only distinct values are turned into text, so that the cost follows these."""
    code, distinct = (
        (values.cat.codes.to_numpy(), values.cat.categories)
        if isinstance(values.dtype, pd.CategoricalDtype)
        else pd.factorize(values)
    )
    known = pd.Index(categories, dtype=object).get_indexer(np.asarray(distinct).astype(str).astype(object))
    return np.append(known, -1)[code]


class _Grower:
    """Grows trees over shared arrays; `nodes` collects (feature, threshold, left, right, leaf)."""

    def __init__(self, outcome: np.ndarray, codes: np.ndarray, columns: tuple[Column, ...]) -> None:
        self.outcome = outcome
        self.codes = codes
        self.columns = columns
        self.nodes: list[tuple[int, float, int, int, int]] = []
        self.leaves: list[Discrete] = []
        count = np.bincount(outcome) if len(outcome) else np.zeros(0, dtype=int)
        frequent = np.argsort(-count, kind="stable")[: _OUTCOMES - 1]
        self.judged = np.full(len(count), min(len(count), _OUTCOMES) - 1)
        self.judged[frequent] = np.arange(len(frequent))

    def grow(self, rows: np.ndarray) -> int:
        """Index of the root of a tree over `rows`."""
        here = len(self.nodes)
        self.nodes.append((-1, 0.0, -1, -1, -1))
        split = self._best(rows)
        if split is None:
            value, count = np.unique(self.outcome[rows], return_counts=True)
            self.nodes[here] = (-1, 0.0, -1, -1, len(self.leaves))
            self.leaves.append(Discrete(value.astype(float), count / count.sum()))
            return here
        left, right = self.grow(rows[split.goes_left]), self.grow(rows[~split.goes_left])
        self.nodes[here] = (split.feature, split.threshold, left, right, -1)
        return here

    def _best(self, rows: np.ndarray) -> _Split | None:
        present, outcome = np.unique(self.judged[self.outcome[rows]], return_inverse=True)
        if len(present) < 2 or len(rows) < 2 * _LEAF:
            return None
        hot = np.zeros((len(rows), len(present)))
        hot[np.arange(len(rows)), outcome] = 1
        splits, sides = self._candidates(rows)
        if not splits:
            return None
        left = np.array(sides, dtype=float) @ hot
        statistic = 2 * (_likelihood(left) + _likelihood(hot.sum(0) - left) - _likelihood(hot.sum(0)[None]))
        best = int(np.argmax(statistic))
        # Outcomes seen once or twice carry no degree of freedom's worth of evidence.
        freedom = max(1, int((hot.sum(0) >= 3).sum()) - 1)
        if chi2.sf(statistic[best], freedom) * len(splits) > _LEVEL:
            return None
        return _Split(splits[best][0], splits[best][1], sides[best])

    def _candidates(self, rows: np.ndarray) -> tuple[list[tuple[int, float]], list[np.ndarray]]:
        splits, sides = [], []
        for j, column in enumerate(self.columns):
            value = self.codes[rows, j]
            levels = np.unique(value)
            if column.ordered:
                # Half-way between values, so that a model read back from text sends each value the same way.
                levels = (levels[:-1] + levels[1:]) / 2
                if len(levels) > _CUTS:
                    place = np.searchsorted(levels, np.quantile(value, np.linspace(0, 1, _CUTS + 2)[1:-1]))
                    levels = levels[np.unique(np.minimum(place, len(levels) - 1))]
            for level in levels:
                side = value <= level if column.ordered else value == level
                if _LEAF <= side.sum() <= len(rows) - _LEAF:
                    splits.append((j, float(level)))
                    sides.append(side)
        return splits, sides


def _likelihood(counts: np.ndarray) -> np.ndarray:
    """Maximal log-likelihood of each row of counts."""
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.ones_like(counts), where=counts > 0)
    return (counts * np.log(share)).sum(axis=1)
