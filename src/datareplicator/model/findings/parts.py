"""Parts of the variance: between subjects, nugget, drift, and each subject's own residual scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma

from datareplicator.model.findings.scored import DEFAULT_SUBJECTS, Scored, weighted_variance
from datareplicator.model.findings.sites import site_effects
from datareplicator.model.variance import decompose, mean_inflation, variogram

# Parts of the variance within a subject where nothing can be learned: nugget, fast and slow drift.
DEFAULT_PARTS = np.array([0.25, 0.0, 0.15])
ONCE_WITHIN = 0.01
"""Share of the variance within subjects of what is measured once."""
LEAST_WITHIN = 1e-4
"""Share of the variance within subjects below which it is taken as none."""


@dataclass
class Parts:
    """Latent variances of every cell: `between` (cells,), `within` (3, cells): nugget, fast and slow drift with time
    constants `times` (2,) in days; `spacing`: usual days between visits. `clean`: (cells,) share of the scores'
    variance within that is not due to their steps."""

    between: np.ndarray
    within: np.ndarray
    times: np.ndarray
    spacing: float
    clean: np.ndarray


@dataclass
class Noise:
    """A subject's own residual variance: sd of its log, slope on the level (cells,), site effects (sites, cells)."""

    sd: np.ndarray
    slope: np.ndarray
    site: np.ndarray


def variance_parts(data: Scored, residual: np.ndarray, weight: np.ndarray, explained: np.ndarray) -> Parts:
    grid = data.grid
    lags = variogram(residual, grid.subject, grid.day)
    spread = weighted_variance(residual, data.known.astype(float))
    near = (lags.half * lags.pairs).sum(0) / np.maximum(lags.pairs.sum(0), 1)
    people = (grid.by_subject(data.known.astype(float)) > 0).sum(0)
    total = np.maximum(spread + np.maximum(spread - near, 0) / np.maximum(people, 1), 1e-6)
    rounding = np.minimum(np.array([scale.rounding for scale in data.scales]), 0.8 * near)
    total = total - rounding
    rho = 1 - np.maximum(lags.half - rounding, 0) / total
    for k, scale in enumerate(data.scales):
        rho[:, k] = scale.latent(np.clip(rho[:, k], -1, 1))
    parts, times = decompose(1 - rho, lags)
    repeated = (grid.by_subject(data.known.astype(float)) > 1).sum(0)
    parts = _with_default(parts, repeated)
    free = np.clip(1 - explained / np.maximum(explained + spread, 1e-9), 0.05, 1.0)
    parts = parts * np.minimum(1.0, 0.98 / np.maximum(parts.sum(0), 1e-9)) * free
    latent = ((1 - rho) * lags.pairs).sum(0) / np.maximum(lags.pairs.sum(0), 1)
    clean = np.where(data.continuous | (near <= 0), 1.0, np.clip(latent / np.maximum(near, 1e-9), 0.05, 1.0))
    return Parts(free - parts.sum(0), parts, times, lags.spacing, clean)


