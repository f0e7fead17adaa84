"""Shapes of distributions: of the levels, and of the latent values that the marginals are read from."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from datareplicator.model.findings.levels import LEVEL_KNOTS, level_value
from datareplicator.model.findings.model import SCORE_KNOTS, Effects
from datareplicator.model.findings.parts import Noise, Parts
from datareplicator.model.findings.scored import Scored
from datareplicator.seeds import Streams

SIMULATED = 4096
_EVEN = ndtri((np.arange(SIMULATED) + 0.5) / SIMULATED)


def level_shapes(data: Scored, levels: np.ndarray, effects: Effects) -> np.ndarray:
    """(cells, 11) quantiles of the level, between the normal's and the sample's, variance 1.

    The sample's own shape counts as far as levels are well known and subjects many.
    """
    shapes = np.tile(LEVEL_KNOTS, (data.scores.shape[1], 1))
    probability = ndtr(LEVEL_KNOTS)
    for k in range(len(shapes)):
        level = levels[np.isfinite(levels[:, k]), k]
        if data.coarse[k] or len(level) < 5 or level.std() == 0:
            continue
        own = np.quantile((level - level.mean()) / level.std(), probability)
        share = len(level) / (len(level) + 30.0) * effects.reliability[k]
        shape = share * own + (1 - share) * LEVEL_KNOTS
        spread = level_value(_EVEN, shape)
        shapes[k] = (shape - spread.mean()) / spread.std()
    return shapes


def score_table(data: Scored, explained, weight, parts: Parts, shapes: np.ndarray, noise: Noise) -> np.ndarray:
    """(cells, 33) quantiles of the latent value over the training rows, by simulation of its parts."""
    rng = Streams(0).get("level shapes")
    cells = data.scores.shape[1]
    table = np.tile(SCORE_KNOTS, (cells, 1))
    probability = ndtr(SCORE_KNOTS)
    for k in range(cells):
        w = np.where(data.known[:, k], weight[:, k], 0.0)
        if w.sum() == 0:
            continue
        row = np.searchsorted(np.cumsum(w) / w.sum(), (rng.permutation(SIMULATED) + 0.5) / SIMULATED)
        row = np.minimum(row, len(w) - 1)
        u = rng.permutation(_EVEN)
        site = data.subjects.site[data.grid.subject[row]]
        log_noise = noise.sd[k] * rng.permutation(_EVEN) + noise.slope[k] * u
        log_noise += np.where(site >= 0, noise.site[np.maximum(site, 0), k], 0.0)
        spread = np.exp(0.5 * np.clip(log_noise, -4, 4))
        spread /= np.sqrt(np.mean(spread**2))
        value = explained[row, k] + np.sqrt(parts.between[k]) * level_value(u, shapes[k])
        value = value + spread * np.sqrt(parts.within[:, k].sum()) * rng.permutation(_EVEN)
        table[k] = np.quantile(value, probability)
    return table
