"""Marginal distributions of long columns, read off their sorted values, and latent normal scores of values."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from datareplicator.model.marginals import Marginal

MOST_ATOMS = 1000
"""Distinct values up to which each can have a share of its own."""
ROWS_A_VALUE = 5
"""Rows a distinct value that this takes; below, shares are read between the values."""
HEAVY = 0.005
"""Share of the rows from which a single value is an atom of an else continuous column."""
_GRID = np.linspace(-4.0, 4.0, 161)
_EDGE = 1e-9


def fit_marginal(ordered: np.ndarray, decimals: int) -> Marginal:
    """The distribution of the values `ordered` (float64[n], ascending, n > 0), to be written with `decimals`.

    Few values that recur keep their shares exactly. Else quantiles at an even grid of normal scores are joined by
    straight lines, which smooths; values with much of the mass stay atoms. Nothing lies beyond the values.
    """
    new = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    values, count = ordered[new], np.diff(np.r_[new, len(ordered)])
    if len(values) == 1 or (len(values) <= MOST_ATOMS and len(ordered) >= ROWS_A_VALUE * len(values)):
        return from_shares(values, count)
    return _smooth(ordered, values, count, decimals)


def from_shares(values: np.ndarray, mass: np.ndarray) -> Marginal:
    """A distribution on `values` (ascending) with the given masses."""
    edges = np.clip(np.cumsum(mass)[:-1] / mass.sum(), 1e-12, 1 - 1e-12)
    scores = np.maximum.accumulate(ndtri(edges)) if len(edges) else edges
    return Marginal(values=values, scores=scores, lattice=True, decimals=0)


def _smooth(ordered: np.ndarray, values: np.ndarray, count: np.ndarray, decimals: int) -> Marginal:
    n = len(ordered)
    share = ndtr(_GRID)
    quantile = np.interp(share * n - 0.5, np.arange(n), ordered)
    heavy = np.flatnonzero(count >= max(HEAVY * n, 2.5))
    if not len(heavy):
        return Marginal(values=quantile, scores=_GRID, lattice=False, decimals=decimals)
    upto = np.cumsum(count)
    low, high = (np.clip(part, 1e-6, 1 - 1e-6) for part in ((upto - count)[heavy] / n, upto[heavy] / n))
    free = np.searchsorted(low, share, side="right") == np.searchsorted(high, share, side="left")
    before, after = values[np.maximum(heavy - 1, 0)], values[np.minimum(heavy + 1, len(values) - 1)]
    left, right = ndtri(low), ndtri(high)
    score = np.r_[_GRID[free], left - _EDGE, left, right, right + _EDGE]
    value = np.r_[quantile[free], before, values[heavy], values[heavy], after]
    order = np.argsort(score, kind="stable")
    score, value = np.maximum.accumulate(score[order]), np.maximum.accumulate(value[order])
    keep = np.r_[True, np.diff(score) > 0]
    return Marginal(values=value[keep], scores=score[keep], lattice=False, decimals=decimals)


def interval_scores(upper: np.ndarray) -> np.ndarray:
    """Mean of a standard normal variable on each of the intervals that end at the cumulative shares `upper`.

    >>> interval_scores(np.array([0.5, 1.0])).round(3)
    array([-0.798,  0.798])
    """
    density = np.exp(-0.5 * ndtri(np.clip(upper, 1e-300, 1)) ** 2) / np.sqrt(2 * np.pi)
    density = np.where((upper <= 0) | (upper >= 1 - 1e-12), 0.0, density)
    below = np.r_[0.0, density[:-1]]
    mass = np.diff(np.r_[0.0, upper])
    return np.where(mass > 0, (below - density) / np.where(mass > 0, mass, 1), ndtri(np.clip(upper, 1e-9, 1 - 1e-9)))


def scores_of(marginal: Marginal, x: np.ndarray) -> np.ndarray:
    """Latent scores of values (any shape, NaN stays NaN): the mean score of those that give the value."""
    if marginal.lattice:
        score = interval_scores(np.r_[ndtr(marginal.scores), 1.0])
        place = np.searchsorted(marginal.values, x)
        return np.where(np.isfinite(x), np.r_[score, score[-1]][place], np.nan)
    first = np.r_[True, marginal.values[1:] != marginal.values[:-1]]
    if first.all():
        return np.interp(x, marginal.values, marginal.scores)
    group = np.cumsum(first) - 1
    middle = np.bincount(group, marginal.scores) / np.bincount(group)
    return np.interp(x, marginal.values[first], middle)
