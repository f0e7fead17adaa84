"""The scale on which a cell's statistics are taken.

Continuous cells: the Box-Cox power with the highest likelihood (Box and Cox, 1964), standardised and clipped, because
rank scores shrink the gaps between extreme subjects and so inflate within-subject change. Cells with large atoms
(ordinal scores, codes, many zeros): the normal score of each atom, E[Z | atom], divided by its variance, so that
covariances and mean shifts estimate those of the latent normal variable (first Hermite coefficient 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

CLIP = 4.0
POWERS = np.arange(-1.0, 2.01, 0.25)
_HERMITE = 24
_RHO = np.linspace(0.0, 1.0, 201)


@dataclass
class Scale:
    """One cell's scale: `scores` (rows,) with NaN, `variance` of the scores (1 for continuous cells).

    `attenuation`: autocorrelation of the scores at latent autocorrelation 0, 0.005 .. 1; None where they are equal.
    `power`, `shift`, `location`, `width`, `floor` (least argument): of the Box-Cox transform,
    `rounding`: variance that writing values on a lattice adds (continuous cells only).
    """

    scores: np.ndarray
    variance: float = 1.0
    attenuation: np.ndarray | None = None
    power: float = 1.0
    shift: float = 0.0
    location: float = 0.0
    width: float = 1.0
    floor: float = 0.0
    rounding: float = 0.0

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Values in the source's unit -> Box-Cox scale, mean 0 and variance 1 over the training rows."""
        inside = np.maximum(x + self.shift, self.floor)
        return (power_transform(inside, self.power) - self.location) / self.width

    def latent(self, rho: np.ndarray) -> np.ndarray:
        """Autocorrelation of the scores -> autocorrelation of the latent normal variable."""
        if self.attenuation is None:
            return rho
        return np.sign(rho) * np.interp(np.abs(rho), self.attenuation, _RHO)


def power_transform(x: np.ndarray, power: float) -> np.ndarray:
    """Box-Cox: (x^power - 1) / power, log x at power 0."""
    return np.log(x) if abs(power) < 1e-9 else (np.power(x, power) - 1.0) / power


def is_atomic(values: np.ndarray, kind: str) -> bool:
    """Whether a cell takes few values or one of them so often that a continuous scale misleads.

    >>> is_atomic(np.array([0.0, 1, 1, 2]), "number"), is_atomic(np.linspace(1, 2, 50), "number")
    (True, False)
    """
    if kind != "number":
        return True
    seen, count = np.unique(values, return_counts=True)
    return bool(len(seen) < 8 or count.max() > max(0.15 * len(values), 3))


def fit_scale(values: np.ndarray, weight: np.ndarray, effective: float, kind: str) -> Scale:
    """`values`: (rows,) NaN allowed, at least one finite; `weight`: (rows,); `effective`: independent values."""
    known = np.isfinite(values)
    x, w = values[known], weight[known] / weight[known].sum()
    scores = np.full(len(values), np.nan)
    if x.min() == x.max():
        scores[known] = 0.0
        return Scale(scores, location=float(x[0]), shift=0.0)
    if is_atomic(x, kind):
        return _atomic(x, w, known, scores)
    shift = 0.0 if x.min() > 0 else float(-x.min() + 0.25 * x.std())
    power = _best_power(x + shift, w, effective)
    y = power_transform(x + shift, power)
    location = float(w @ y)
    width = float(np.sqrt(w @ (y - location) ** 2)) or 1.0
    scores[known] = np.clip((y - location) / width, -CLIP, CLIP)
    floor = 0.25 * float(x.min() + shift)
    return Scale(scores, 1.0, None, power, shift, location, width, floor, _rounding(scores[known], w))


def _rounding(scores: np.ndarray, w: np.ndarray) -> float:
    """Sheppard's correction: a twelfth of the squared distance between neighbouring values, on average."""
    atoms, inverse = np.unique(scores, return_inverse=True)
    step = np.diff(atoms)
    cell = (np.r_[step[0], step] + np.r_[step, step[-1]]) / 2
    mass = np.bincount(inverse, weights=w)
    shared = mass > 1.5 * w.min()  # a value seen once says nothing of a lattice
    return float(np.minimum(mass[shared] @ cell[shared] ** 2 / 12, 0.2)) if shared.any() else 0.0


def _best_power(x: np.ndarray, w: np.ndarray, effective: float) -> float:
    logs = np.log(x)
    mean_log = float(w @ logs)
    best, value = 1.0, -np.inf
    for power in POWERS:
        with np.errstate(over="ignore"):
            y = power_transform(x, power)
        if not np.isfinite(y).all():
            continue
        variance = float(w @ (y - w @ y) ** 2)
        if variance <= 0:
            continue
        # A weak prior around the square root: twenty subjects tell little about the power.
        score = effective * (-0.5 * np.log(variance) + (power - 1) * mean_log) - 0.5 * ((power - 0.5) / 0.5) ** 2
        if score > value:
            best, value = float(power), score
    return best


def _atomic(x: np.ndarray, w: np.ndarray, known: np.ndarray, scores: np.ndarray) -> Scale:
    inverse = np.unique(x, return_inverse=True)[1]
    mass = np.bincount(inverse, weights=w)
    coefficient, score = _hermite(mass)
    variance = float(mass @ score**2)
    scores[known] = (score / variance)[inverse]
    squares = coefficient**2
    squares[-1] += max(0.0, variance - squares.sum())  # what the series leaves out belongs to high powers
    powers = _RHO[:, None] ** np.arange(1, _HERMITE + 1)
    curve = np.maximum.accumulate(powers @ squares / squares.sum())
    return Scale(scores, 1.0 / variance, curve, location=0.0)


def _hermite(mass: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hermite coefficients of the step function z -> E[Z | atom], and its values."""
    edges = ndtri(np.clip(np.r_[0.0, np.cumsum(mass)[:-1], 1.0], 0.0, 1.0))
    finite = np.where(np.isfinite(edges), edges, 0.0)
    density = np.where(np.isfinite(edges), np.exp(-0.5 * finite**2) / np.sqrt(2 * np.pi), 0.0)
    score = (density[:-1] - density[1:]) / mass
    previous, current = np.zeros_like(finite), density.copy()  # He_{j-1}(edge) * density, normalised by sqrt((j-1)!)
    coefficient = np.empty(_HERMITE)
    for j in range(1, _HERMITE + 1):
        coefficient[j - 1] = score @ (current[:-1] - current[1:]) / np.sqrt(j)
        previous, current = current, (finite * current - np.sqrt(j - 1) * previous) / np.sqrt(j)
    return coefficient, score
