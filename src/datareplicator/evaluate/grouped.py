"""Statistics by group over whole arrays."""

from __future__ import annotations

import numpy as np


def quantiles(group: np.ndarray, value: np.ndarray, groups: int, at: tuple[float, ...]) -> np.ndarray:
    """Quantiles of `value` in each group: (groups, len(at)), NaN for empty groups, linear between values.

    >>> quantiles(np.array([0, 0, 2]), np.array([1.0, 3.0, 5.0]), 3, (0.0, 0.5)).tolist()
    [[1.0, 2.0], [nan, nan], [5.0, 5.0]]
    """
    order = np.lexsort((value, group))
    ordered = value[order]
    count = np.bincount(group, minlength=groups)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    if not len(ordered):
        return np.full((groups, len(at)), np.nan)
    where = start[:, None] + np.asarray(at)[None, :] * np.maximum(count - 1, 0)[:, None]
    low = np.minimum(np.floor(where).astype(np.int64), len(ordered) - 1)
    high = np.minimum(low + 1, len(ordered) - 1)
    share = where - np.floor(where)
    result = np.where(share > 0, ordered[low] * (1 - share) + ordered[high] * share, ordered[low])
    return np.where((count > 0)[:, None], result, np.nan)


def mean_sd(group: np.ndarray, value: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number, mean and standard deviation by group; NaN where there are too few values."""
    n = np.bincount(group, minlength=groups).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(group, value, minlength=groups) / n
        squares = np.bincount(group, (value - mean[group]) ** 2, minlength=groups)
        sd = np.sqrt(squares / np.where(n > 1, n - 1, np.nan))
    return n, mean, sd


def icc(test: np.ndarray, subject: np.ndarray, value: np.ndarray, tests: int) -> np.ndarray:
    """Intraclass correlation by test: the share of variance that lies between subjects (one-way analysis of variance,
    unequal group sizes; Donner and Koval 1980). Subjects with one value say nothing and are left out.
    """
    pair, key = np.unique(test.astype(np.int64) * (int(subject.max(initial=0)) + 1) + subject, return_inverse=True)
    n, mean, sd = mean_sd(key, value, len(pair))
    of = pair // (int(subject.max(initial=0)) + 1)
    use = n >= 2
    k, total = np.bincount(of[use], minlength=tests), np.bincount(of[use], n[use], minlength=tests)
    with np.errstate(invalid="ignore", divide="ignore"):
        grand = np.bincount(of[use], (n * mean)[use], minlength=tests) / total
        within = np.bincount(of[use], ((n - 1) * sd**2)[use], minlength=tests) / (total - k)
        between = np.bincount(of[use], (n * (mean - grand[of]) ** 2)[use], minlength=tests) / (k - 1)
        size = (total - np.bincount(of[use], (n**2)[use], minlength=tests) / total) / (k - 1)
        share = np.maximum((between - within) / size, 0)
        return np.where(k >= 3, share / (share + within), np.nan)


def lag_one(test: np.ndarray, subject: np.ndarray, order: np.ndarray, value: np.ndarray, tests: int) -> np.ndarray:
    """Correlation of consecutive values of a subject, both less the subject's mean, by test; NaN for under 20 pairs."""
    rows = np.lexsort((order, subject, test))
    t, s, v = test[rows], subject[rows], value[rows]
    new = np.concatenate([[True], (t[1:] != t[:-1]) | (s[1:] != s[:-1])]) if len(t) else np.empty(0, dtype=bool)
    key = np.cumsum(new) - 1
    n, mean, _ = mean_sd(key, v, int(key.max(initial=-1)) + 1)
    centred = v - mean[key]
    first = np.flatnonzero(~new[1:] & (n[key[:-1]] >= 3)) if len(t) else np.empty(0, dtype=np.int64)
    return correlation(t[first], centred[first], centred[first + 1], tests)


def correlation(group: np.ndarray, x: np.ndarray, y: np.ndarray, groups: int, least: int = 20) -> np.ndarray:
    """Pearson correlation by group; NaN where there are fewer than `least` pairs or no spread."""
    n, mx, sx = mean_sd(group, x, groups)
    _, my, sy = mean_sd(group, y, groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        cross = np.bincount(group, (x - mx[group]) * (y - my[group]), minlength=groups) / (n - 1)
        result = cross / (sx * sy)
    return np.where((n >= least) & (sx > 0) & (sy > 0), np.clip(result, -1, 1), np.nan)
