"""Means of the scores: the course over visits and the arms' deviations from it."""

from __future__ import annotations

import numpy as np

from datareplicator.model.arrays import group_sums
from datareplicator.model.courses import arm_prior, course_prior, posterior
from datareplicator.model.findings.scored import Scored


def courses(data: Scored) -> np.ndarray:
    mean, count = _two_way(data, data.grid.visit, data.grid.visits, None)
    result = np.zeros_like(mean)
    for table in np.unique(data.tables):
        columns = np.flatnonzero(data.tables == table)
        visits = np.flatnonzero(count[:, columns].sum(1) > 0)
        if len(visits) == 0:
            continue
        prior = course_prior(data.visit_day[visits])
        part = np.ix_(visits, columns)
        fitted = posterior(mean[part].T, count[part].T, data.within[columns], np.zeros(len(columns)), prior)
        result[part] = fitted.T
        other = np.setdiff1d(np.arange(data.grid.visits), visits)
        result[np.ix_(other, columns)] = fitted.mean(1)
    return result


def arm_effects(data: Scored, mean: np.ndarray) -> np.ndarray:
    arm = data.subjects.group
    arms = max(int(arm.max(initial=-1)) + 1, 1)
    effects = np.zeros((arms, *mean.shape))
    if arms < 2:
        return effects
    of_row = arm[data.grid.subject]
    index = np.where(of_row >= 0, of_row * data.grid.visits + data.grid.visit, -1)
    observed, count = _two_way(data, index, arms * data.grid.visits, arm)
    observed, count = observed.reshape(effects.shape), count.reshape(effects.shape)
    size = np.maximum(np.bincount(arm[arm >= 0], minlength=arms), 1)
    between = data.within / np.maximum(data.shrinkage, 1e-9)
    for table in np.unique(data.tables):
        columns = np.flatnonzero(data.tables == table)
        visits = np.flatnonzero(count[:, :, columns].sum((0, 2)) > 0)
        if len(visits) < 2:
            continue  # without a visit before treatment to compare with, levels stay as randomised
        part = np.ix_(np.arange(arms), columns, visits)
        deviation = (observed - mean).transpose(0, 2, 1)[part].reshape(-1, len(visits))
        n = count.transpose(0, 2, 1)[part].reshape(-1, len(visits))
        level = (between[columns] / size[:, None]).ravel()
        fitted = posterior(deviation, n, np.tile(data.within[columns], arms), level, arm_prior(data.visit_day[visits]))
        effects[np.ix_(np.arange(arms), visits, columns)] = fitted.reshape(arms, len(columns), -1).transpose(0, 2, 1)
    return effects


def of_arm(data: Scored, arm: np.ndarray) -> np.ndarray:
    """(rows, cells) arm effect of each row; 0 for subjects without an arm."""
    group = data.subjects.group[data.grid.subject]
    return np.where((group >= 0)[:, None], arm[np.maximum(group, 0), data.grid.visit], 0.0)


def _two_way(data: Scored, index: np.ndarray, size: int, arm: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Means by `index` (a visit, or an arm's visit) net of subject effects; (size, cells) means and counts."""
    grid = data.grid
    use = index >= 0
    known = data.known & use[:, None]
    index = np.where(use, index, 0)
    mask = known.astype(float)
    count = group_sums(mask, index, size)
    n = grid.by_subject(mask)
    factor = np.where(n > 0, 1 / (n + data.shrinkage), 0.0)
    own = np.zeros_like(n)
    for _ in range(6):
        mean = group_sums(np.where(known, data.scores - own[grid.subject], 0.0), index, size)
        mean /= np.maximum(count, 1)
        own = grid.by_subject(np.where(known, data.scores - mean[index], 0.0)) * factor
        own -= _centre(own, n > 0, arm)
    return mean, count


def _centre(own: np.ndarray, has: np.ndarray, arm: np.ndarray | None) -> np.ndarray:
    group = np.zeros(len(own), dtype=np.int64) if arm is None else np.where(arm >= 0, arm, 0)
    size = int(group.max(initial=0)) + 1
    mean = group_sums(np.where(has, own, 0.0), group, size) / np.maximum(group_sums(has.astype(float), group, size), 1)
    return mean[group]
