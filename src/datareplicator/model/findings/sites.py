"""What differs between sites beyond chance."""

from __future__ import annotations

import numpy as np
from scipy.stats import f as f_distribution

from datareplicator.model.arrays import group_sums
from datareplicator.model.findings.scored import Scored


def site_levels(data: Scored, residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = data.grid.by_subject(data.known.astype(float))
    own = data.grid.by_subject(np.where(data.known, residual, 0.0)) / np.maximum(n, 1)
    effect = site_effects(np.where(n > 0, own, np.nan), data.subjects.site)
    site = data.subjects.site[data.grid.subject]
    return effect, residual - np.where((site >= 0)[:, None], effect[np.maximum(site, 0)], 0.0)


def site_effects(value: np.ndarray, site: np.ndarray) -> np.ndarray:
    """Shrunk site means of subject values (subjects, cells), 0 where one-way analysis of variance sees none at 1 %.

    Returns (sites, cells); sites of fewer than three subjects get 0.
    """
    cells = value.shape[1]
    sites = int(site.max(initial=-1)) + 1
    effect = np.zeros((max(sites, 1), cells))
    use = np.isfinite(value) & (site >= 0)[:, None]
    index = np.maximum(site, 0)
    n = group_sums(use.astype(float), index, len(effect))
    counted = (n >= 3).sum(0)
    use &= (n >= 3)[index]
    n = group_sums(use.astype(float), index, len(effect))
    total = np.maximum(n.sum(0), 1)
    filled = np.where(use, value, 0.0)
    grand = filled.sum(0) / total
    mean = group_sums(filled, index, len(effect)) / np.maximum(n, 1)
    between = (n * (mean - grand) ** 2).sum(0)
    inside = (np.where(use, value - mean[index], 0.0) ** 2).sum(0)
    freedom_b, freedom_w = counted - 1, total - counted
    fine = (freedom_b >= 1) & (freedom_w >= 5) & (inside > 0)
    mean_square = inside / np.maximum(freedom_w, 1)
    ratio = np.where(fine, between / np.maximum(freedom_b, 1) / np.maximum(mean_square, 1e-12), 0.0)
    p = f_distribution.sf(ratio, np.maximum(freedom_b, 1), np.maximum(freedom_w, 1))
    size = (total - (n**2).sum(0) / total) / np.maximum(freedom_b, 1)
    variance = np.maximum(between / np.maximum(freedom_b, 1) - mean_square, 0) / np.maximum(size, 1e-9)
    shrunk = (mean - grand) * n * variance / np.maximum(n * variance + mean_square, 1e-12)
    return np.where(fine & (p < 0.01) & (n >= 3), shrunk, 0.0)
