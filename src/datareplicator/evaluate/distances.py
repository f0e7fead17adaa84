"""How far two distributions lie apart, and how far chance alone takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST_BINS = 128


@dataclass
class Counts:
    """Values by subject and bin, (subjects, bins): all that a distance and its chance need."""

    source: np.ndarray
    synthetic: np.ndarray
    ordered: bool

    def distance(self) -> float:
        """Kolmogorov-Smirnov distance of ordered bins, total variation distance of others; NaN for an empty side."""
        return float(_distance(_shares(self.source.sum(0)), _shares(self.synthetic.sum(0)), self.ordered))

    def chance(self, draws: tuple[np.ndarray, np.ndarray], level: float = 0.95) -> float:
        """The distance that two studies drawn from the source's subjects stay under in `level` of all draws."""
        drawn = _distance(_shares(draws[0] @ self.source), _shares(draws[1] @ self.source), self.ordered)
        return float(np.quantile(drawn[np.isfinite(drawn)], level)) if np.isfinite(drawn).any() else float("nan")


def _shares(counts: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return counts / counts.sum(-1, keepdims=True)


def _distance(a: np.ndarray, b: np.ndarray, ordered: bool) -> np.ndarray:
    difference = a - b
    if ordered:
        return np.abs(np.cumsum(difference, axis=-1)).max(-1, initial=0)
    return 0.5 * np.abs(difference).sum(-1)


def count(subject: np.ndarray, code: np.ndarray, n: int, bins: int) -> np.ndarray:
    """Number of values of each subject in each bin, (n, bins); rows with a code or subject of -1 do not count."""
    use = (subject >= 0) & (code >= 0)
    flat = np.bincount(subject[use].astype(np.int64) * bins + code[use], minlength=n * bins)
    return flat.reshape(n, bins).astype(float)


def binned(source: np.ndarray, synthetic: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Numbers as ordered bins for both sides (-1 where missing): each value its own bin where there are few, else
    quantiles of the source, which bound the error of a Kolmogorov-Smirnov distance by 1 / MOST_BINS."""
    known = np.unique(np.concatenate([source[np.isfinite(source)], synthetic[np.isfinite(synthetic)]]))
    if len(known) > MOST_BINS:
        held = source[np.isfinite(source)]
        known = np.unique(np.quantile(held, np.linspace(0, 1, MOST_BINS), method="nearest")) if len(held) else known[:1]
    a, b = (np.where(np.isfinite(v), np.searchsorted(known, v), -1) for v in (source, synthetic))
    return a, b, len(known) + 1
