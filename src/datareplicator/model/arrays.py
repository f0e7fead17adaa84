"""Sums by group."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def group_sums(array: np.ndarray, index: np.ndarray, size: int) -> np.ndarray:
    """Sums of the rows of `array` (rows, k) by group `index` (rows,) -> (size, k)."""
    ones = np.ones(len(index))
    return sparse.csr_matrix((ones, (index, np.arange(len(index)))), shape=(size, len(index))) @ array
