"""Learning the findings: marginals, courses over visits, variance parts, correlations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, polygamma
from scipy.stats import f as f_distribution

from datareplicator.model.arrays import group_sums
from datareplicator.model.correlation import common_factors, is_incoherent, nearest, pairwise, shrink
from datareplicator.model.courses import arm_prior, course_prior, posterior
from datareplicator.model.findings.digests import digests
from datareplicator.model.findings.grid import Grid, Observations, build_grid
from datareplicator.model.findings.levels import LEVEL_KNOTS, level_value
from datareplicator.model.findings.model import SCORE_KNOTS, Cell, Effects, FindingsModel, pack
from datareplicator.model.findings.presence_fit import fit_presence
from datareplicator.model.findings.scale import Scale, fit_scale
from datareplicator.model.marginals import Marginal, fit_continuous, fit_discrete
from datareplicator.model.subjects import Subjects
from datareplicator.model.variance import decompose, mean_inflation, variogram

# Where nothing can be learned: parts of the variance within a subject (nugget, fast and slow drift), and the weight of that guess.
DEFAULT_PARTS, DEFAULT_SUBJECTS = np.array([0.25, 0.0, 0.15]), 3.0
DEFAULT_ICC = 0.6
SIMULATED = 4096
_EVEN = ndtri((np.arange(SIMULATED) + 0.5) / SIMULATED)


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
    fit = _Fit.start(grid, scales, subjects, visit_day, cells)
    mean = fit.courses()
    arm = fit.arm_effects(mean)
    residual = fit.scores - mean[grid.visit] - fit.of_arm(arm)
    site_level, residual = fit.site_levels(residual)
    explained = _weighted_variance(fit.scores - residual, np.where(fit.known, weight, 0.0))
    parts = fit.variance_parts(residual, weight, explained)
    level, within = fit.levels(residual, parts)
    noise = fit.noise(within, level, parts)
    correlation = fit.residual_correlation(within, parts, noise)
    effects = fit.effects(level, parts, correlation)
    shapes = fit.level_shapes(level, effects)
    scores = fit.score_table(fit.scores - residual, weight, parts, shapes, noise)
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
        noise_group=fit.test_group,
        levels=shapes,
        scores=scores,
        residual=pack(correlation),
        marginals=marginals,
        presence=fit_presence(grid, cells, subjects),
        digests=digests(grid),
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


def _distinct(scores: np.ndarray) -> int:
    return len(np.unique(scores[np.isfinite(scores)]))


def _weighted_variance(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    total = np.maximum(weight.sum(0), 1e-12)
    filled = np.where(weight > 0, x, 0.0)
    mean = (weight * filled).sum(0) / total
    return (weight * (filled - mean) ** 2).sum(0) / total


@dataclass
class Parts:
    """Latent variances of every cell: `between` (cells,), `within` (3, cells): nugget, fast and slow drift with time
    constants `times` (2,) in days; `spacing`: usual days between visits."""

    between: np.ndarray
    within: np.ndarray
    times: np.ndarray
    spacing: float


@dataclass
class Noise:
    """A subject's own residual variance: sd of its log, slope on the level (cells,), site effects (sites, cells)."""

    sd: np.ndarray
    slope: np.ndarray
    site: np.ndarray


