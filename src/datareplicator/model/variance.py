"""Within-subject variance: how far two values of one subject lie apart, by the days between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datareplicator.model.arrays import group_sums

_CLIP_QUANTILE = 0.99
# E[min(X, q99)] / E[X] for X chi-square with one degree of freedom: what clipping takes from a normal difference.
_CLIP_FACTOR = 0.9776
_MULTIPLES = np.array([0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
MAX_LAGS = 12
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


def decompose(half: np.ndarray, lags: Variogram) -> tuple[np.ndarray, np.ndarray, float]:
    """Fit half(gap) = nugget + drift (1 - exp(-gap / theta)) to each column by non-negative weighted least squares.

    `half` (bins, cells) on the latent scale, total variance 1. One theta (days) serves all cells, so that residuals
    of different cells keep their correlation over time; nugget and drift are each cell's own. Columns without pairs
    give NaN. Returns nugget, drift (cells,), theta.
    """
    weight = np.sqrt(lags.pairs) / np.sqrt(1 + lags.gap / lags.spacing)[:, None]
    fits = [_two_parts(half, 1 - np.exp(-lags.gap / time), weight) for time in _MULTIPLES * lags.spacing]
    usable = weight.sum(0) > 0
    error = [np.sum(fit[2][usable] / np.maximum(fit[0] + fit[1], 0.05)[usable] ** 2) for fit in fits]
    best = int(np.argmin(error)) if usable.any() else 2
    nugget, drift, _ = fits[best]
    return np.where(usable, nugget, np.nan), np.where(usable, drift, np.nan), float(_MULTIPLES[best] * lags.spacing)


def _two_parts(half: np.ndarray, rise: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Non-negative weighted least squares of half = n + a rise, every column: n, a and the squared error."""
    x = rise[:, None]
    s0, sy, syy = weight.sum(0), (weight * half).sum(0), (weight * half**2).sum(0)
    sx, sxx, sxy = (weight * x).sum(0), (weight * x * x).sum(0), (weight * x * half).sum(0)
    det = s0 * sxx - sx**2
    safe = det > 1e-6 * s0 * sxx
    a = np.clip(np.where(safe, (s0 * sxy - sx * sy) / np.where(safe, det, 1.0), 0.0), 0, None)
    n = (sy - a * sx) / np.maximum(s0, 1e-12)
    a = np.where(n < 0, sxy / np.maximum(sxx, 1e-12), a)
    n = np.clip(n, 0, None)
    error = syy - 2 * (n * sy + a * sxy) + n**2 * s0 + 2 * n * a * sx + a**2 * sxx
    return n, a, error


def mean_inflation(counts: np.ndarray, rho: float) -> np.ndarray:
    """Variance of the mean of `counts` equally spaced AR(1) values of variance 1 and lag-one correlation rho.

    >>> mean_inflation(np.array([1, 4]), 0.0)
    array([1.  , 0.25])
    """
    n = np.maximum(counts, 1).astype(float)
    rho = min(rho, 0.999)
    return (1 + 2 * (rho / (1 - rho)) * (1 - (1 - rho**n) / (n * (1 - rho)))) / n
