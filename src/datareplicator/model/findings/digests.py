"""Short digests of the training subjects' value sequences, so that none is ever written again."""

from __future__ import annotations

import numpy as np

from datareplicator.model.findings.grid import Grid

BITS = 28
MIN_LENGTH = 4
MIN_DISTINCT = 3
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def sequence_digests(
    values: np.ndarray, subject: np.ndarray, turn: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Digest each subject's sequence of one cell, in the order given.

    `values` (m,) without NaN, those of a subject together and in the order of time. Sequences shorter than 4 or of
    fewer than 3 distinct values (which many subjects share) have none. Returns subjects, digests, and the index into
    `values` of the one to move where the digest is known: the middle value, `turn` places on.
    """
    x, who = np.round(values, 9) + 0.0, subject
    if len(x) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    start = np.flatnonzero(np.r_[True, who[1:] != who[:-1]])
    length = np.diff(np.r_[start, len(x)])
    position = np.arange(len(x)) - np.repeat(start, length)
    bits = x.view(np.uint64)
    with np.errstate(over="ignore"):
        mixed = (bits ^ (bits >> np.uint64(29))) * _MULTIPLIER
        mixed = (mixed ^ (mixed >> np.uint64(32))) * (np.uint64(2) * position.astype(np.uint64) + _MULTIPLIER)
        digest = np.add.reduceat(mixed ^ (mixed >> np.uint64(31)), start)
        digest = (digest * _MULTIPLIER) >> np.uint64(64 - BITS)
    distinct = _distinct(x, who, start)
    use = (length >= MIN_LENGTH) & (distinct >= MIN_DISTINCT)
    middle = start + (length // 2 + turn) % length
    return who[start][use], digest[use].astype(np.int64), middle[use]


def _distinct(x: np.ndarray, who: np.ndarray, start: np.ndarray) -> np.ndarray:
    order = np.lexsort((x, who))
    fresh = np.r_[True, (x[order][1:] != x[order][:-1]) | (who[order][1:] != who[order][:-1])]
    return np.add.reduceat(fresh.astype(np.int64), start)


def digests(grid: Grid) -> list[np.ndarray]:
    """Of every cell, sorted."""
    result = []
    for k in range(grid.cells):
        known = np.isfinite(grid.values[:, k])
        _, digest, _ = sequence_digests(grid.values[known, k], grid.subject[known])
        result.append(np.unique(digest))
    return result