@dataclass
class _Fit:
    grid: Grid
    scales: list[Scale]
    scores: np.ndarray
    known: np.ndarray
    subjects: Subjects
    visit_day: np.ndarray
    test_group: np.ndarray
    tables: np.ndarray
    coarse: np.ndarray
    within: np.ndarray
    shrinkage: np.ndarray

    @classmethod
    def start(cls, grid: Grid, scales, subjects: Subjects, visit_day: np.ndarray, cells: Sequence[Cell]) -> _Fit:
        scores = np.column_stack([s.scores for s in scales]) if scales else np.empty((grid.rows, 0))
        known = np.isfinite(scores)
        names = {name: i for i, name in enumerate(dict.fromkeys(cell.table for cell in cells))}
        alone = -1 - np.arange(len(cells))
        group = np.array([cell.group_of_test for cell in cells], dtype=np.int64)
        group = np.unique(np.where(group < 0, alone, group), return_inverse=True)[1]
        tables = np.array([names[cell.table] for cell in cells], dtype=np.int64)
        coarse = np.array([_distinct(s.scores) < 10 for s in scales], dtype=bool)
        fit = cls(grid, scales, scores, known, subjects, visit_day, group, tables, coarse, np.empty(0), np.empty(0))
        fit.within, fit.shrinkage = fit._first_look()
        return fit

    def _first_look(self) -> tuple[np.ndarray, np.ndarray]:
        """Variance within subjects about visit means, and its ratio to the variance between."""
        filled = np.where(self.known, self.scores, 0.0)
        total = group_sums(filled, self.grid.visit, self.grid.visits)
        count = group_sums(self.known.astype(float), self.grid.visit, self.grid.visits)
        rest = np.where(self.known, self.scores - (total / np.maximum(count, 1))[self.grid.visit], 0.0)
        n = self.grid.by_subject(self.known.astype(float))
        own = self.grid.by_subject(rest) / np.maximum(n, 1)
        square = (np.where(self.known, rest - own[self.grid.subject], 0.0) ** 2).sum(0)
        freedom = np.maximum(n - 1, 0).sum(0)
        within = (square + DEFAULT_SUBJECTS * 0.4) / (freedom + DEFAULT_SUBJECTS)
        between = np.maximum((rest**2).sum(0) / np.maximum(self.known.sum(0), 1) - within, 0.05)
        return within, within / between

    # -- courses ---------------------------------------------------------------------------------------------------

    def _two_way(self, index: np.ndarray, size: int, arm: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Means by `index` (a visit, or an arm's visit) net of subject effects; (size, cells) means and counts."""
        grid = self.grid
        use = index >= 0
        known = self.known & use[:, None]
        index = np.where(use, index, 0)
        mask = known.astype(float)
        count = group_sums(mask, index, size)
        n = grid.by_subject(mask)
        factor = np.where(n > 0, 1 / (n + self.shrinkage), 0.0)
        own = np.zeros_like(n)
        for _ in range(6):
            mean = group_sums(np.where(known, self.scores - own[grid.subject], 0.0), index, size)
            mean /= np.maximum(count, 1)
            own = grid.by_subject(np.where(known, self.scores - mean[index], 0.0)) * factor
            own -= self._centre(own, n > 0, arm)
        return mean, count

    def _centre(self, own: np.ndarray, has: np.ndarray, arm: np.ndarray | None) -> np.ndarray:
        group = np.zeros(len(own), dtype=np.int64) if arm is None else np.where(arm >= 0, arm, 0)
        size = int(group.max(initial=0)) + 1
        mean = group_sums(np.where(has, own, 0.0), group, size) / np.maximum(
            group_sums(has.astype(float), group, size), 1
        )
        return mean[group]

    def courses(self) -> np.ndarray:
        mean, count = self._two_way(self.grid.visit, self.grid.visits, None)
        result = np.zeros_like(mean)
        for table in np.unique(self.tables):
            columns = np.flatnonzero(self.tables == table)
            visits = np.flatnonzero(count[:, columns].sum(1) > 0)
            if len(visits) == 0:
                continue
            prior = course_prior(self.visit_day[visits])
            part = np.ix_(visits, columns)
            fitted = posterior(mean[part].T, count[part].T, self.within[columns], np.zeros(len(columns)), prior)
            result[part] = fitted.T
            other = np.setdiff1d(np.arange(self.grid.visits), visits)
            result[np.ix_(other, columns)] = fitted.mean(1)
        return result

    def arm_effects(self, mean: np.ndarray) -> np.ndarray:
        arm = self.subjects.group
        arms = max(int(arm.max(initial=-1)) + 1, 1)
        effects = np.zeros((arms, *mean.shape))
        if arms < 2:
            return effects
        of_row = arm[self.grid.subject]
        index = np.where(of_row >= 0, of_row * self.grid.visits + self.grid.visit, -1)
        observed, count = self._two_way(index, arms * self.grid.visits, arm)
        observed, count = observed.reshape(effects.shape), count.reshape(effects.shape)
        size = np.maximum(np.bincount(arm[arm >= 0], minlength=arms), 1)
        between = self.within / np.maximum(self.shrinkage, 1e-9)
        for table in np.unique(self.tables):
            columns = np.flatnonzero(self.tables == table)
            visits = np.flatnonzero(count[:, :, columns].sum((0, 2)) > 0)
            if len(visits) < 2:
                continue  # without a visit before treatment to compare with, levels stay as randomised
            part = np.ix_(np.arange(arms), columns, visits)
            deviation = (observed - mean).transpose(0, 2, 1)[part].reshape(-1, len(visits))
            n = count.transpose(0, 2, 1)[part].reshape(-1, len(visits))
            level = (between[columns] / size[:, None]).ravel()
            fitted = posterior(
                deviation, n, np.tile(self.within[columns], arms), level, arm_prior(self.visit_day[visits])
            )
            effects[np.ix_(np.arange(arms), visits, columns)] = fitted.reshape(arms, len(columns), -1).transpose(
                0, 2, 1
            )
        return effects

    def of_arm(self, arm: np.ndarray) -> np.ndarray:
        """(rows, cells) arm effect of each row; 0 for subjects without an arm."""
        group = self.subjects.group[self.grid.subject]
        return np.where((group >= 0)[:, None], arm[np.maximum(group, 0), self.grid.visit], 0.0)

    # -- sites -----------------------------------------------------------------------------------------------------

    def site_levels(self, residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n = self.grid.by_subject(self.known.astype(float))
        own = self.grid.by_subject(np.where(self.known, residual, 0.0)) / np.maximum(n, 1)
        effect = site_effects(np.where(n > 0, own, np.nan), self.subjects.site)
        site = self.subjects.site[self.grid.subject]
        return effect, residual - np.where((site >= 0)[:, None], effect[np.maximum(site, 0)], 0.0)

    # -- variances -------------------------------------------------------------------------------------------------

    def variance_parts(self, residual: np.ndarray, weight: np.ndarray, explained: np.ndarray) -> Parts:
        grid = self.grid
        lags = variogram(residual, grid.subject, grid.day)
        spread = _weighted_variance(residual, self.known.astype(float))
        near = (lags.half * lags.pairs).sum(0) / np.maximum(lags.pairs.sum(0), 1)
        people = (grid.by_subject(self.known.astype(float)) > 0).sum(0)
        total = np.maximum(spread + np.maximum(spread - near, 0) / np.maximum(people, 1), 1e-6)
        rounding = np.minimum(np.array([scale.rounding for scale in self.scales]), 0.8 * near)
        total = total - rounding
        rho = 1 - np.maximum(lags.half - rounding, 0) / total
        for k, scale in enumerate(self.scales):
            rho[:, k] = scale.latent(np.clip(rho[:, k], -1, 1))
        parts, times = decompose(1 - rho, lags)
        repeated = (grid.by_subject(self.known.astype(float)) > 1).sum(0)
        parts = _with_default(parts, repeated)
        free = np.clip(1 - explained / np.maximum(explained + spread, 1e-9), 0.05, 1.0)
        parts = parts * np.minimum(1.0, 0.98 / np.maximum(parts.sum(0), 1e-9)) * free
        return Parts(free - parts.sum(0), parts, times, lags.spacing)

    def levels(self, residual: np.ndarray, parts: Parts) -> tuple[np.ndarray, np.ndarray]:
        """Standardised subject means (subjects, cells) with NaN, and residuals net of the shrunk level."""
        n = self.grid.by_subject(self.known.astype(float))
        mean = self.grid.by_subject(np.where(self.known, residual, 0.0)) / np.maximum(n, 1)
        error = self._error(n, parts)
        blup = mean * parts.between / (parts.between + error)
        level = np.where(n > 0, mean / np.sqrt(parts.between + error), np.nan)
        return level, residual - blup[self.grid.subject]

    def _error(self, n: np.ndarray, parts: Parts) -> np.ndarray:
        """Error variance of a subject's mean of n values; atomic scores carry the variance of their steps as well."""
        extra = np.array([scale.variance - 1.0 for scale in self.scales])
        error = (parts.within[0] + extra) / np.maximum(n, 1)
        for variance, time in zip(parts.within[1:], parts.times, strict=True):
            error = error + variance * mean_inflation(n, float(np.exp(-parts.spacing / time)))
        return error

    def noise(self, within: np.ndarray, level: np.ndarray, parts: Parts) -> Noise:
        grid = self.grid
        n = grid.by_subject(self.known.astype(float))
        filled = np.where(self.known, within, 0.0)
        mean = grid.by_subject(filled) / np.maximum(n, 1)
        square = grid.by_subject(np.where(self.known, within - mean[grid.subject], 0.0) ** 2)
        usable = (n >= 4) & (square > 0) & ~self.coarse
        log_variance = np.where(usable, np.log(np.where(usable, square / np.maximum(n - 1, 1), 1.0)), np.nan)
        log_variance -= np.nanmedian(np.where(usable.any(0), log_variance, 0.0), axis=0)
        site = site_effects(log_variance, self.subjects.site)
        own = self.subjects.site
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

    # -- correlations ----------------------------------------------------------------------------------------------

    def residual_correlation(self, within: np.ndarray, parts: Parts, noise: Noise) -> np.ndarray:
        """(cells, cells) correlation of residuals at the same visit, shrunk."""
        cells = self.scores.shape[1]
        several = self.grid.by_subject(self.known.astype(float))[self.grid.subject] >= 3
        spread = np.sqrt(
            np.nanmean(np.where(several & self.known, within, np.nan) ** 2, axis=0, where=several & self.known)
        )
        spread = np.where(np.isfinite(spread) & (spread > 0), spread, 1.0)
        scores = np.where(several & self.known, np.clip(within / spread, -4, 4), np.nan)
        raw, rows = pairwise(scores)
        latent = parts.within.sum(0)
        continuous = np.array([scale.attenuation is None for scale in self.scales], dtype=bool)
        damp = np.where(continuous, 1.0, np.sqrt(np.clip(latent / np.maximum(spread**2, 1e-9), 0.05, 1.0)))
        raw = np.clip(raw / np.outer(damp, damp), -0.99, 0.99)
        mask = (several & self.known).astype(float)
        people = (self.grid.by_subject(mask) > 0).astype(float)
        shared = people.T @ people
        worth = np.minimum(rows, 3.0 * shared)
        variance = 1 / np.maximum(worth - 3, 0.3) / np.outer(damp, damp) ** 2
        result = self._shrunk(raw, variance, np.zeros_like(raw), rows > 0)
        if is_incoherent(result):
            result = self._shrunk(raw, variance, common_factors(raw, variance), rows > 0)
        return nearest(result)

    def _shrunk(self, raw: np.ndarray, variance: np.ndarray, centre: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Shrink the pairs of one test over its axes to their pooled value, all others to `centre`."""
        cells = len(raw)
        upper = np.triu(np.ones((cells, cells), dtype=bool), 1)
        same = (self.test_group[:, None] == self.test_group) & upper
        result = np.zeros((cells, cells))
        if same.any():
            pooled = _pooled(raw[same & seen], variance[same & seen])
            result[same] = np.where(seen[same], shrink(raw[same], variance[same], np.full(same.sum(), pooled)), pooled)
        other = upper & ~same
        result[other] = np.where(seen[other], shrink(raw[other], variance[other], centre[other]), centre[other])
        return result + result.T + np.eye(cells)

    def effects(self, level: np.ndarray, parts: Parts, correlation: np.ndarray) -> Effects:
        n = self.grid.by_subject(self.known.astype(float))
        error = self._error(n, parts)
        has = n > 0
        share = np.where(has, parts.between / (parts.between + error), 0.0)
        reliability = np.clip(share.sum(0) / np.maximum(has.sum(0), 1), 0.05, 1.0)
        latent = parts.within.sum(0)
        extra = np.array([scale.variance - 1.0 for scale in self.scales])
        damp = np.sqrt(latent / np.maximum(latent + extra, 1e-9))
        unreliable = np.sqrt(1 - reliability) * damp
        noise = correlation * np.outer(unreliable, unreliable)
        centre = 0.8 * correlation
        same = self.test_group[:, None] == self.test_group
        centre[same] = np.maximum(centre[same], 0.9)
        np.fill_diagonal(centre, 1.0)
        return Effects(normal_scores(level), reliability, noise, centre)

    def level_shapes(self, levels: np.ndarray, effects: Effects) -> np.ndarray:
        """(cells, 11) quantiles of the level, between the normal's and the sample's, variance 1.

        The sample's own shape counts as far as levels are well known and subjects many.
        """
        shapes = np.tile(LEVEL_KNOTS, (self.scores.shape[1], 1))
        probability = ndtr(LEVEL_KNOTS)
        for k in range(len(shapes)):
            level = levels[np.isfinite(levels[:, k]), k]
            if self.coarse[k] or len(level) < 5 or level.std() == 0:
                continue
            own = np.quantile((level - level.mean()) / level.std(), probability)
            share = len(level) / (len(level) + 30.0) * effects.reliability[k]
            shape = share * own + (1 - share) * LEVEL_KNOTS
            spread = level_value(_EVEN, shape)
            shapes[k] = (shape - spread.mean()) / spread.std()
        return shapes

    def score_table(self, explained, weight, parts: Parts, shapes: np.ndarray, noise: Noise) -> np.ndarray:
        """(cells, 33) quantiles of the latent value over the training rows, by simulation of its parts."""
        rng = np.random.default_rng(20)
        cells = self.scores.shape[1]
        table = np.tile(SCORE_KNOTS, (cells, 1))
        probability = ndtr(SCORE_KNOTS)
        for k in range(cells):
            w = np.where(self.known[:, k], weight[:, k], 0.0)
            if w.sum() == 0:
                continue
            row = np.searchsorted(np.cumsum(w) / w.sum(), (rng.permutation(SIMULATED) + 0.5) / SIMULATED)
            row = np.minimum(row, len(w) - 1)
            u = rng.permutation(_EVEN)
            site = self.subjects.site[self.grid.subject[row]]
            log_noise = noise.sd[k] * rng.permutation(_EVEN) + noise.slope[k] * u
            log_noise += np.where(site >= 0, noise.site[np.maximum(site, 0), k], 0.0)
            spread = np.exp(0.5 * np.clip(log_noise, -4, 4))
            spread /= np.sqrt(np.mean(spread**2))
            value = explained[row, k] + np.sqrt(parts.between[k]) * level_value(u, shapes[k])
            value = value + spread * np.sqrt(parts.within[:, k].sum()) * rng.permutation(_EVEN)
            table[k] = np.quantile(value, probability)
        return table


def _with_default(parts: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Few subjects with repeated values: towards the other cells' mean parts, and those towards the default."""
    seen = np.isfinite(parts[0]) & (subjects > 0)
    trust = seen.sum() / (seen.sum() + 1.0)
    filled = np.where(seen, parts, 0.0)
    common = trust * filled.sum(1) / max(seen.sum(), 1) + (1 - trust) * DEFAULT_PARTS
    share = np.where(seen, subjects / (subjects + DEFAULT_SUBJECTS / 3), 0.0)
    return share * filled + (1 - share) * common[:, None]


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


def _pooled(raw: np.ndarray, variance: np.ndarray) -> float:
    """Mean correlation of the pairs of one test, with one pair's worth of a guess of 0.7."""
    if len(raw) == 0:
        return 0.7
    weight = np.r_[1 / variance, 1 / (0.3**2)]
    return float(np.tanh(np.average(np.arctanh(np.clip(np.r_[raw, 0.7], -0.99, 0.99)), weights=weight)))


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
