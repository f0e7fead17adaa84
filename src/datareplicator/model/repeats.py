"""How often a row takes over what an earlier row of its subject has."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.document import Document

FEWEST = 3
SHRINK = 4.0


class Repeats(Document):
    """Probabilities that a row repeats the first row of its subject (`subject`), and the first row of its subject
    with the same scope (`inner`); 1 means always, as in the source."""

    subject: float = 0.0
    inner: float = 0.0


def fit_repeats(value: np.ndarray, inner: np.ndarray | None, subject: np.ndarray) -> Repeats:
    """Learn from the agreement of rows within subjects beyond that of rows of different subjects.

    `value`, `inner`: codes from 0 (int64[n]); `inner` None where there is no scope. If a share s of rows repeats the
    first row of a group of m, two rows agree with probability (2 s + (m - 2) s^2) / m beyond chance, which is solved
    for s.
    """
    unit = pd.factorize(subject)[0].astype(np.int64)
    whole = np.zeros(len(unit), dtype=np.int64)
    if inner is None:
        return Repeats(subject=_share(*_agreement(whole, value, unit)))
    inner = pd.factorize(inner)[0].astype(np.int64)
    everywhere, within = _agreement(whole, value, unit), _agreement(inner, value, unit)
    across = tuple(a - b for a, b in zip(everywhere[:4], within[:4], strict=True)) + everywhere[4:]
    outer = _share(*across)
    if outer == 1.0:
        return Repeats(subject=1.0, inner=1.0)
    return Repeats(subject=outer, inner=_share(*within, already=outer))


def _agreement(cell: np.ndarray, value: np.ndarray, unit: np.ndarray) -> tuple[float, float, float, float, int, float]:
    """Pairs of rows in one cell: same subject and equal, same subject, others and equal, others; then the number of
    subjects with a pair and the typical size of their groups."""

    def pairs(*keys: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        code = np.zeros(len(value), dtype=np.int64)
        for key in keys:
            code = pd.factorize(code * (key.max(initial=0) + 1) + key)[0].astype(np.int64)
        count = np.bincount(code).astype(float)
        return float((count * (count - 1)).sum()), count, code

    own_equal, own = pairs(cell, unit, value)[0], pairs(cell, unit)
    all_equal, total = pairs(cell, value)[0], pairs(cell)[0]
    groups = own[1][own[1] > 1]
    evidence = len(np.unique(unit[own[1][own[2]] > 1]))
    size = float((groups**2).sum() / groups.sum()) if len(groups) else 2.0
    return own_equal, own[0], all_equal - own_equal, total - own[0], evidence, size


def _share(
    own_equal: float, own: float, other_equal: float, other: float, subjects: int, size: float, already: float = 0.0
) -> float:
    if own <= 0:
        return 0.0
    chance = other_equal / other if other > 0 else 0.0
    if own_equal == own and subjects >= FEWEST and chance < 1:
        return 1.0
    if chance >= 1:
        return 0.0
    excess = max((own_equal / own - chance) / (1 - chance), 0.0)
    excess = max((excess - already) / (1 - already), 0.0) * subjects / (subjects + SHRINK)
    first = 2 / max(size, 2.0)
    if first >= 1:
        return float(excess)
    return float((np.sqrt(first**2 + 4 * (1 - first) * excess) - first) / (2 * (1 - first)))