def _with_default(parts: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Few subjects with repeated values: towards the other cells' mean parts, and those towards the default.

    The sum of the parts moves by factors, so that what hardly varies within a subject (its weight) is not made to vary
    as most results do; how it divides moves by shares. What nobody has twice does not change within a subject: should
    chance repeat it, it is as it was (an adult's height).
    """
    seen = np.isfinite(parts[0]) & (subjects > 0)
    trust = seen.sum() / (seen.sum() + 1.0)
    filled = np.where(seen, parts, 0.0)
    common = trust * filled.sum(1) / max(seen.sum(), 1) + (1 - trust) * DEFAULT_PARTS
    share = np.where(seen, subjects / (subjects + DEFAULT_SUBJECTS / 3), 0.0)
    own = filled.sum(0)
    total = np.exp(
        share * np.log(np.maximum(own, LEAST_WITHIN)) + (1 - share) * np.log(max(common.sum(), LEAST_WITHIN))
    )
    total = np.where(subjects == 0, min(ONCE_WITHIN, common.sum()), total)
    divided = share * filled / np.maximum(own, LEAST_WITHIN) + (1 - share) * (common / common.sum())[:, None]
    return total * divided / np.maximum(divided.sum(0), 1e-9)


def subject_levels(data: Scored, residual: np.ndarray, parts: Parts) -> tuple[np.ndarray, np.ndarray]:
    """Standardised subject means (subjects, cells) with NaN, and residuals net of the shrunk level."""
    n = data.grid.by_subject(data.known.astype(float))
    mean = data.grid.by_subject(np.where(data.known, residual, 0.0)) / np.maximum(n, 1)
    error = mean_error(data, n, parts)
    blup = mean * parts.between / (parts.between + error)
    level = np.where(n > 0, mean / np.sqrt(parts.between + error), np.nan)
    return level, residual - blup[data.grid.subject]


def mean_error(data: Scored, n: np.ndarray, parts: Parts) -> np.ndarray:
    """Error variance of a subject's mean of n values; atomic scores carry the variance of their steps as well."""
    extra = np.array([scale.variance - 1.0 for scale in data.scales])
    error = (parts.within[0] + extra) / np.maximum(n, 1)
    for variance, time in zip(parts.within[1:], parts.times, strict=True):
        error = error + variance * mean_inflation(n, float(np.exp(-parts.spacing / time)))
    return error


def noise_scale(data: Scored, within: np.ndarray, level: np.ndarray, parts: Parts) -> Noise:
    grid = data.grid
    n = grid.by_subject(data.known.astype(float))
    filled = np.where(data.known, within, 0.0)
    mean = grid.by_subject(filled) / np.maximum(n, 1)
    square = grid.by_subject(np.where(data.known, within - mean[grid.subject], 0.0) ** 2)
    usable = (n >= 4) & (square > 0) & ~data.coarse
    log_variance = np.where(usable, np.log(np.where(usable, square / np.maximum(n - 1, 1), 1.0)), np.nan)
    log_variance -= np.nanmedian(np.where(usable.any(0), log_variance, 0.0), axis=0)
    site = site_effects(log_variance, data.subjects.site)
    own = data.subjects.site
    rest = log_variance - np.where((own >= 0)[:, None], site[np.maximum(own, 0)], 0.0)
    people = usable.sum(0)
    u = np.where(usable & np.isfinite(level), np.clip(level, -3, 3), 0.0)
    slope = np.clip((u * np.where(usable, rest, 0.0)).sum(0) / ((u**2).sum(0) + 6.0), -0.5, 0.5)
    rest = rest - slope * u
    tau = _heterogeneity(rest, usable, n, people)
    slope = slope * people / (people + 20.0)
    of_subject = np.where((own >= 0)[:, None], site[np.maximum(own, 0)], 0.0)
    site = site - np.log(np.mean(np.exp(of_subject), axis=0))  # mean variance 1 over the subjects
    return Noise(np.sqrt(tau), slope, site)


def _heterogeneity(rest: np.ndarray, usable: np.ndarray, n: np.ndarray, people: np.ndarray) -> np.ndarray:
    """Variance of the subjects' log residual variance, net of its sampling error, pooled over cells (cells,)."""
    cells = rest.shape[1]
    own = np.zeros(cells)
    for k in np.flatnonzero(people >= 5):
        value = rest[usable[:, k], k]
        spread = (np.quantile(value, 0.8) - np.quantile(value, 0.2)) / 1.683
        own[k] = spread**2 - polygamma(1, (n[usable[:, k], k] - 1) / 2).mean()
    if not (people >= 5).any():
        return np.full(cells, 0.2) * (people > 0)
    common = np.clip(np.average(own[people >= 5], weights=people[people >= 5]), 0.0, 1.0)
    share = people / (people + 100.0)
    return np.clip(share * own + (1 - share) * common, 0.0, 1.5) * (people > 0)
