"""Subject levels: normal score -> standardised level, where the subjects' means are not normal."""

from __future__ import annotations

import numpy as np

LEVEL_KNOTS = np.linspace(-2.0, 2.0, 11)


def level_value(score: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """One cell: straight beyond the outer knots with slope 1.

    >>> level_value(np.array([-3.0, 0.0, 2.5]), LEVEL_KNOTS)
    array([-3. ,  0. ,  2.5])
    """
    inside = np.clip(score, LEVEL_KNOTS[0], LEVEL_KNOTS[-1])
    return np.interp(inside, LEVEL_KNOTS, shape) + score - inside


def level_values(scores: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """All cells: (subjects, cells) scores and (cells, 11) shapes -> (subjects, cells)."""
    inside = np.clip(scores, LEVEL_KNOTS[0], LEVEL_KNOTS[-1])
    step = LEVEL_KNOTS[1] - LEVEL_KNOTS[0]
    left = np.minimum(((inside - LEVEL_KNOTS[0]) / step).astype(np.int64), len(LEVEL_KNOTS) - 2)
    cell = np.arange(scores.shape[1])
    low, high = shapes[cell, left], shapes[cell, left + 1]
    return low + (high - low) * (inside - LEVEL_KNOTS[left]) / step + scores - inside
