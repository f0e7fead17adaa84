"""Mean courses over visits, shrunk as Gaussian processes whose prior is learned from all cells together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

_NO_DATA = 1e6


@dataclass(frozen=True)
class Prior:
    """Candidate prior covariances (configurations, visits, visits) with pseudo-counts of their weights."""

    covariance: np.ndarray
    count: np.ndarray


def _kernel(day: np.ndarray) -> np.ndarray:
    """Smoothness: neighbours in the square root of time are alike (early visits differ more than late ones)."""
    root = np.sqrt(np.clip(day - day.min(), 0, None))
    return np.exp(-np.abs(root[:, None] - root) / max(0.3 * (root.max() - root.min()), 1e-9))


def course_prior(day: np.ndarray) -> Prior:
    """Of the mean of a cell by visit: level free, first visit and visits after day 0 apart, independent, smooth."""
    first, after = (day <= day.min()).astype(float), (day > 1).astype(float)
    kernel = _kernel(day)
    matrices = []
    for apart, single, smooth in product((0.0, 0.03, 0.1, 0.3), (0.002, 0.01, 0.04), (0.0, 0.02, 0.08)):
        matrices.append(
            4.0
            + apart * np.outer(first, first)
            + 0.5 * apart * np.outer(after, after)
            + single * np.eye(len(day))
            + smooth * kernel
        )
    return Prior(np.array(matrices), np.full(len(matrices), 0.5))


def arm_prior(day: np.ndarray) -> Prior:
    """Of an arm's deviation from the common course: nothing before day 0, as arms are allotted at random there."""
    after = (day > 1).astype(float)
    kernel = _kernel(day) * np.outer(after, after)
    matrices = []
    for constant, single, smooth in product((0.0, 0.02, 0.1, 0.5), (0.0, 0.01), (0.0, 0.02, 0.1)):
        matrices.append(constant * np.outer(after, after) + single * np.diag(after) + smooth * kernel)
    matrices = np.array(matrices)
    count = np.full(len(matrices), 0.5)
    count[0] = 4.0  # no effect is the rule
    return Prior(matrices, count)


def posterior(mean: np.ndarray, count: np.ndarray, noise: np.ndarray, level: np.ndarray, prior: Prior) -> np.ndarray:
    """Posterior mean courses.

    `mean`, `count`: (curves, visits) observed means and their numbers of values; `noise`: (curves,) variance of one
    value; `level`: (curves,) variance of an error shared by all visits. The weights of the prior's configurations are
    fitted to all curves by EM; each curve's mean is averaged over its configurations. Returns (curves, visits).
    """
    curves, visits = mean.shape
    error = np.where(count > 0, np.maximum(noise[:, None], 1e-4) / np.maximum(count, 1), _NO_DATA)
    data = np.where(count > 0, mean, 0.0)
    fits = np.empty((len(prior.covariance), curves, visits))
    evidence = np.empty((len(prior.covariance), curves))
    diagonal = np.arange(visits)
    for c, covariance in enumerate(prior.covariance):
        total = covariance + level[:, None, None]
        total[:, diagonal, diagonal] += error
        solved = np.linalg.solve(total, data[:, :, None])[:, :, 0]
        fits[c] = solved @ covariance
        evidence[c] = -0.5 * ((solved * data).sum(1) + np.linalg.slogdet(total)[1])
    likelihood = np.exp(evidence - evidence.max(0))
    weight = prior.count / prior.count.sum()
    for _ in range(25):
        member = likelihood * weight[:, None]
        member /= member.sum(0)
        weight = member.sum(1) + prior.count
        weight /= weight.sum()
    member = likelihood * weight[:, None]
    return np.einsum("cj,cjv->jv", member / member.sum(0), fits)
