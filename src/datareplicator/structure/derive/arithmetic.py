"""Arithmetic of numbers in one row: differences, sums, ratios, percent changes, body mass index."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

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
    "less_share": lambda a, b: a * (1 - b),
    "plus_share": lambda a, b: a * (1 + b),
    "less_percent": lambda a, b: a * (1 - b / 100),
    "plus_percent": lambda a, b: a * (1 + b / 100),
}
TRIPLES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "product_less_share": lambda a, b, c: a * b * (1 - c),
    "product_plus_share": lambda a, b, c: a * b * (1 + c),
    "product_less_percent": lambda a, b, c: a * b * (1 - c / 100),
    "product_plus_percent": lambda a, b, c: a * b * (1 + c / 100),
    "product_of_three": lambda a, b, c: a * b * c,
    "sum_of_three": lambda a, b, c: a + b + c,
    "sum_less": lambda a, b, c: a + b - c,
}
"""Of three columns, symmetric in the first two."""

SHARES = {"less_share": 1.0, "plus_share": 1.0, "less_percent": 100.0, "plus_percent": 100.0}
"""Endings of operations whose last column is a discount, rate or margin, with its greatest value."""

MOST_TRIPLES = 14
"""Numbers of a table beyond which operations on three columns are not tried."""

SYMMETRIC = {"sum", "product"}
LEAST_ROWS = 12
"""Rows and values of a target that three columns may give."""

DIGITS = 6  # more decimals than this are no rounding but the noise of binary numbers


def arithmetic(view: View, d: Derivation) -> np.ndarray:
    """``op`` of the two or three sources, rounded half up to ``decimals`` (null: not rounded)."""
    operands = [view.values(d.table, s.column).number for s in d.sources]
    function = (OPERATIONS | TRIPLES)[d.params["op"]]
    with np.errstate(divide="ignore", invalid="ignore"):
        return rounded(function(*operands), d.params["decimals"])


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
    for table in scene.targets:
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
            pairs = _operations(scene, table, targets, numbers)
            found += _directed(scene, table, pairs)
            left = [t for t in targets if t not in {d.target for d in pairs}]
            if len(numbers) >= 4 and len(numbers) <= MOST_TRIPLES:
                found += _directed(scene, table, _triples(scene, table, left, numbers))
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
                    if (op in SYMMETRIC and j < i) or not _may_be_share(op, columns[b]):
                        continue
                    if _near(function, (columns[a][probe], columns[b][probe]), t[probe], unit):
                        found += _verify(scene, table, target, op, (a, b), rows[present], decimals)
    return found


def _triples(scene: Scene, table: str, targets: list[str], numbers: list[str]) -> list[Derivation]:
    """Operations on three columns, for targets that two do not give."""
    rows = scene.sample(table)
    columns = {c: scene.values(table, c).number[rows] for c in numbers}
    found: list[Derivation] = []
    for target in targets:
        t = columns[target]
        present = np.flatnonzero(np.isfinite(t))
        if len(present) < LEAST_ROWS or len(np.unique(t[present])) < LEAST_ROWS:
            continue
        probe, decimals = present[:: max(1, len(present) // 40)], decimals_of(t)
        others = [c for c in numbers if c != target and scene.values(table, c).distinct > 1]
        for a, b in combinations(others, 2):
            for c in (c for c in others if c not in (a, b)):
                for op, function in TRIPLES.items():
                    operands = tuple(columns[x][probe] for x in (a, b, c))
                    repeated = op in ("product_of_three", "sum_of_three") and c < max(a, b)
                    if repeated or not _may_be_share(op, columns[c]):
                        continue
                    if _near(function, operands, t[probe], 10.0**-decimals):
                        found += _verify(scene, table, target, op, (a, b, c), rows[present], decimals)
    return found


def _may_be_share(op: str, x: np.ndarray) -> bool:
    """Whether a column may be the rate of an operation that takes one: from 0 to the whole, and seldom nothing."""
    top = next((limit for ending, limit in SHARES.items() if op.endswith(ending)), None)
    if top is None:
        return True
    known = x[np.isfinite(x)]
    return bool(len(known) and known.min() >= 0 and known.max() <= top and len(np.unique(known)) >= 2)


def _near(function: Callable, operands: tuple[np.ndarray, ...], t: np.ndarray, unit: float) -> bool:
    with np.errstate(divide="ignore", invalid="ignore"):
        made = function(*operands)
    known = np.isfinite(made)
    if known.mean() < 0.5:
        return False
    return bool(np.mean(np.abs(made[known] - t[known]) <= 0.51 * unit + 1e-9 * np.abs(t[known])) >= 0.95)


def _verify(
    scene: Scene, table: str, target: str, op: str, operands: tuple[str, ...], rows: np.ndarray, decimals: int
) -> list[Derivation]:
    numbers = [scene.values(table, c).number[rows] for c in operands]
    if not _informative(op, numbers):
        return []
    values = scene.values(table, target)
    best: Derivation | None = None
    for digits in dict.fromkeys((None, decimals if decimals <= DIGITS else None)):
        one = scene.judge(
            0.98,
            table=table,
            target=target,
            template="arithmetic",
            sources=ref(table, *operands),
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


def _informative(op: str, operands: list[np.ndarray]) -> bool:
    """All operands must matter: no difference to 0, no ratio to 1, no discount of nothing."""
    known = np.isfinite(operands).all(axis=0)
    if known.sum() < 8:
        return False
    neutral = 1.0 if op in ("ratio", "product", "product_of_three") else 0.0
    weighed = [x[known] for x in operands[1:]]
    moved = all(np.mean(x != (neutral if k == len(weighed) - 1 else 1.0)) > 0.2 for k, x in enumerate(weighed))
    return bool(moved and len(np.unique(np.column_stack([x[known] for x in operands]), axis=0)) >= 5)
