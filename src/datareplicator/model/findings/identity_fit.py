"""Results that follow from two others measured with them, and results that always lie above another.

The haematocrit is the red cell count times the mean cell volume, the mean cell haemoglobin a quotient: a joint normal
distribution keeps such laws only roughly, and any reader can check them. Each is looked for as a sum of logarithms,
log y = a + log x1 + p log x2 with p of 1, -1 or -2, in tests of one table on the same axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datareplicator.model.findings.grid import Grid
from datareplicator.model.findings.identity_model import POWERS, Identity, Order
from datareplicator.model.findings.model import Cell
from datareplicator.model.marginals import decimals_of

FEWEST_ROWS = 30
MOST_ROWS = 2_000
CLOSE = 0.4
"""A law leaves at most this share of the spread of its result (standard deviations of the logarithm)."""
NEEDED = 2.0
"""Either factor alone leaves at least this many times what the law leaves."""
FEWEST_CROSSINGS = 2
"""An order is one where results of different visits, put side by side, would break it this often."""


def fit_identities(grid: Grid, cells: Sequence[Cell]) -> tuple[Identity, ...]:
    """The laws of all tables, in an order in which they can be computed."""
    rows = np.arange(grid.rows)[:: max(1, grid.rows // MOST_ROWS)]
    found = [law for members in _panels(cells) for law in _laws(grid.values[np.ix_(rows, members)], members)]
    return _ordered(_free_of_circles([law for _, law in sorted(found, key=lambda pair: pair[0])]))


def fit_orders(grid: Grid, cells: Sequence[Cell]) -> tuple[Order, ...]:
    """Pairs of results of which one always lies above the other although their ranges overlap."""
    found = []
    for members in _panels(cells):
        values = grid.values[:, members]
        # The rows of other visits, by a step that puts no row beside itself.
        other = np.roll(values, max(1, grid.rows // 3), axis=0)
        for a, above in enumerate(members):
            away = values[:, [a]] - values
            known = np.isfinite(away).sum(axis=0)
            least = np.where(np.isfinite(away), away, np.inf).min(axis=0, initial=np.inf)
            crossed = (values[:, [a]] <= other).sum(axis=0)
            for b in np.flatnonzero((known >= FEWEST_ROWS) & (least > 0) & (crossed >= FEWEST_CROSSINGS)):
                step = 10.0 ** -decimals_of(values[np.isfinite(values[:, b]), b])
                found.append(Order(above=above, below=members[b], gap=min(float(least[b]), step)))
    return tuple(found)


def _panels(cells: Sequence[Cell]) -> list[list[int]]:
    """Numbers measured together: cells of one table on the same axes."""
    groups: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for index, cell in enumerate(cells):
        if cell.kind == "number":
            groups.setdefault((cell.table, cell.axes), []).append(index)
    return [members for members in groups.values() if len(members) > 1]


def _laws(values: np.ndarray, members: list[int]) -> list[tuple[float, Identity]]:
    """Candidate laws among the columns of `values` (rows, cells), each with the share of the spread that it leaves."""
    positive = (np.where(np.isfinite(values), values, 1.0) > 0).all(axis=0) & (
        np.isfinite(values).sum(axis=0) >= FEWEST_ROWS
    )
    known = np.isfinite(values) & positive
    log = np.log(np.where(known, values, 1.0))
    count = np.maximum(known.sum(axis=0), 1)
    centre = log.sum(axis=0) / count
    log = np.where(known, log - centre, 0.0)
    spread = np.sqrt((log**2).sum(axis=0) / count)
    alone = _left_alone(log, known)
    found = []
    for i in range(len(members)):
        for power in POWERS:
            left = _left(log, known, i, power)
            good = (left <= CLOSE * spread) & (left * NEEDED <= alone[i]) & (left * NEEDED <= alone)
            for j, k in np.argwhere(good):
                if len({i, j, k}) == 3 and (power != 1.0 or i < j):
                    found.append((left[j, k] / spread[k], _law(values, members, (int(k), i, int(j)), power)))
    return found


def _left(log: np.ndarray, known: np.ndarray, i: int, power: float) -> np.ndarray:
    """Standard deviation of log y_k - log x_i - p log x_j over the rows that know all three, (j, k); inf for too few
    rows."""
    both = (known & known[:, [i]]).astype(float)
    p = np.where(both > 0, log[:, [i]] + power * log, 0.0)
    m = known.astype(float)
    n = both.T @ m
    first = both.T @ log - p.T @ m
    second = both.T @ log**2 - 2 * p.T @ log + (p**2).T @ m
    variance = second / np.maximum(n, 1) - (first / np.maximum(n, 1)) ** 2
    return np.where(n >= FEWEST_ROWS, np.sqrt(np.maximum(variance, 0)), np.inf)


def _left_alone(log: np.ndarray, known: np.ndarray) -> np.ndarray:
    """What a straight line on x_i alone leaves of log y_k, (i, k)."""
    m = known.astype(float)
    n = np.maximum(m.T @ m, 1)
    mean_x, mean_y = log.T @ m / n, m.T @ log / n
    xx, yy = (log**2).T @ m / n - mean_x**2, m.T @ log**2 / n - mean_y**2
    xy = log.T @ log / n - mean_x * mean_y
    r2 = np.divide(xy**2, xx * yy, out=np.zeros_like(xy), where=xx * yy > 1e-18)
    return np.sqrt(np.maximum(yy, 0) * (1 - np.clip(r2, 0, 1)))


def _law(values: np.ndarray, members: list[int], place: tuple[int, int, int], power: float) -> Identity:
    """Factor and spread of one law; what rounding the result adds by itself is not part of the spread."""
    target, first, second = place
    y, a, b = values[:, target], values[:, first], values[:, second]
    rows = np.isfinite(y) & np.isfinite(a) & np.isfinite(b)
    away = np.log(y[rows]) - np.log(a[rows]) - power * np.log(b[rows])
    middle = float(np.median(away))
    limit = 3 * 1.4826 * float(np.median(np.abs(away - middle)))
    variance = float(np.mean(np.clip(away - middle, -limit, limit) ** 2))
    rounding = float(np.mean((10.0 ** -decimals_of(y[rows]) / y[rows]) ** 2)) / 12
    return Identity(
        target=members[target],
        first=members[first],
        second=members[second],
        power=power,
        log_factor=middle,
        spread=float(np.sqrt(max(variance - rounding, 0.0))),
    )


def _free_of_circles(laws: list[Identity]) -> list[Identity]:
    """The laws in the order of preference, each result once and none of its own consequences among its factors."""
    kept: dict[int, Identity] = {}

    def rests_on(cell: int) -> set[int]:
        law = kept.get(cell)
        return {cell} if law is None else {cell} | rests_on(law.first) | rests_on(law.second)

    for law in laws:
        if law.target not in kept and law.target not in rests_on(law.first) | rests_on(law.second):
            kept[law.target] = law
    return list(kept.values())


def _ordered(laws: list[Identity]) -> tuple[Identity, ...]:
    """Factors before what follows from them."""
    waiting, out = list(laws), []
    while waiting:
        targets = {law.target for law in waiting}
        ready = [law for law in waiting if not {law.first, law.second} & targets]
        out += ready
        waiting = [law for law in waiting if law not in ready]
    return tuple(out)
