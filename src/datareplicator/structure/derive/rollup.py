"""Totals over the rows below a row: how many there are, their sum, least, greatest and mean."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from datareplicator.structure.derive.days import extreme
from datareplicator.structure.derive.outcome import close, decimals_of, rounded
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import View
from datareplicator.structure.spec import Derivation, ForeignKey

HOWS = ("count", "sum", "max", "min", "mean")

AGREED = 0.99
LEAST = 12
"""Rows above with several rows below, under which a total proves nothing."""

DISTINCT = 4
DIGITS = 6


def rollup(view: View, d: Derivation) -> np.ndarray:
    """``how`` ("count", "sum", "max", "min", "mean") of sources[0] over the rows of its table that name the row.

    params: ``keys``, pairs of column names (here, there); ``decimals`` (null: not rounded); ``none``: the value of rows
    without any below (null: missing).
    """
    source = d.sources[0]
    here, there = ([pair[k] for pair in d.params["keys"]] for k in (0, 1))
    ids, size = view.group(source.table, there)
    made = _per_group(d.params["how"], view.values(source.table, source.column).number, ids, size)
    rows = view.match(d.table, here, source.table, there)
    none = np.nan if d.params["none"] is None else float(d.params["none"])
    result = np.where(rows >= 0, np.append(made, np.nan)[np.append(ids, size)[rows]], none)
    return rounded(result, d.params["decimals"])


def _per_group(how: str, x: np.ndarray, ids: np.ndarray, size: int) -> np.ndarray:
    """One number a group; NaN for groups without a known value, but for counts, which are of rows."""
    if how == "count":
        return np.bincount(ids, minlength=size).astype(float)
    if how in ("min", "max"):
        return extreme(x, ids, size, how)
    known = np.isfinite(x)
    rows = np.bincount(ids[known], minlength=size)
    total = np.bincount(ids[known], x[known], size)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(rows > 0, total if how == "sum" else total / rows, np.nan)


TEMPLATES = {"rollup": rollup}


def mine_totals(scene: Scene, keys: Iterable[ForeignKey]) -> list[Derivation]:
    """Numbers of rows that total the rows below, by the references between tables."""
    found: list[Derivation] = []
    for key in keys:
        usable = {key.table, key.parent} <= set(scene.tables) and key.table != key.parent
        if usable and len(key.columns) == len(key.parent_columns):
            found += _totals(scene, key)
    return found


def _totals(scene: Scene, key: ForeignKey) -> list[Derivation]:
    pairs = [list(pair) for pair in zip(key.parent_columns, key.columns, strict=True)]
    ids, size = scene.view.group(key.table, key.columns)
    rows = scene.view.match(key.parent, key.parent_columns, key.table, key.columns)
    below = np.append(np.bincount(ids, minlength=size), 0)[np.append(ids, size)[rows]] * (rows >= 0)
    several = below > 1
    if several.sum() < LEAST:
        return []
    sources = [c for c in scene.measures(key.table) if c not in key.columns and scene.moves(key.table, c)]
    offered = [("count", key.columns[-1]), *((how, c) for c in sources for how in HOWS[1:])]
    found = []
    for target in _targets(scene, key.parent):
        if target in key.parent_columns:
            continue
        for how, source in offered:
            one = _judge(scene, key, pairs, (target, source, how), rows, several)
            found += [one] if one is not None else []
    return found


def _targets(scene: Scene, table: str) -> list[str]:
    """Stored numbers with enough values; neither row numbers nor study days."""
    return [
        c
        for c in scene.measures(table)
        if scene.values(table, c).stored_number and scene.values(table, c).distinct >= DISTINCT
    ]


def _judge(
    scene: Scene,
    key: ForeignKey,
    pairs: list[list[str]],
    what: tuple[str, str, str],
    rows: np.ndarray,
    several: np.ndarray,
) -> Derivation | None:
    """The total, where it gives nearly all rows with several rows below, and those without any alike."""
    target, source, how = what
    x = scene.values(key.parent, target).number
    ids, size = scene.view.group(key.table, key.columns)
    made = _per_group(how, scene.values(key.table, source).number, ids, size)
    made = np.where(rows >= 0, np.append(made, np.nan)[np.append(ids, size)[rows]], np.nan)
    told = several & np.isfinite(x)
    if told.sum() < LEAST or len(np.unique(x[told])) < DISTINCT:
        return None
    digits = decimals_of(x)
    decimals = digits if digits <= DIGITS else None
    near = np.abs(rounded(made[told], decimals) - x[told]) <= 1e-9 * np.maximum(1, np.abs(x[told]))
    if not (near | close(made[told], x[told])).mean() >= AGREED:
        return None
    lone = x[rows < 0]
    none = 0.0 if len(lone) and (lone == 0).mean() >= AGREED else None
    return scene.judge(
        AGREED,
        scope=False,
        table=key.parent,
        target=target,
        template="rollup",
        sources=ref(key.table, source),
        params={"keys": pairs, "how": how, "decimals": decimals, "none": none},
    )
