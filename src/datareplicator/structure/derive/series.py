"""Values over a series of columns of one row: a measurement at visit after visit, side by side.

The last value, the first, the least, greatest, mean and sum, how many there are, and the change from the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from datareplicator.structure.derive.outcome import decimals_of, rounded
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import View
from datareplicator.structure.spec import Derivation

HOWS = ("count", "last_place", "last", "min", "max", "mean", "sum")
CHANGES = ("", "difference", "percent_change")

AGREED = 0.99
LEAST = 12
"""Rows that a formula over a series must give."""

LONGEST = 3
"""Columns from which on numbered columns are a series."""

DIGITS = 6


def series(view: View, d: Derivation) -> np.ndarray:
    """``how`` over the sources, in their order: "count" of the present ones, "last_place" (of the last present one,
    from 1), "last", "min", "max", "mean", "sum"; ``change`` "difference" or "percent_change" against the first
    source; rounded half up to ``decimals`` (null: not at all)."""
    table = np.column_stack([view.values(d.table, s.column).number for s in d.sources])
    return rounded(_value(table, d.params["how"], d.params["change"]), d.params["decimals"])


def _value(table: np.ndarray, how: str, change: str) -> np.ndarray:
    known = np.isfinite(table)
    count = known.sum(axis=1)
    some = count > 0
    place = np.where(some, table.shape[1] - np.argmax(known[:, ::-1], axis=1), 0)
    if how == "count":
        made = count.astype(float)
    elif how == "last_place":
        made = np.where(some, place, np.nan).astype(float)
    elif how == "last":
        made = np.where(some, table[np.arange(len(table)), np.maximum(place - 1, 0)], np.nan)
    else:
        filled = {"min": np.inf, "max": -np.inf}.get(how, 0.0)
        total = getattr(np.where(known, table, filled), "sum" if how == "mean" else how)(axis=1)
        made = np.where(some, total / np.maximum(count, 1) if how == "mean" else total, np.nan)
    if not change:
        return made
    with np.errstate(divide="ignore", invalid="ignore"):
        first = table[:, 0]
        return made - first if change == "difference" else np.where(first != 0, 100 * (made - first) / first, np.nan)


TEMPLATES = {"series": series}


def mine(scene: Scene) -> list[Derivation]:
    """Numbers of rows that a series of columns of the row gives."""
    found: list[Derivation] = []
    for table in scene.targets:
        for columns in series_of(scene.numbers(table)):
            found += _over(scene, table, columns)
    return found


def series_of(names: list[str]) -> Iterator[list[str]]:
    """Columns whose names differ in one number alone, in its order.

    >>> list(series_of(["age", "sbp_v2", "sbp_v1", "sbp_v10", "q1", "q2"]))
    [['sbp_v1', 'sbp_v2', 'sbp_v10']]
    """
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for name in names:
        parts = re.fullmatch(r"(.*?\D)(\d+)(\D*)", name)
        if parts:
            groups.setdefault((parts[1], parts[3]), []).append((int(parts[2]), name))
    yield from ([name for _, name in sorted(found)] for found in groups.values() if len(found) >= LONGEST)


def _over(scene: Scene, table: str, columns: list[str]) -> list[Derivation]:
    stacked = np.column_stack([scene.values(table, c).number for c in columns])
    gaps = bool((~np.isfinite(stacked)).any())
    found = []
    for target in scene.numbers(table):
        x = scene.values(table, target).number
        known = np.isfinite(x)
        if target in columns or known.sum() < LEAST or len(np.unique(x[known])) < 3:
            continue
        digits = decimals_of(x)
        decimals = digits if digits <= DIGITS else None
        for how in HOWS:
            for change in CHANGES if how not in ("count", "last_place", "sum") else CHANGES[:1]:
                made = _value(stacked, how, change)
                near = np.abs(rounded(made[known], decimals) - x[known]) <= 1e-9 * np.maximum(1, np.abs(x[known]))
                # Without gaps the last column alone says it, and a count is no news.
                if near.mean() < AGREED or (not gaps and how in ("count", "last_place", "last")):
                    continue
                one = scene.judge(
                    AGREED,
                    table=table,
                    target=target,
                    template="series",
                    sources=ref(table, *columns),
                    params={"how": how, "change": change, "decimals": decimals},
                )
                found += [one] if one is not None else []
    return found
