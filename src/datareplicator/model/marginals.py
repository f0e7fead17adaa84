"""Marginal distributions: standard normal score -> value in the source's unit, on the source's own lattice."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from datareplicator.document import Document, Exact, Floats

_KNOTS = np.linspace(-4.0, 4.0, 161)
_MAX_LATTICE = 1200


class Marginal(Document):
    """`values` ascending. On a lattice, value j is taken for scores below `scores[j]` (the last is +inf, left out);
    else values are read between the knots `scores` and rounded to `decimals`."""

    values: Exact
    scores: Floats
    lattice: bool
    decimals: int

    def sample(self, score: np.ndarray) -> np.ndarray:
        """Normal scores of any shape -> values."""
        if self.lattice:
            return self.values[np.searchsorted(self.scores, score, side="right")]
        return np.round(np.interp(score, self.scores, self.values), self.decimals)


def decimals_of(values: np.ndarray, most: int = 10) -> int:
    """Digits after the point that write all values.

    >>> decimals_of(np.array([1.5, 2.25, 3.0]))
    2
    """
    for digits in range(most):
        if np.all(np.abs(np.round(values, digits) - values) <= 1e-9 * np.maximum(1, np.abs(values))):
            return digits
    return most


def fit_discrete(x: np.ndarray, weight: np.ndarray) -> Marginal:
    """Atoms with their frequencies (ordinal scores, codes, values with large atoms)."""
    atoms, inverse = np.unique(x, return_inverse=True)
    mass = np.bincount(inverse, weights=weight) / weight.sum()
    return _lattice(atoms, mass)


def _lattice(values: np.ndarray, mass: np.ndarray) -> Marginal:
    edges = np.clip(np.cumsum(mass)[:-1] / mass.sum(), 1e-12, 1 - 1e-12)
    return Marginal(values=values, scores=np.maximum.accumulate(ndtri(edges)), lattice=True, decimals=0)


def smooth_quantiles(y: np.ndarray, weight: np.ndarray, effective: float, bandwidth: float) -> np.ndarray:
    """Quantile function at the score knots -4 .. 4 by local linear regression of values on their normal scores.

    A wide bandwidth gives a straight line (a normal distribution), a narrow one the empirical quantiles; both ends
    continue straight, so that tails reach beyond the sample.
    """
    order = np.argsort(y, kind="stable")
    y, w = y[order], weight[order] / weight.sum()
    z = ndtri(np.clip(np.cumsum(w) - w / 2, 1e-6, 1 - 1e-6))
    width = bandwidth
    if len(y) > 3000:  # the curve is the same, the kernel matrix is not
        pick = np.linspace(0, len(y) - 1, 3000).astype(int)
        y, z, w = y[pick], z[pick], w[pick]
    inside = np.clip(_KNOTS, z[0] + 0.25 * width, z[-1] - 0.25 * width) if z[-1] - z[0] > width else _KNOTS * 0
    kernel = np.exp(-0.5 * ((inside[:, None] - z) / width) ** 2) * w + 1e-12 * w
    total = kernel.sum(1)
    zbar, ybar = kernel @ z / total, kernel @ y / total
    szz = kernel @ (z * z) / total - zbar**2
    szy = kernel @ (z * y) / total - zbar * ybar
    slope = np.where(szz > 1e-9, szy / np.maximum(szz, 1e-9), 0.0)
    return np.maximum.accumulate(ybar + slope * (_KNOTS - zbar))


def bandwidth(effective: float) -> float:
    """Wide for few independent values (the Box-Cox normal is trusted), narrow for many."""
    return float(np.clip(30.0 / max(effective, 1.0), 0.05, 2.0))


def fit_continuous(
    x: np.ndarray, weight: np.ndarray, effective: float, transform, holders: np.ndarray, margin: float
) -> Marginal:
    """`transform`: source unit -> near-normal scale, increasing; `holders`: number of subjects with each value of
    `np.unique(x)`; `margin`: share of the range by which samples may leave it."""
    atoms, inverse = np.unique(x, return_inverse=True)
    count = np.bincount(inverse, weights=weight) / weight.sum()
    decimals = decimals_of(atoms)
    quantiles = smooth_quantiles(transform(x), weight, effective, bandwidth(effective))
    low, high = atoms[0] - margin * (atoms[-1] - atoms[0]), atoms[-1] + margin * (atoms[-1] - atoms[0])
    low = max(low, 0.0) if atoms[0] >= 0 else low
    grid = source_lattice(atoms, count, holders, decimals, low, high, len(x))
    if grid is None:
        return _continuous(quantiles, transform, low, high, decimals)
    scale = transform(grid)
    edges = (scale[1:] + scale[:-1]) / 2
    scores = np.interp(edges, quantiles + 1e-12 * np.arange(len(quantiles)), _KNOTS, left=-9, right=9)
    smooth = np.diff(np.r_[0.0, ndtr(scores), 1.0])
    observed = np.zeros(len(grid))
    place = np.abs(grid[:, None] - atoms).argmin(0) if len(grid) * len(atoms) < 4e6 else np.searchsorted(grid, atoms)
    np.add.at(observed, np.minimum(place, len(grid) - 1), count)
    smooth *= digit_preference(observed, smooth, grid, effective)
    smooth /= smooth.sum()
    share = effective / (effective + 20.0)
    return _lattice(grid, share * observed + (1 - share) * smooth)


def _continuous(quantiles: np.ndarray, transform, low: float, high: float, decimals: int) -> Marginal:
    table = np.linspace(low, high, 4001)
    values = np.interp(quantiles, transform(table), table)
    return Marginal(values=np.maximum.accumulate(values), scores=_KNOTS, lattice=False, decimals=decimals)


def source_lattice(
    atoms: np.ndarray, mass: np.ndarray, holders: np.ndarray, decimals: int, low: float, high: float, rows: int
) -> np.ndarray | None:
    """The values the source could write: an even grid where most of its points are seen, else the values that at
    least two subjects share where those cover nearly all rows, else None (a continuous cell)."""
    step = 10.0**-decimals
    for size in (5.0, 2.0, 1.0):
        ratio = atoms / (size * step)
        if np.all(np.abs(ratio - np.round(ratio)) < 1e-6):
            step *= size
            break
    cumulative = np.cumsum(mass)
    inner = atoms[(cumulative > 0.1) & (cumulative < 0.9)]
    if len(inner) > 2:
        points = (inner[-1] - inner[0]) / step + 1
        if len(inner) > 0.6 * points and (high - low) / step < _MAX_LATTICE:
            grid = np.round(np.arange(np.ceil(low / step - 1e-6), np.floor(high / step + 1e-6) + 1) * step, decimals)
            place = np.searchsorted(grid, atoms - step / 4)
            hit = place < len(grid)
            grid[place[hit]] = atoms[hit]  # the float exactly as the source writes it
            return grid
    shared = holders >= 2
    if mass[shared].sum() > 0.85 and shared.sum() < 0.35 * rows:
        return atoms[shared]
    return None


def digit_preference(observed: np.ndarray, smooth: np.ndarray, grid: np.ndarray, effective: float) -> np.ndarray:
    """Ratio of observed to smooth mass by last digit of the grid index, shrunk to 1."""
    step = np.median(np.diff(grid)) if len(grid) > 1 else 1.0
    digit = np.round(grid / step).astype(np.int64) % 10
    seen = np.bincount(digit, weights=observed, minlength=10) * effective
    expected = np.bincount(digit, weights=smooth, minlength=10) * effective
    return ((seen + 2.0) / (expected + 2.0))[digit]
