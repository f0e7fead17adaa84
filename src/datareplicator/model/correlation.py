"""Correlation matrices from few subjects: adaptive shrinkage of every pair, then the nearest usable matrix."""

from __future__ import annotations

import numpy as np

# Prior widths of the true Fisher z around its centre; their weights are learned from all pairs together.
WIDTHS = np.array([0.03, 0.1, 0.2, 0.4, 0.8])
_PROJECTIONS, _FACTOR_STEPS = 12, 60
_PRIOR_COUNTS = np.array([4.0, 4.0, 2.0, 2.0, 0.5])


def shrink(estimate: np.ndarray, variance: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Empirical-Bayes posterior means of correlations, element by element.

    `estimate`: raw correlations (m,); `variance`: sampling variance of their Fisher z (m,); `centre`: prior centre as a
    correlation (m,). The prior is a mixture of normals around the centre whose weights are fitted to all m pairs by EM
    (Stephens, 2017, "False discovery rates: a new deal"), so that shrinkage vanishes as variance falls.

    >>> shrink(np.array([0.5]), np.array([1e-6]), np.array([0.0])).round(2)
    array([0.5])
    """
    if len(estimate) == 0:
        return estimate
    z = np.arctanh(np.clip(estimate, -0.995, 0.995))
    middle = np.arctanh(np.clip(centre, -0.995, 0.995))
    deviation = (z - middle)[:, None]
    total = WIDTHS**2 + variance[:, None]
    log_likelihood = -0.5 * (np.log(total) + deviation**2 / total)
    likelihood = np.exp(log_likelihood - log_likelihood.max(1, keepdims=True))
    weight = _PRIOR_COUNTS / _PRIOR_COUNTS.sum()
    for _ in range(30):
        member = likelihood * weight
        member /= member.sum(1, keepdims=True)
        # Pairs share subjects, so that m pairs are worth fewer: count them as a few hundred at most.
        evidence = member.mean(0) * min(len(z), 200)
        weight = (evidence + _PRIOR_COUNTS) / (evidence + _PRIOR_COUNTS).sum()
    member = likelihood * weight
    member /= member.sum(1, keepdims=True)
    return np.tanh(middle + (member * WIDTHS**2 / total * deviation).sum(1))


def nearest(matrix: np.ndarray, floor: float = 1e-3) -> np.ndarray:
    """Symmetric matrix with unit diagonal -> close positive definite correlation matrix, eigenvalues from `floor` up.

    Alternating projections with Dykstra's correction (Higham, 2002), which keep off-diagonal entries better than
    lifting the eigenvalues once; a last lift makes the result definite.
    """
    matrix = (matrix + matrix.T) / 2
    if len(matrix) == 0 or np.linalg.eigvalsh(matrix)[0] >= floor:
        return matrix
    current, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(_PROJECTIONS):
        shifted = current - correction
        lifted = _lift(shifted, floor)
        correction = lifted - shifted
        current = lifted.copy()
        np.fill_diagonal(current, 1.0)
    fixed = _lift(current, floor)
    scale = 1 / np.sqrt(np.diag(fixed))
    return fixed * scale[:, None] * scale


def _lift(matrix: np.ndarray, floor: float) -> np.ndarray:
    value, vector = np.linalg.eigh(matrix)
    return (vector * np.maximum(value, floor)) @ vector.T


def is_incoherent(matrix: np.ndarray) -> bool:
    """Whether correlations estimated pair by pair contradict each other: negative eigenvalues beyond 2 % of the size.

    Then there are too many pairs for the subjects, and common factors must hold them together; where they agree, a
    factor model would only add what is not there.
    """
    return bool(-np.minimum(np.linalg.eigvalsh(matrix), 0.0).sum() > 0.02 * len(matrix)) if len(matrix) else False


def common_factors(estimate: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Low-rank part of a noisy correlation matrix: what a few common factors explain, 0 where noise explains all.

    `estimate`, `variance`: (k, k) correlations and their sampling variances. Entries count by their precision
    (weighted low-rank approximation by majorisation, Srebro and Jaakkola, 2003); eigenvalues are shrunk by what noise
    of this size takes (Gavish and Donoho, 2017). Returns (k, k), positive semi-definite, diagonal below 1.
    """
    k = len(estimate)
    fitted = np.zeros((k, k))
    if k < 3:
        return fitted
    off = ~np.eye(k, dtype=bool)
    least = np.quantile(variance[off], 0.1)
    weight = np.where(off, np.minimum(least / np.maximum(variance, 1e-12), 1.0), 0.0)
    noise = np.sqrt(np.max((weight**2 * variance).sum(1)))
    edge = noise * (2 + noise)  # the largest eigenvalue of such noise (Marchenko and Pastur, 1967)
    for _ in range(_FACTOR_STEPS):
        value, vector = np.linalg.eigh(weight * estimate + (1 - weight) * fitted)
        kept = value > edge
        if not kept.any():
            return np.zeros((k, k))
        loading = vector[:, kept] * np.sqrt(np.sqrt(value[kept] ** 2 - edge**2))
        loading *= np.minimum(1.0, np.sqrt(0.95 / np.maximum((loading**2).sum(1, keepdims=True), 1e-12)))
        change = loading @ loading.T - fitted
        fitted += change
        if np.abs(change).max() < 1e-3:
            break
    return fitted


def pairwise(scores: np.ndarray, weight: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Correlations over the rows where both columns are known, and the number of those rows.

    `scores`: (rows, k) with NaN, columns centred. Returns (k, k) correlations (0 where unknown) and (k, k) counts.
    """
    known = np.isfinite(scores)
    filled = np.where(known, scores, 0.0)
    mask = known.astype(float)
    weighted = filled if weight is None else filled * weight[:, None]
    cross = weighted.T @ filled
    square = (weighted * filled).T @ mask
    product = square * square.T
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = np.where(product > 0, cross / np.sqrt(product), 0.0)
    return np.clip(correlation, -1, 1), mask.T @ mask
