"""Correlation matrices from few subjects: adaptive shrinkage of every pair, then the nearest usable matrix."""

from __future__ import annotations

import numpy as np

# Prior widths of the true Fisher z around its centre; their weights are learned from all pairs together.
WIDTHS = np.array([0.03, 0.1, 0.2, 0.4, 0.8])
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
    """Symmetric matrix with unit diagonal -> positive definite correlation matrix (eigenvalues lifted to `floor`)."""
    if len(matrix) == 0:
        return matrix
    value, vector = np.linalg.eigh((matrix + matrix.T) / 2)
    if value[0] >= floor:
        return (matrix + matrix.T) / 2
    fixed = (vector * np.maximum(value, floor)) @ vector.T
    scale = 1 / np.sqrt(np.diag(fixed))
    return fixed * scale[:, None] * scale


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
