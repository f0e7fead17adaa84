"""Learning the findings: marginals, courses over visits, variance parts, correlations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datareplicator.model.findings.dependence import common_part, residual_correlation, subject_effects
from datareplicator.model.findings.digests import digests
from datareplicator.model.findings.grid import Grid, Observations, build_grid
from datareplicator.model.findings.identity_fit import fit_identities, fit_orders
from datareplicator.model.findings.means import arm_effects, courses, of_arm
from datareplicator.model.findings.model import Cell, Effects, FindingsModel, pack
from datareplicator.model.findings.parts import noise_scale, subject_levels, variance_parts
from datareplicator.model.findings.presence_fit import fit_presence
from datareplicator.model.findings.scale import Scale, fit_scale
from datareplicator.model.findings.scored import Scored, weighted_variance
from datareplicator.model.findings.shapes import level_shapes, score_table
from datareplicator.model.findings.sites import site_levels
from datareplicator.model.marginals import Marginal, fit_continuous, fit_discrete
from datareplicator.model.subjects import Subjects

# Correlation of two values of a subject, as far as it sets the worth of rows; the exact value matters little.
DEFAULT_ICC = 0.6


def fit_findings(
    observations: Observations, cells: Sequence[Cell], subjects: Subjects, n_visits: int, visit_day: np.ndarray
) -> tuple[FindingsModel, Effects]:
    """Learn all findings tables together.

    `visit_day`: (n_visits,) planned or median day, NaN where a table has no visits. Returns the model and the
    subjects' levels for the subject model. Any number of subjects from 1; values may all be missing.
    """
    grid = build_grid(observations, len(cells), subjects.n, n_visits)
    visit_day = _days(visit_day, grid)
    weight, effective = _weights(grid)
    scales = [_scale(grid, k, cell, weight, effective) for k, cell in enumerate(cells)]
    data = Scored.start(grid, scales, subjects, visit_day, cells)
    mean = courses(data)
    arm = arm_effects(data, mean)
    residual = data.scores - mean[grid.visit] - of_arm(data, arm)
    site_level, residual = site_levels(data, residual)
    explained = weighted_variance(data.scores - residual, np.where(data.known, weight, 0.0))
    parts = variance_parts(data, residual, weight, explained)
    level, within = subject_levels(data, residual, parts)
    noise = noise_scale(data, within, level, parts)
    correlation = residual_correlation(data, within, parts)
    effects = subject_effects(data, level, parts, correlation)
    shapes = level_shapes(data, level, effects)
    scores = score_table(data, data.scores - residual, weight, parts, shapes, noise)
    marginals = [_marginal(grid, k, cell, scales[k], weight, effective) for k, cell in enumerate(cells)]
    model = FindingsModel(
        visit_day=visit_day,
        mean=mean,
        arm=arm,
        site_level=site_level,
        site_noise=noise.site,
        between=parts.between,
        within=parts.within,
        times=parts.times,
        noise_sd=noise.sd,
        noise_slope=noise.slope,
        noise_group=data.test_group,
        levels=shapes,
        scores=scores,
        residual=pack(common_part(correlation, parts)),
        marginals=marginals,
        presence=fit_presence(grid, cells, subjects),
        digests=digests(grid),
        identities=fit_identities(grid, cells),
        orders=fit_orders(grid, cells),
    )
    return model, effects


def _days(visit_day: np.ndarray, grid: Grid) -> np.ndarray:
    """Planned days; where unknown the visit's own index stands in, for rows and visits alike."""
    day = np.array(visit_day, dtype=float)
    day[np.isnan(day)] = np.flatnonzero(np.isnan(day))
    unknown = np.isnan(grid.day)
    grid.day[unknown] = day[grid.visit[unknown]]
    return day


def _weights(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Row weights (rows, cells), as a mean of correlated values would use them, and effective numbers (cells,)."""
    known = np.isfinite(grid.values).astype(float)
    count = grid.by_subject(known)
    share = known / np.maximum(1 + (count[grid.subject] - 1) * DEFAULT_ICC, 1)
    return share, share.sum(0)


def _scale(grid: Grid, k: int, cell: Cell, weight: np.ndarray, effective: np.ndarray) -> Scale:
    if effective[k] == 0:
        return Scale(np.full(grid.rows, np.nan))
    return fit_scale(grid.values[:, k], weight[:, k], effective[k], cell.kind)


def _marginal(grid: Grid, k: int, cell: Cell, scale: Scale, weight: np.ndarray, effective: np.ndarray) -> Marginal:
    known = np.isfinite(grid.values[:, k])
    if not known.any():
        return Marginal(values=np.zeros(1), scores=np.zeros(0), lattice=True, decimals=0)
    x, w = grid.values[known, k], weight[known, k]
    if scale.attenuation is not None or x.min() == x.max():
        return fit_discrete(x, w)
    pairs = np.unique(np.c_[np.unique(x, return_inverse=True)[1], grid.subject[known]], axis=0)
    holders = np.bincount(pairs[:, 0].astype(int))
    margin = float(np.clip(2.0 / len(np.unique(grid.subject[known])), 0.01, 0.1))
    return fit_continuous(x, w, effective[k], scale.transform, holders, margin)
