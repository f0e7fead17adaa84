"""How long subjects stay: the hazard of stopping at each regular visit, and which visits they miss before that.

Discrete-time survival with shrinkage: the pooled hazard at a visit leans on the hazard per day, each arm leans on the
pooled hazard times its own overall rate, so that 5 subjects give a smooth curve and 250 their own.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

_PRIOR = 4.0  # subjects' worth of prior for the pooled hazard and for an arm's rate
_ARM = 8.0  # subjects' worth of the pooled curve for an arm's own distribution of stays
_RATE = 10.0  # subjects' worth of all arms in an arm's attendance of a visit
_LARGEST = 0.6  # a prior hazard never exceeds this, however long the gap to the next visit
_CERTAIN = 5  # what holds for so many subjects without exception is taken as a rule


class Attendance(NamedTuple):
    """Probability of attending each regular visit before stopping, at other visits (`usual`) and at the one just
    before the last (`before_last`), float[G, R] both, and the correlation `frailty` of a subject's misses."""

    usual: np.ndarray
    before_last: np.ndarray
    frailty: float


def stop_distribution(
    last: np.ndarray, group: np.ndarray, groups: int, day: np.ndarray, allowed: np.ndarray
) -> np.ndarray:
    """P(last regular visit | arm), float[G, R].

    `last` int[n]: index of the subject's last regular visit; `day` float[R]: the visits' typical days; `allowed`
    bool[G, R]: visits that an arm has at all. Fewer than five subjects: their own distribution.
    """
    visits = len(day)
    if len(last) < _CERTAIN:
        return np.tile(np.bincount(last, minlength=visits) / len(last), (groups, 1))
    stops = np.zeros((groups, visits))
    np.add.at(stops, (group, last), 1.0)
    risk = stops[:, ::-1].cumsum(axis=1)[:, ::-1]
    pooled = _pooled_hazard(stops.sum(0), risk.sum(0), day)
    alive = np.append(1.0, np.cumprod(1 - pooled[:-1]))
    expected = (risk[:, :-1] * pooled[:-1]).sum(1)
    rate = (stops[:, :-1].sum(1) + _PRIOR) / (expected + _PRIOR)
    weight = _ARM * alive[None, :]
    hazard = (stops + weight * np.minimum(pooled[None, :] * rate[:, None], 0.95)) / (risk + weight + 1e-12)
    hazard[~(allowed | (stops > 0))] = 0.0
    hazard[(stops == risk) & (risk >= _CERTAIN)] = 1.0  # all who are left stop here: the arm's schedule ends
    hazard[:, -1] = 1.0
    survival = np.cumprod(np.column_stack([np.ones(groups), 1 - hazard[:, :-1]]), axis=1)
    return survival * hazard


def _pooled_hazard(stops: np.ndarray, risk: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Hazard of stopping at each visit over all arms; 1 at the end of the schedule."""
    gap = np.maximum(np.diff(day, append=day[-1]), 0.0)
    exposed = (risk[:-1] * gap[:-1]).sum()
    prior = stops[:-1].sum() / exposed * gap if exposed > 0 else np.zeros(len(day))
    hazard = (stops + _PRIOR * np.minimum(prior, _LARGEST)) / (risk + _PRIOR)
    # Nobody leaves before the reference start in a stratum that is defined by having got there.
    hazard[(np.arange(len(day)) < np.flatnonzero(stops)[0]) & (day <= 0)] = 0.0
    hazard[-1] = 1.0
    return hazard


def stay_scores(last: np.ndarray, group: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Mid-rank normal scores (float[n]) of the stays given the arm, `share` from `stop_distribution`."""
    below = np.cumsum(share, axis=1) - share
    middle = below[group, last] + share[group, last] / 2
    return norm.ppf(np.clip(middle, 1e-3, 1 - 1e-3))


def learn_attendance(attended: np.ndarray, last: np.ndarray, group: np.ndarray, groups: int) -> Attendance:
    """Attendance of regular visits (bool[n, R]) before the subject's last one."""
    column = np.arange(attended.shape[1])[None, :]
    has = _schedule_of_arms(attended, column < last[:, None], group, groups)
    usual = (column < last[:, None] - 1) & has[group]
    close = (column == last[:, None] - 1) & has[group]
    both = usual | close
    hit, total = (attended & usual).sum(0), usual.sum(0)
    overall = ((attended & both).sum() + 1) / (both.sum() + 1.5)
    rate = np.where(total > 0, (hit + overall) / (total + 1.0), overall)
    rate = np.where((hit == total) & (total >= _CERTAIN), 1.0, rate)
    own, base = _by_arm(attended & usual, group, groups), _by_arm(usual, group, groups)
    by_arm = np.where(rate == 1.0, 1.0, (own + _RATE * rate) / (base + _RATE))
    near = ((attended & close).sum(0)[None, :] + 3 * by_arm) / (close.sum(0)[None, :] + 3)
    return Attendance(np.where(has, by_arm, 0.0), np.where(has, near, 0.0), _frailty(attended, usual, rate))


def _by_arm(cells: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Sums of bool[n, R] by arm, float[G, R]."""
    total = np.zeros((groups, cells.shape[1]))
    np.add.at(total, group, cells)
    return total


def _schedule_of_arms(attended: np.ndarray, eligible: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Whether each arm has each visit in its schedule (bool[G, R]): not where none of enough subjects came to a visit
    that other arms mostly attend."""
    own, base = _by_arm(attended & eligible, group, groups), _by_arm(eligible, group, groups)
    others, there = own.sum(0) - own, base.sum(0) - base
    return ~((base >= _CERTAIN) & (own == 0) & (others > 0.3 * there))


def _frailty(attended: np.ndarray, eligible: np.ndarray, rate: np.ndarray) -> float:
    """Tetrachoric correlation of a subject's misses, pooled over visits, by the series of the bivariate normal.

    The prior (0.3, the worth of ten subjects) is what moderate differences between subjects give.
    """
    use = np.flatnonzero((rate > 0.02) & (rate < 0.98) & (eligible.sum(0) >= 3))
    n = len(attended)
    if len(use) < 2:
        return 0.3
    miss, seen = (~attended & eligible)[:, use].astype(float), eligible[:, use].astype(float)
    together, pairs = miss.T @ miss, seen.T @ seen
    upper = np.triu_indices(len(use), 1)
    p = 1 - rate[use]
    h = norm.ppf(p)
    f = norm.pdf(h)
    hk, ff, pp = h[upper[0]] * h[upper[1]], f[upper[0]] * f[upper[1]], p[upper[0]] * p[upper[1]]
    cubic = (h[upper[0]] ** 2 - 1) * (h[upper[1]] ** 2 - 1) / 6
    grid = np.linspace(0, 0.9, 91)[:, None]
    expected = pp + ff * (grid + grid**2 * hk / 2 + grid**3 * cubic)
    gap = (expected * pairs[upper]).sum(1) - together[upper].sum()
    found = float(grid[np.argmin(np.abs(gap)), 0])
    return (n * found + 10 * 0.3) / (n + 10)
