"""Dependence between cells: residuals at a visit, levels over subjects."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from datareplicator.model.correlation import common_factors, is_incoherent, nearest, pairwise, shrink
from datareplicator.model.findings.model import Effects
from datareplicator.model.findings.parts import Parts, mean_error
from datareplicator.model.findings.scored import Scored


def residual_correlation(data: Scored, within: np.ndarray, parts: Parts) -> np.ndarray:
    """(cells, cells) correlation of residuals at the same visit, shrunk."""
    several = data.grid.by_subject(data.known.astype(float))[data.grid.subject] >= 3
    use = several & data.known
    square = (np.where(use, within, 0.0) ** 2).sum(0) / np.maximum(use.sum(0), 1)
    spread = np.sqrt(np.where(square > 0, square, 1.0))
    scores = np.where(several & data.known, np.clip(within / spread, -4, 4), np.nan)
    raw, rows = pairwise(scores)
    damp = np.sqrt(parts.clean)
    raw = np.clip(raw / np.outer(damp, damp), -0.99, 0.99)
    mask = (several & data.known).astype(float)
    people = (data.grid.by_subject(mask) > 0).astype(float)
    shared = people.T @ people
    worth = np.minimum(rows, 3.0 * shared)
    variance = 1 / np.maximum(worth - 3, 0.3) / np.outer(damp, damp) ** 2
    result = _shrunk(data, raw, variance, np.zeros_like(raw), rows > 0)
    if is_incoherent(result):
        result = _shrunk(data, raw, variance, common_factors(raw, variance), rows > 0)
    return nearest(result)


def common_part(correlation: np.ndarray, parts: Parts) -> np.ndarray:
    """Correlation that nugget and drifts need so that their sums have `correlation`.

    Each part is correlated with its own kind only; cells that are mostly nugget and cells that are mostly drift share
    little, which a higher correlation of the parts makes good as far as it can.
    """
    root = np.sqrt(parts.within)
    total = np.sqrt(np.maximum(parts.within.sum(0), 1e-12))
    overlap = np.maximum((root.T @ root) / np.outer(total, total), 0.2)
    needed = np.clip(correlation / overlap, -0.98, 0.98)
    np.fill_diagonal(needed, 1.0)
    return nearest(needed)


def _shrunk(data: Scored, raw: np.ndarray, variance: np.ndarray, centre: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Shrink the pairs of one test over its axes to their pooled value, all others to `centre`."""
    cells = len(raw)
    upper = np.triu(np.ones((cells, cells), dtype=bool), 1)
    same = (data.test_group[:, None] == data.test_group) & upper
    result = np.zeros((cells, cells))
    if same.any():
        pooled = _pooled(raw[same & seen], variance[same & seen])
        result[same] = np.where(seen[same], shrink(raw[same], variance[same], np.full(same.sum(), pooled)), pooled)
    other = upper & ~same
    result[other] = np.where(seen[other], shrink(raw[other], variance[other], centre[other]), centre[other])
    return result + result.T + np.eye(cells)


def _pooled(raw: np.ndarray, variance: np.ndarray) -> float:
    """Mean correlation of the pairs of one test, with one pair's worth of a guess of 0.7."""
    if len(raw) == 0:
        return 0.7
    weight = np.r_[1 / variance, 1 / (0.3**2)]
    return float(np.tanh(np.average(np.arctanh(np.clip(np.r_[raw, 0.7], -0.99, 0.99)), weights=weight)))


def subject_effects(data: Scored, level: np.ndarray, parts: Parts, correlation: np.ndarray) -> Effects:
    n = data.grid.by_subject(data.known.astype(float))
    error = mean_error(data, n, parts)
    has = n > 0
    share = np.where(has, parts.between / (parts.between + error), 0.0)
    reliability = np.clip(share.sum(0) / np.maximum(has.sum(0), 1), 0.05, 1.0)
    latent = parts.within.sum(0)
    extra = np.array([scale.variance - 1.0 for scale in data.scales])
    damp = np.sqrt(latent / np.maximum(latent + extra, 1e-9))
    unreliable = np.sqrt(1 - reliability) * damp
    noise = correlation * np.outer(unreliable, unreliable)
    centre = 0.8 * correlation
    same = data.test_group[:, None] == data.test_group
    centre[same] = np.maximum(centre[same], 0.9)
    np.fill_diagonal(centre, 1.0)
    return Effects(normal_scores(level), reliability, noise, centre)


def normal_scores(x: np.ndarray) -> np.ndarray:
    """Rank normal scores of each column, NaN stays; ties share their mean rank."""
    result = np.full(x.shape, np.nan)
    for k in range(x.shape[1]):
        known = np.isfinite(x[:, k])
        if known.sum() == 0:
            continue
        _, inverse, count = np.unique(x[known, k], return_inverse=True, return_counts=True)
        rank = (np.cumsum(count) - (count - 1) / 2)[inverse]
        result[known, k] = ndtri((rank - 0.5) / known.sum())
    return result
