"""What holds the columns of a row together: a Gaussian copula over numbers, categories and missing values.

Every column has a latent standard normal variable; a category or an atom stands for an interval of it. Scores are the
means of those intervals. Their correlations are too low by the spread that the intervals hide, and are corrected for
it (polyserial correlation, Olsson, Drasgow and Dorans, 1982; between two coarse variables by the arcsine law).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datareplicator.model.correlation import nearest, pairwise, shrink
from datareplicator.model.single.columns import Learned, set_weights
from datareplicator.model.single.document import Variable
from datareplicator.model.single.marginals import interval_scores, scores_of

MOST_VARIABLES = 300
MOST_ENTRIES = 20_000_000
"""Rows times variables that correlations are learned from; of longer tables an even part of the rows."""
MOST_CATEGORIES = 0.2
"""Distinct categories to rows, from which on categories say nothing about other columns."""
STRONGEST = 0.98
EVIDENT = 4.0
"""Standard errors from which missing values depend on something."""
_HALF = 2 / np.pi


@dataclass
class Scores:
    """Latent variables and their scores (rows, k), NaN where unknown."""

    variables: list[Variable]
    scores: np.ndarray


def is_given(variable: Variable) -> bool:
    """Whether a variable belongs to the parent's row."""
    return variable.table is not None and variable.part != "count"


def column_scores(
    columns: list[Learned],
    given: Scores | None = None,
    counted: Scores | None = None,
    rows: np.ndarray | slice = slice(None),
) -> Scores:
    """The scores of all columns that have any: values, missing values, numbers of children, then what is given.

    `rows`: which rows, where not all; `given` and `counted` have one entry for each of them."""
    variables: list[Variable] = []
    found: list[np.ndarray] = []
    for learned in columns:
        if learned.marginal is not None and learned.number is not None and len(learned.marginal.values) > 1:
            variables.append(Variable(column=learned.name))
            found.append(scores_of(learned.marginal, learned.number[rows]))
    missing = [c for c in columns if 0 < c.params["nan_probability"] < 1]
    for learned in missing:
        variables.append(Variable(column=learned.name, part="missing"))
        table = interval_scores(np.array([1 - learned.params["nan_probability"], 1.0]))
        found.append(table[(~learned.detected.present[rows]).astype(np.int64)])
    known = [*found, *(score for more in (counted, given) if more is not None for score in more.scores.T)]
    for learned in columns:
        codes = learned.codes
        if codes is None or not 2 <= len(learned.keys) <= MOST_CATEGORIES * (codes >= 0).sum():
            continue
        others = [c for c in columns if c is not learned and c.codes is not None and 2 <= len(c.keys) <= 20]
        _order_categories(learned, known, others, rows)
        variables.append(Variable(column=learned.name))
        found.append(_category_scores(learned)[rows])
    for more in (counted, given):
        if more is not None:
            variables += more.variables
            found += list(more.scores.T)
    if len(variables) > MOST_VARIABLES:
        variables, found = variables[-MOST_VARIABLES:], found[-MOST_VARIABLES:]
    return Scores(variables, np.column_stack(found) if found else np.empty((0, 0)))


def _category_scores(learned: Learned) -> np.ndarray:
    share = np.array(list(learned.params["weights"].values()))
    return np.append(interval_scores(np.minimum(np.cumsum(share), 1.0)), np.nan)[learned.codes]


def _order_categories(
    learned: Learned, scores: list[np.ndarray], others: list[Learned], rows: np.ndarray | slice
) -> None:
    """Put the categories of a column in the order in which they go best with the other columns: by the first principal
    component of the means of all that is known in each category."""
    k = len(learned.keys)
    assert learned.codes is not None
    if k == 2:
        return
    codes = learned.codes[rows]
    here = codes >= 0
    count = np.bincount(codes[here], minlength=k).astype(float)
    features = []
    for score in scores[:40]:
        use = here & np.isfinite(score)
        n = np.bincount(codes[use], minlength=k)
        features.append(np.bincount(codes[use], score[use], k) / (n + 10.0))
    for other in others[:10]:
        assert other.codes is not None
        beside, size = other.codes[rows], len(other.keys)
        use = here & (beside >= 0)
        table = np.bincount(codes[use] * size + beside[use], minlength=k * size).reshape(k, size)
        expected = table.sum(0) / max(table.sum(), 1)
        spread = np.sqrt(np.maximum(expected * (1 - expected), 1e-9))
        features += list(((table - table.sum(1, keepdims=True) * expected) / (count[:, None] + 10.0) / spread).T)
    if not features:
        return
    matrix = np.column_stack(features)
    weight = np.sqrt(count / max(count.sum(), 1))[:, None]
    centred = matrix - (matrix * weight**2).sum(0)
    _, _, direction = np.linalg.svd(centred * weight, full_matrices=False)
    axis = direction[0] * np.sign(direction[0][np.abs(direction[0]).argmax()])
    order = np.argsort(centred @ axis, kind="stable")
    rank = np.empty(k + 1, dtype=np.int64)
    rank[order], rank[-1] = np.arange(k), -1
    total = np.bincount(learned.codes[learned.codes >= 0], minlength=k)
    learned.codes, learned.keys = rank[learned.codes], [learned.keys[j] for j in order]
    set_weights(learned, total[order])


def correlations(found: Scores) -> tuple[list[Variable], np.ndarray, np.ndarray]:
    """Variables that are worth keeping, their latent correlations (k, k), and which columns of the scores they are."""
    k = len(found.variables)
    if k == 0 or len(found.scores) < 3:
        return [], np.empty((0, 0)), np.empty(0, dtype=np.int64)
    step = int(np.ceil(found.scores.size / MOST_ENTRIES))
    scores = found.scores[::step]
    known = np.isfinite(scores)
    n = np.maximum(known.sum(0), 1)
    filled = np.where(known, scores, 0.0)
    mean = filled.sum(0) / n
    spread = np.sqrt(np.maximum((filled**2).sum(0) / n - mean**2, 1e-12))
    raw, both = pairwise((scores - mean).astype(np.float64))
    error = 1 / np.sqrt(np.maximum(both - 3, 1))
    evident = (np.abs(raw) / error > EVIDENT) & ~np.eye(k, dtype=bool)
    keep = np.array([v.part != "missing" or evident[j].any() for j, v in enumerate(found.variables)])
    own = np.flatnonzero(keep)
    latent = np.clip(latent_correlations(raw, spread), -STRONGEST, STRONGEST)[np.ix_(own, own)]
    upper = np.triu_indices(len(own), 1)
    variance = (error**2 / np.maximum(spread[:, None] * spread, 0.05) ** 2)[np.ix_(own, own)][upper]
    matrix = np.eye(len(own))
    matrix[upper] = shrink(latent[upper], variance, np.zeros(len(variance)))
    matrix = nearest(matrix + matrix.T - np.eye(len(own)))
    return [found.variables[j] for j in own], matrix, own


def latent_correlations(raw: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Correlations of scores, raised to those of the latent variables."""
    product = np.clip(spread[:, None] * spread, 0.05, 1.0)
    linear = raw / product
    bend = np.sqrt(np.clip((1 - product) / (1 - _HALF), 1e-6, 1.0))
    coarse = np.minimum(spread, 0.999) < 0.95
    return np.where(coarse[:, None] & coarse, np.sin(np.clip(bend * linear, -np.pi / 2, np.pi / 2)) / bend, linear)
