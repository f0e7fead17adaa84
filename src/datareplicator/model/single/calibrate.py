"""Correlations of numbers as people measure them: Pearson's, on the values.

The copula's correlations are those of normal scores. Where a distribution is far from normal (two humps, a long tail,
many zeros) the values then come out correlated otherwise than in the source. So values are simulated from the learned
distributions, and the latent correlations moved by what is missing (Cario and Nelson, 1997, NORTA, by simulation).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from datareplicator.model.correlation import nearest, pairwise, shrink
from datareplicator.model.single.columns import Learned
from datareplicator.model.single.document import Variable
from datareplicator.seeds import Streams

DRAWS, STEPS = 2048, 3
MOST = 60
"""Numbers whose correlations are moved; more of them cost too much."""
OUTER = 2.6
"""Scores beyond which values are cut for this, so that single outliers do not decide."""
STRONGEST = 0.995


def calibrate(
    variables: list[Variable], matrix: np.ndarray, columns: dict[str, Learned], rows: np.ndarray | slice
) -> np.ndarray:
    """The latent correlations (k, k), moved so that numbers correlate as in the source."""
    places = [j for j, v in enumerate(variables) if _is_number(v, columns)][:MOST]
    if len(places) < 2:
        return matrix
    found = [columns[variables[j].column] for j in places]
    limits = [c.marginal.sample(np.array([-OUTER, OUTER])) for c in found if c.marginal is not None]
    values = np.column_stack([c.number[rows] for c in found if c.number is not None])
    values = np.clip(values, [low for low, _ in limits], [high for _, high in limits])
    scale = np.maximum(np.abs(limits).max(axis=1), np.finfo(float).tiny)  # the largest floats must not overflow
    values /= scale
    centre = np.nanmean(values, axis=0)
    spread = np.nanstd(values, axis=0)
    target, both = pairwise((values - centre) / np.where(spread > 0, spread, 1))
    upper = np.triu_indices(len(places), 1)
    wanted = shrink(target[upper], 1 / np.maximum(both[upper] - 3, 1), np.zeros(len(upper[0])))
    moved = matrix[np.ix_(places, places)].copy()
    normal = _white(DRAWS, len(places))
    for _ in range(STEPS):
        value, vector = np.linalg.eigh(nearest(moved))
        score = np.clip(normal @ (vector * np.sqrt(np.maximum(value, 1e-9))).T, -OUTER, OUTER)
        made = np.column_stack([c.marginal.sample(score[:, k]) for k, c in enumerate(found) if c.marginal is not None])
        with np.errstate(invalid="ignore", divide="ignore"):
            now = np.nan_to_num(np.corrcoef(made / scale, rowvar=False))
        step = np.clip(wanted - now[upper], -0.3, 0.3)
        moved[upper] = np.clip(moved[upper] + step, -STRONGEST, STRONGEST)
        moved.T[upper] = moved[upper]
    out = matrix.copy()
    out[np.ix_(places, places)] = moved
    return nearest(out)


def _is_number(variable: Variable, columns: dict[str, Learned]) -> bool:
    learned = columns.get(variable.column)
    own = variable.part == "value" and variable.table is None
    return own and learned is not None and learned.marginal is not None and learned.codes is None


@cache
def _white(n: int, k: int) -> np.ndarray:
    """Normal numbers (n, k) whose sample covariance is exactly one, so that chance does not move anything."""
    drawn = Streams(0).get("calibrate").standard_normal((n, k))
    drawn -= drawn.mean(0)
    return np.linalg.qr(drawn)[0] * np.sqrt(n)
