"""Latent scores of rows that belong together, by the model of `model/single/within.py`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from datareplicator.generate.single.table import PART, Latent, own_variables, root_of
from datareplicator.model.single import document as parts
from datareplicator.model.single.within import calendar, condition
from datareplicator.seeds import Streams

LEAST = 0.02
"""Share of the variance that is always left to chance."""


def grouped_latent(
    table: parts.TableModel | parts.SingleModel,
    within: parts.Within | None,
    group: np.ndarray,
    given: np.ndarray,
    moments: np.ndarray | None,
    streams: Streams,
) -> Latent:
    """Scores of rows whose groups are `group` (int64[n], ascending, -1 at the end: rows alone) and whose known
    variables are `given` (n, g), NaN where unknown; `moments`: microseconds a row."""
    found, variables = table.correlation, own_variables(table)
    n, k = len(group), len(variables)
    if found is None or not k:
        return lambda lo, hi: np.zeros((PART, k))
    split = condition(found.matrix, found.given)
    spread = np.sqrt(np.clip(np.diag(split.rest), 1e-6, 1.0))
    root = root_of(split.rest / spread[:, None] / spread)
    level = np.nan_to_num(given) @ split.slope.T
    rest = spread**2
    for cycle in within.cycles if within is not None and moments is not None else ():
        places = [j for j, v in enumerate(variables) if v.column == cycle.column and v.part == "value"]
        for j in places:
            height = np.resize(cycle.level, {"hour": 24, "weekday": 7, "month": 12}[cycle.part])
            level[:, j] += height[calendar(moments, cycle.part)]  # type: ignore[arg-type]
            rest[j] = max(rest[j] - float(height.var()), LEAST)
    score = _chained(normals(n, root, streams.get("latent")), group, within)
    if within is not None and len(within.between) == k:
        groups = int(group.max(initial=-1)) + 1
        shared = normals(groups + 1, root, streams.get("groups"))
        share = np.where(group[:, None] >= 0, within.between, 0.0)
        score = np.sqrt(share) * shared[group] + np.sqrt(1 - share) * score
        fixed = (within.between >= 1) & (table.sequence is not None if isinstance(table, parts.SingleModel) else False)
        level[:, fixed], rest[fixed] = 0.0, 1.0  # what never varies in a series does not follow its time
    score = level + np.sqrt(rest) * score
    return lambda lo, hi: np.vstack([score[lo:hi], np.zeros((PART - (hi - lo), k))])


def normals(n: int, root: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Correlated normal numbers (n, k), drawn in whole parts so that more rows never change earlier ones."""
    k = len(root)
    drawn = [rng.standard_normal((PART, k)) @ root.T for _ in range(0, n, PART)]
    return np.concatenate(drawn)[:n] if drawn else np.empty((0, k))


def _chained(fresh: np.ndarray, group: np.ndarray, within: parts.Within | None) -> np.ndarray:
    """First-order autoregression within the groups, of variance 1."""
    if within is None or len(within.memory) != fresh.shape[1] or not within.memory.any():
        return fresh
    from scipy.signal import lfilter  # takes longer to import than all the rest, and only series need it

    out = fresh.copy()
    for j in np.flatnonzero(within.memory):
        phi = float(within.memory[j])
        kept = np.sqrt(1 - phi**2)
        for first, last in _runs(group):
            drive = fresh[first:last, j] * kept
            drive[0] = fresh[first, j]
            out[first:last, j] = lfilter([1.0], [1.0, -phi], drive)
    return out


def _runs(group: np.ndarray) -> Iterator[tuple[int, int]]:
    edges = np.flatnonzero(np.r_[True, group[1:] != group[:-1], True])
    for first, last in pairwise(edges.tolist()):
        if group[first] >= 0:
            yield first, last
