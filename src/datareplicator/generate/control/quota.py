"""Who is drawn as what: each subject's cell, planned for the whole request, and the draw given the cell.

The plan gives every cell a whole number of subjects. Subject i takes the cell at place `step * i + offset` modulo the
number of subjects, which is a permutation (step and number have no common divisor) and, with a step near the golden
section, spreads the cells evenly over the blocks; within a block the order is shuffled. So a block needs nothing but
the plan and its own number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from datareplicator.model.correlation import nearest
from datareplicator.model.subject_model import SubjectModel
from datareplicator.seeds import Streams

SWEEPS = 25
"""Rounds of the Gibbs sampler where several covariates are fixed; they depend on each other weakly."""
GOLDEN = 0.618_033_988_749_895


@dataclass(frozen=True)
class Fixed:
    """A covariate that cells fix. `option`: int a cell, -1 missing. `low`, `high`: float[strata, options, pieces], the
    normal scores that lead to the option (empty pieces have high <= low)."""

    feature: int
    option: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class Quota:
    """A plan of counts. `numbers`: int64 a cell. The arms (see `variables.Arms`) by `arm_share` float[cells, arms];
    sites by `site_share` float[site options, strata, sites + 1] and `site_option` int a cell; `site_like` the site
    that each is drawn like."""

    subjects: int
    numbers: np.ndarray
    arm_share: np.ndarray
    stratum: np.ndarray
    group: np.ndarray
    shown: np.ndarray
    assigned: np.ndarray
    assigned_shown: np.ndarray
    site_option: np.ndarray
    site_share: np.ndarray
    site_like: np.ndarray
    fixed: tuple[Fixed, ...]

    def cells(self, first: int, size: int, keep: int, streams: Streams) -> np.ndarray:
        """The cell of each subject of a block (int[size]); those from `keep` on belong to nobody and take any."""
        seed = Streams(streams.seed).get("quota", "order")
        offset = int(seed.integers(self.subjects))
        step = max(round(self.subjects * GOLDEN), 1)
        while math.gcd(step, self.subjects) != 1:
            step += 1
        number = (first + np.arange(size, dtype=np.int64)) % self.subjects
        order = np.arange(size)
        order[:keep] = streams.get("quota", "shuffle").permutation(keep)
        place = (number[order] * step + offset) % self.subjects
        return np.searchsorted(np.cumsum(self.numbers), place, side="right")


@dataclass(frozen=True)
class BlockQuota:
    """What a block's subjects are drawn as: `cell` int a subject."""

    quota: Quota
    cell: np.ndarray

    def arms(self, uniform: np.ndarray) -> np.ndarray:
        """Which of the quota's arms each subject has."""
        return pick(np.cumsum(self.quota.arm_share, axis=1)[self.cell], uniform)

    def sites(self, stratum: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """The site shown of each subject, -1 unknown."""
        share = self.quota.site_share[self.quota.site_option[self.cell], stratum]
        code = pick(np.cumsum(share, axis=1), uniform)
        return np.where(code == share.shape[1] - 1, -1, code)

    def missing(self, drawn: np.ndarray) -> np.ndarray:
        """The missing values (bool[n, features]), those of fixed covariates as the cell says."""
        out = drawn.copy()
        for fixed in self.quota.fixed:
            out[:, fixed.feature] = fixed.option[self.cell] < 0
        return out

    def condition(
        self, model: SubjectModel, own: np.ndarray, levels: np.ndarray, stratum: np.ndarray, streams: Streams
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores of features and levels, given that fixed covariates take their option.

        Draws of a normal vector become draws given some of its entries by adding the regression on their change
        (Hoffman and Ribak, 1991, "Constrained realizations of Gaussian fields").
        """
        if not self.quota.fixed:
            return own, levels
        place = np.array([fixed.feature for fixed in self.quota.fixed])
        matrix = correlation(model)
        wanted = _within(self, matrix[np.ix_(place, place)], own[:, place], stratum, streams)
        weight = np.linalg.solve(matrix[np.ix_(place, place)], matrix[place])
        moved = np.hstack([own, levels]) + (wanted - own[:, place]) @ weight
        moved[:, place] = wanted
        return moved[:, : own.shape[1]], moved[:, own.shape[1] :]


def correlation(model: SubjectModel) -> np.ndarray:
    """The correlation of features and levels, as it is drawn from."""
    size = len(model.features) + model.levels
    matrix = np.eye(size)
    matrix[np.triu_indices(size, 1)] = model.correlation
    return nearest(np.triu(matrix) + np.triu(matrix, 1).T)


def _within(
    block: BlockQuota, matrix: np.ndarray, start: np.ndarray, stratum: np.ndarray, streams: Streams
) -> np.ndarray:
    """Scores of the fixed covariates (float[n, F]) within the pieces of their options: Gibbs sampling, each given the
    others; missing ones are free. One covariate is drawn exactly, at the same quantile as without conditions."""
    n, size = start.shape
    low, high = [], []
    for fixed in block.quota.fixed:
        option = fixed.option[block.cell]
        free = (option < 0)[:, None]
        low.append(np.where(free, -np.inf, fixed.low[stratum, option]))
        high.append(np.where(free, np.inf, fixed.high[stratum, option]))
    precision = np.linalg.inv(matrix)
    x = np.stack(
        [truncated(np.zeros(n), 1.0, low[j], high[j], ndtr(start[:, j])) for j in range(size)], axis=1
    )  # fmt: skip
    if size == 1:
        return x
    uniform = streams.get("quota", "gibbs").random((SWEEPS, size, n))
    for sweep in uniform:
        for j in range(size):
            mean = -(x @ precision[j] - x[:, j] * precision[j, j]) / precision[j, j]
            x[:, j] = truncated(mean, precision[j, j] ** -0.5, low[j], high[j], sweep[j])
    return x


def truncated(mean: np.ndarray, sd: float, low: np.ndarray, high: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Normal draws within unions of intervals (float[n, pieces]) at quantiles `uniform` of what is left.

    >>> low, high = np.array([[1.0], [-2.0]]), np.array([[np.inf], [-1.0]])
    >>> truncated(np.zeros(2), 1.0, low, high, np.array([0.5, 0.5])).round(2)
    array([ 1.41, -1.34])
    """
    a, b = (low - mean[:, None]) / sd, (high - mean[:, None]) / sd
    # Upper tails are mirrored: there a distribution function has no digits left.
    mirrored = a > 0
    below, above = np.where(mirrored, -b, a), np.where(mirrored, -a, b)
    mass = np.where(high > low, np.maximum(ndtr(above) - ndtr(below), 1e-300), 0.0)
    total = np.cumsum(mass, axis=1)
    wanted = uniform * total[:, -1]
    piece = np.minimum((wanted[:, None] >= total).sum(axis=1), low.shape[1] - 1)
    rows = np.arange(len(uniform))
    own = mass[rows, piece]
    part = np.clip((wanted - (total[rows, piece] - own)) / np.where(own > 0, own, 1), 1e-12, 1 - 1e-12)
    turned = mirrored[rows, piece]
    part = np.where(turned, 1 - part, part)
    first, last = below[rows, piece], above[rows, piece]
    z = ndtri(ndtr(first) + part * (ndtr(last) - ndtr(first)))
    z = np.clip(np.where(np.isfinite(z), z, np.where(np.isfinite(last), last, first)), first, last)
    value = mean + sd * np.where(turned, -z, z)
    edge_low, edge_high = low[rows, piece], high[rows, piece]
    # An interval of a lattice is closed below and open above.
    inside = np.nextafter(edge_high, -np.inf)
    return np.clip(value, edge_low, np.where(edge_high > edge_low, inside, edge_low))


def pick(cumulative: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Index drawn from each row's cumulative shares; never one without a share."""
    return np.minimum((uniform[:, None] * cumulative[:, -1:] >= cumulative).sum(1), cumulative.shape[1] - 1)
