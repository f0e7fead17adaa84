"""Within-subject variance: how far two values of one subject lie apart, by the days between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from datareplicator.model.arrays import group_sums

_CLIP_QUANTILE = 0.99
# E[min(X, q99)] / E[X] for X chi-square with one degree of freedom: what clipping takes from a normal difference.
_CLIP_FACTOR = 0.9776
# Candidate time constants of fast and slow drift, in units of the usual gap between two visits.
_FAST, _SLOW, _SLOWEST = (0.5, 1.0, 2.0, 3.0), (4.0, 5.0, 6.0, 8.0, 12.0), 0.5
MAX_LAGS = 12
_PULL = 0.02
_PAIRS = 400.0  # pairs of one gap beyond this number repeat what the others say: they share subjects
_MAX_ENTRIES = 60_000_000
# Upper bounds of the bins of gaps, in units of the usual gap.
_EDGES = np.array([0.3, 0.75, 1.5, 2.5, 4.0, 6.0, 9.0, 14.0])


@dataclass
class Variogram:
    """`gap` (bins,) mean days between two values; `half` (bins, cells) mean half squared difference; `pairs` same."""

    gap: np.ndarray
    half: np.ndarray
    pairs: np.ndarray
    spacing: float


def variogram(residual: np.ndarray, subject: np.ndarray, day: np.ndarray) -> Variogram:
    """Of (rows, cells) residuals, rows ordered by subject and day; pairs up to `MAX_LAGS` rows apart."""
    rows, cells = residual.shape
    lags = int(np.clip(_MAX_ENTRIES // max(residual.size, 1), 2, MAX_LAGS))
    spacing = _spacing(subject, day)
    sums, pairs = np.zeros((len(_EDGES) + 1, cells)), np.zeros((len(_EDGES) + 1, cells))
    gap_sum, gap_count = np.zeros(len(_EDGES) + 1), np.zeros(len(_EDGES) + 1)
    for lag in range(1, min(lags, rows - 1) + 1):
        same = subject[lag:] == subject[:-lag]
        if not same.any():
            break
        gap = (day[lag:] - day[:-lag])[same]
        half = (residual[lag:][same] - residual[:-lag][same]) ** 2 / 2
        known = np.isfinite(half)
        half = np.where(known, half, 0.0)
        half = np.minimum(half, _upper(half, known))
        bins = np.searchsorted(_EDGES * spacing, gap, side="right")
        sums += group_sums(half, bins, len(sums))
        pairs += group_sums(known.astype(float), bins, len(sums))
        gap_sum += np.bincount(bins, weights=gap, minlength=len(sums))
        gap_count += np.bincount(bins, minlength=len(sums))
    mean_gap = np.where(gap_count > 0, gap_sum / np.maximum(gap_count, 1), spacing)
    return Variogram(mean_gap, sums / np.maximum(pairs, 1) / _CLIP_FACTOR, pairs, spacing)


def _spacing(subject: np.ndarray, day: np.ndarray) -> float:
    """Median days between neighbouring rows of a subject; 1 where nobody has two."""
    gap = np.diff(day)[subject[1:] == subject[:-1]]
    gap = gap[gap > 0]
    return float(np.median(gap)) if len(gap) else 1.0


def _upper(half: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The clip quantile of every column's known entries."""
    filled = np.sort(np.where(known, half, np.inf), axis=0)
    count = known.sum(0)
    place = np.clip(np.ceil(_CLIP_QUANTILE * count).astype(int) - 1, 0, len(half) - 1)
    upper = filled[place, np.arange(half.shape[1])]
    return np.where(count > 50, upper, np.inf)


def decompose(half: np.ndarray, lags: Variogram) -> tuple[np.ndarray, np.ndarray]:
    """Fit half(gap) = nugget + fast (1 - exp(-gap / t1)) + slow (1 - exp(-gap / t2)) by non-negative least squares.

    `half` (bins, cells) on the latent scale, total variance 1. The two times serve all cells, so that residuals of
    different cells keep their correlation over time; the three parts are each cell's own. Columns without pairs give
    NaN. Returns parts (3, cells) and times (2,) in days.
    """
    weight = lags.pairs / (1 + lags.pairs / _PAIRS) / np.sqrt(1 + lags.gap / lags.spacing)[:, None]
    usable = weight.sum(0) > 0
    best, result, times = np.inf, np.full((3, half.shape[1]), np.nan), lags.spacing * np.array([1.0, 8.0])
    span = float(lags.gap[lags.pairs.sum(1) > 0].max(initial=0.0)) / lags.spacing
    # Drift slower than half the time observed cannot be told from the subject's own level.
    slows = [slow for slow in _SLOW if slow <= _SLOWEST * span] or [_SLOW[0]]
    for fast, slow in product(_FAST, slows):
        rises = [1 - np.exp(-lags.gap / (t * lags.spacing)) for t in (fast, slow)]
        parts, error = _non_negative(half, np.column_stack([np.ones(len(lags.gap)), *rises]), weight)
        relative = np.sum((error / np.maximum(parts.sum(0), 0.05) ** 2)[usable]) if usable.any() else 0.0
        if relative < best:
            best, result, times = relative, parts, lags.spacing * np.array([fast, slow])
    if usable.any() and result[1:, usable].sum() > 0:
        # Fast and slow drift are hardly told apart in one cell, but cells must agree to stay correlated: once more.
        split = result[1:, usable].sum(1) / np.linalg.norm(result[1:, usable].sum(1))
        rises = [1 - np.exp(-lags.gap / time) for time in times]
        result, _ = _non_negative(half, np.column_stack([np.ones(len(lags.gap)), *rises]), weight, split)
    return np.where(usable, result, np.nan), times


def _non_negative(
    y: np.ndarray, design: np.ndarray, weight: np.ndarray, split: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted least squares of every column of `y` on three columns, no coefficient negative.

    Three coefficients have seven sets that may be positive: all are solved, the best feasible one counts.
    `split`: (2,) usual proportion of the last two, to which a light penalty pulls every column.
    Returns coefficients (3, columns) and squared errors (columns,).
    """
    gram = np.einsum("bi,bj,bk->kij", design, design, weight)
    if split is not None:
        away = np.array([0.0, split[1], -split[0]])
        gram = gram + _PULL * gram[:, :1, :1] * np.outer(away, away)
    moment = np.einsum("bi,bk->ki", design, weight * y)
    square = (weight * y**2).sum(0)
    best = square.copy()
    result = np.zeros((3, y.shape[1]))
    for size in (1, 2, 3):
        for used in combinations(range(3), size):
            part = gram[:, used][:, :, used] + 1e-9 * (1e-12 + gram[:, :1, :1]) * np.eye(size)
            solution = np.linalg.solve(part, moment[:, used][:, :, None])[:, :, 0]
            error = square - (solution * moment[:, used]).sum(1)
            better = (solution >= 0).all(1) & (error < best - 1e-12)
            best = np.where(better, error, best)
            full = np.zeros_like(result)
            full[list(used)] = solution.T
            result = np.where(better, full, result)
    return result, best


def mean_inflation(counts: np.ndarray, rho: float) -> np.ndarray:
    """Variance of the mean of `counts` equally spaced AR(1) values of variance 1 and lag-one correlation rho.

    >>> mean_inflation(np.array([1, 4]), 0.0)
    array([1.  , 0.25])
    """
    n = np.maximum(counts, 1).astype(float)
    rho = min(rho, 0.999)
    return (1 + 2 * (rho / (1 - rho)) * (1 - (1 - rho**n) / (n * (1 - rho)))) / n
