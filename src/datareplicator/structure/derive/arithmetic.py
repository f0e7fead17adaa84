"""Arithmetic of numbers in one row: differences, sums, ratios, percent changes, body mass index."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from datareplicator.structure.derive.outcome import decimals_of, exact, rounded, written_as
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import View
from datareplicator.structure.spec import Derivation, Kind

OPERATIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "difference": lambda a, b: a - b,
    "ratio": lambda a, b: np.where(b != 0, a / b, np.nan),
    "percent_change": lambda a, b: np.where(b != 0, 100 * (a - b) / b, np.nan),
    "percent_of": lambda a, b: np.where(b != 0, 100 * a / b, np.nan),
    "sum": lambda a, b: a + b,
    "product": lambda a, b: a * b,
    "body_mass_index": lambda a, b: np.where(b != 0, a / (b / 100) ** 2, np.nan),
}
SYMMETRIC = {"sum", "product"}
DIGITS = 6  # more decimals than this are no rounding but the noise of binary numbers


def arithmetic(view: View, d: Derivation) -> np.ndarray:
    """``op`` of sources[0] and sources[1], rounded half up to ``decimals`` (null: not rounded)."""
    a, b = (view.values(d.table, s.column).number for s in d.sources)
    with np.errstate(divide="ignore", invalid="ignore"):
        return rounded(OPERATIONS[d.params["op"]](a, b), d.params["decimals"])


def round_of(view: View, d: Derivation) -> np.ndarray:
    """sources[0] rounded half up to ``decimals``."""
    return rounded(view.values(d.table, d.sources[0].column).number, d.params["decimals"])


TEMPLATES: dict[str, Callable[[View, Derivation], pd.Series | np.ndarray]] = {
    "arithmetic": arithmetic,
    "round": round_of,
}


def mine(scene: Scene) -> list[Derivation]:
    """Every numeric column as an operation on two others of its row."""
    found: list[Derivation] = []
    for table in scene.tables:
        skip = {scene.ctx.sequence.get(table)}
        numbers = [
            c
            for c in scene.numbers(table)
            if c not in skip and not c.upper().endswith("SEQ") and _measured(scene, table, c)
        ]
        targets = [c for c in numbers if scene.values(table, c).distinct >= 5]
        if targets:
            found += _rounds(scene, table, targets)
        if len(numbers) >= 3:
            found += _directed(scene, table, _operations(scene, table, targets, numbers))
    return found


def _directed(scene: Scene, table: str, found: list[Derivation]) -> list[Derivation]:
    """One target for each three columns: a = b + c holds from all sides, but the computed side is the one with more
    decimals, else with more missing values, else further right."""
    names = list(scene.ctx.tables[table].columns)
    best: dict[frozenset[str], tuple[tuple[int, float, int, float], Derivation]] = {}
    for d in found:
        values = scene.values(table, d.target)
        score = (
            min(decimals_of(values.level_numbers), DIGITS),
            -float(values.present.mean()),
            names.index(d.target),
            d.agreement,
        )
        triple = frozenset((d.target, *(s.column for s in d.sources)))
        if triple not in best or score > best[triple][0]:
            best[triple] = score, d
    return [d for _, d in best.values()]


def _measured(scene: Scene, table: str, column: str) -> bool:
    kind = scene.ctx.tables[table][column].kind
    return (
        kind in (Kind.DECIMAL, Kind.INTEGER, Kind.CATEGORY, Kind.FLAG) and scene.values(table, column).stored_number
    ) or (kind == Kind.DECIMAL)


def _rounds(scene: Scene, table: str, targets: list[str]) -> list[Derivation]:
    rows, found = scene.sample(table), []
    for target in targets:
        t = scene.values(table, target).number[rows]
        decimals = decimals_of(t)
        for source in targets:
            x = scene.values(table, source).number[rows]
            both = np.isfinite(t) & np.isfinite(x)
            if source == target or both.sum() < 10 or not scene.values(table, target).stored_number:
                continue
            made = rounded(x[both], decimals)
            if np.mean(np.abs(made - t[both]) < 1e-9) >= 0.98 and np.mean(np.abs(made - x[both]) > 1e-9) >= 0.05:
                one = scene.judge(
                    0.98,
                    table=table,
                    target=target,
                    template="round",
                    sources=ref(table, source),
                    params={"decimals": decimals},
                )
                found += [one] if one else []
    return found


def _operations(scene: Scene, table: str, targets: list[str], numbers: list[str]) -> list[Derivation]:
    rows = scene.sample(table)
    columns = {c: scene.values(table, c).number[rows] for c in numbers}
    sampled = {t: (columns[t], decimals_of(columns[t])) for t in targets}
    found = []
    for target, (t, decimals) in sampled.items():
        present = np.flatnonzero(np.isfinite(t))
        probe = present[:: max(1, len(present) // 40)]
        if len(present) < 8 or len(np.unique(t[present])) < 4:
            continue
        unit = 10.0**-decimals
        for i, a in enumerate(numbers):
            for j, b in enumerate(numbers):
                if a == b or target in (a, b):
                    continue
                for op, function in OPERATIONS.items():
                    if op in SYMMETRIC and j < i:
                        continue
                    if _near(function, columns[a][probe], columns[b][probe], t[probe], unit):
                        found += _verify(scene, table, target, op, a, b, rows[present], t[present], decimals)
    return found


def _near(function: Callable, a: np.ndarray, b: np.ndarray, t: np.ndarray, unit: float) -> bool:
    with np.errstate(divide="ignore", invalid="ignore"):
        made = function(a, b)
    known = np.isfinite(made)
    if known.mean() < 0.5:
        return False
    return bool(np.mean(np.abs(made[known] - t[known]) <= 0.51 * unit + 1e-9 * np.abs(t[known])) >= 0.95)


def _verify(
    scene: Scene, table: str, target: str, op: str, a: str, b: str, rows: np.ndarray, t: np.ndarray, decimals: int
) -> list[Derivation]:
    x, y = (scene.values(table, c).number[rows] for c in (a, b))
    if not _informative(op, x, y):
        return []
    values = scene.values(table, target)
    best: Derivation | None = None
    for digits in dict.fromkeys((None, decimals if decimals <= DIGITS else None)):
        one = scene.judge(
            0.98,
            table=table,
            target=target,
            template="arithmetic",
            sources=ref(table, a, b),
            params={"op": op, "decimals": digits, **written_as(values)},
        )
        if one and (best is None or _better(scene, one, best)):
            best = one
    return [best] if best else []


def _better(scene: Scene, one: Derivation, best: Derivation) -> bool:
    """More rows, or the same rows to more last bits."""
    target = scene.values(one.table, one.target)
    if abs(one.agreement - best.agreement) > 1e-4 or not target.stored_number:
        return one.agreement > best.agreement
    return exact(arithmetic(scene.view, one), target) > exact(arithmetic(scene.view, best), target)


def _informative(op: str, x: np.ndarray, y: np.ndarray) -> bool:
    """Both operands must matter: not a difference to 0, not a ratio to 1."""
    neutral = 1.0 if op in ("ratio", "product") else 0.0
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 8:
        return False
    moved = np.mean(y[known] != neutral)
    return bool(moved > 0.2 and len(np.unique(np.column_stack([x[known], y[known]]), axis=0)) >= 5)
