"""Columns that never fall below another one (an end after its start): learned as the distance to it."""

from __future__ import annotations

import numpy as np

from datareplicator.model.single.columns import DAY, Learned, plain
from datareplicator.model.single.marginals import fit_marginal
from datareplicator.structure.orders import orders_between

MOST_NUMBERS = 40
GLANCE = 2000
"""Rows of a first look; nearly all pairs of columns fail there."""
ATOM = 0.05
UP = "../"
"""Before the name of a column of the parent's row."""


def learn_orders(columns: list[Learned], above: dict[str, np.ndarray] | None = None) -> None:
    """Replace the upper of two ordered columns by its distance from the lower one, in entries and numbers.

    `above`: moments of the parent's row (microseconds a row), which may be the lower ones.
    """
    dates = {c.name: c for c in columns if c.entry["type"] == "datetime" and c.marginal is not None}
    whole = {name: c.detected.number for name, c in dates.items()}
    numbers = {c.name: c for c in columns if c.entry["type"] == "numerical" and c.marginal is not None}
    parents = {UP + name: moments for name, moments in (above or {}).items()}
    _apply(dates, {**{n: x for n, x in whole.items() if x is not None}, **parents}, strict=False)
    if len(numbers) <= MOST_NUMBERS:
        _apply(numbers, {n: c.number for n, c in numbers.items() if c.number is not None}, strict=True)


def _apply(columns: dict[str, Learned], values: dict[str, np.ndarray], *, strict: bool) -> None:
    if len(values) < 2:
        return
    rows = len(next(iter(values.values())))
    places = np.linspace(0, rows - 1, min(rows, GLANCE)).astype(np.int64)
    glance = {name: x[places] for name, x in values.items()}
    likely = {name for o in orders_between("", glance, strict=False) for name in (o.low, o.high)}
    scale = 1.0 if strict else float(DAY)
    found = orders_between("", {n: x / scale for n, x in values.items() if n in likely}, strict=strict)
    distance: dict[str, tuple[float, str]] = {}
    for order in found:
        if order.high not in columns:
            continue
        gap = float(np.nanmean(values[order.high] - values[order.low]))
        best = distance.get(order.high)
        if best is None or gap < best[0]:
            distance[order.high] = (gap, order.low)
    for high, (_, low) in distance.items():
        if np.nanmax(values[low]) <= np.nanmin(values[high]):
            continue  # they cannot meet: their own distributions keep them apart
        if strict and _has_atoms(columns[high]):
            continue  # a sum with a distance would not hit its atoms again
        _by_distance(columns[high], low, values[high] - values[low])


def _has_atoms(learned: Learned) -> bool:
    """Whether single values of a fractional number hold much of its mass."""
    number = learned.number
    if number is None or learned.decimals == 0:
        return False
    ordered = np.sort(number[np.isfinite(number)])
    most = int(np.ceil(ATOM * len(ordered)))
    return bool((ordered[most:] == ordered[: len(ordered) - most]).any())


def _by_distance(learned: Learned, low: str, gap: np.ndarray) -> None:
    known = np.sort(gap[np.isfinite(gap)])
    marginal = fit_marginal(known, learned.decimals)
    learned.params.update(after=low, gap=plain(marginal))
    learned.number, learned.marginal = gap, marginal
