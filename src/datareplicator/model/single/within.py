"""Rows that belong together: a series in time, or the children of one parent.

A latent score is what the parent's row (or the moment) says, calendar effects, a level that all rows of the group
share, and a rest that remembers the row before (first-order autoregression).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from datareplicator.model.single.document import Variable
from datareplicator.model.single.joint import is_given

LAGS = (1, 2, 3, 4, 6, 8, 12)
CYCLES = {"hour": 24, "weekday": 7, "month": 12}
EVIDENT = 0.02
"""Share of the variance that calendar effects must explain."""
ROWS_A_LEVEL = 20
STRONGEST = 0.98
_HOUR, _DAY = 3_600_000_000, 86_400_000_000


@dataclass
class Conditional:
    """The own variables given the known ones: `slope` (own, given) and the rest's covariance `rest` (own, own)."""

    slope: np.ndarray
    rest: np.ndarray


def condition(matrix: np.ndarray, given: int) -> Conditional:
    """Split a correlation matrix whose last `given` variables are known."""
    k = len(matrix) - given
    if not given:
        return Conditional(np.zeros((k, 0)), matrix)
    slope = np.linalg.solve(matrix[k:, k:] + 1e-6 * np.eye(given), matrix[k:, :k]).T
    return Conditional(slope, matrix[:k, :k] - slope @ matrix[k:, :k])


def calendar(micro: np.ndarray, part: str) -> np.ndarray:
    """Hour of the day, day of the week (0: Monday) or month (0: January) of moments (microseconds); int64.

    >>> calendar(np.array([0.0]), "weekday")
    array([3])
    """
    whole = np.nan_to_num(micro).astype(np.int64)
    if part == "hour":
        return whole // _HOUR % 24
    if part == "weekday":
        return (whole // _DAY + 3) % 7
    return whole.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) % 12


def learn_within(
    variables: list[Variable],
    scores: np.ndarray,
    matrix: np.ndarray,
    group: np.ndarray,
    moments: np.ndarray | None,
    ordered: bool,
) -> dict[str, Any]:
    """The part of the document about groups.

    `scores` (rows, k) with NaN, the known ones last, rows sorted by `group` (int64, -1: none) and time; `matrix`: their
    latent correlations; `moments`: microseconds a row for calendar effects; `ordered`: whether rows remember.
    """
    given = sum(is_given(v) for v in variables)
    k = len(variables) - given
    parts = condition(matrix, given)
    known = np.nan_to_num(scores[:, k:])
    between, memory, cycles = np.zeros(k), np.zeros(k), []
    for j in range(k):
        here = np.isfinite(scores[:, j])
        rest = scores[:, j] - known @ parts.slope[j]
        rest -= rest[here].mean() if here.any() else 0.0
        if moments is not None and variables[j].part == "value":
            for part in CYCLES:
                level = _levels(rest, here, moments, part)
                if level is not None:
                    cycles.append({"column": variables[j].column, "part": part, "level": level.round(4).tolist()})
                    rest = rest - level[calendar(moments, part)]
        spread = float(scores[here, j].var()) if here.any() else 1.0
        if _never_varies(scores[:, j], here, group):
            between[j] = 1.0
            continue
        between[j], memory[j] = _dependence(np.where(here, rest, np.nan), group, spread, ordered)
    return {"between": between.round(4).tolist(), "memory": memory.round(4).tolist(), "cycles": cycles}


def _levels(rest: np.ndarray, here: np.ndarray, moments: np.ndarray, part: str) -> np.ndarray | None:
    """Mean rest by hour, weekday or month, where that explains something."""
    size = CYCLES[part]
    at = calendar(moments, part)
    count = np.bincount(at[here], minlength=size)
    used = count > 0
    total = float(rest[here].var()) if here.any() else 0.0
    if used.sum() < 2 or count[used].min() < ROWS_A_LEVEL or total <= 0:
        return None
    if part == "month" and np.nanmax(moments) - np.nanmin(moments) < 700 * _DAY:
        return None
    mean = np.bincount(at[here], rest[here], size) / np.maximum(count, 1)
    chance = (used.sum() - 1) / here.sum()
    explained = float((count * mean**2).sum() / here.sum()) / total
    return mean if explained > EVIDENT + 2 * chance else None


def _never_varies(score: np.ndarray, here: np.ndarray, group: np.ndarray) -> bool:
    """Whether all rows of a group have one value."""
    same = (group[1:] == group[:-1]) & (group[1:] >= 0) & here[1:] & here[:-1]
    return bool(same.sum() >= 10 and (score[1:] == score[:-1])[same].all())


def _dependence(rest: np.ndarray, group: np.ndarray, spread: float, ordered: bool) -> tuple[float, float]:
    """Shared part and memory from the correlations of rows one, two and more apart in a group."""
    total = float(np.nanvar(rest)) if np.isfinite(rest).any() else 0.0
    groups = np.unique(group[group >= 0])
    if total <= 1e-9 or not len(groups):
        return 0.0, 0.0
    found, weight = [], []
    for lag in LAGS:
        same = (group[lag:] == group[:-lag]) & (group[lag:] >= 0)
        product = (rest[lag:] * rest[:-lag])[same]
        product = product[np.isfinite(product)]
        if len(product) >= 10:
            found.append((lag, float(np.clip(product.mean() / total / max(spread, 0.05), -STRONGEST, STRONGEST))))
            weight.append(len(product))
    if not found:
        return 0.0, 0.0
    lags, values = (np.array(part) for part in zip(*found, strict=True))
    if not ordered:
        return float(np.clip(np.average(values, weights=weight), 0.0, STRONGEST)), 0.0
    shared = np.array([0.0]) if len(groups) == 1 else np.linspace(0, STRONGEST, 50)
    phi = np.linspace(-0.9, 0.99, 190)
    fitted = shared[:, None, None] + (1 - shared)[:, None, None] * phi[:, None] ** lags
    error = (np.array(weight) * (fitted - values) ** 2).sum(2)
    b, p = np.unravel_index(int(error.argmin()), error.shape)
    return float(shared[b]), float(phi[p])
