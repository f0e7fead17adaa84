"""Results of one test computed from others of the same cell: questionnaire totals and products."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.outcome import written_as
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import View, key_array, level_index
from datareplicator.structure.spec import Derivation

CELLS = 500
"""Cells looked at before all are."""


def items(view: View, d: Derivation) -> np.ndarray:
    """The target on the rows of a test from its values on the rows of other tests in the same cell.

    sources: the test code. params: ``cell``, the columns that make a cell; ``entries``, each with ``test``, ``op``
    ("sum", "product"), ``items``, ``otherwise`` (the value where items are missing; null: missing). All other rows
    are missing here: the derivation is partial.
    """
    number, test = view.values(d.table, d.target).number, view.values(d.table, d.sources[0].column)
    cells, size = view.group(d.table, d.params["cell"])
    result = np.full(len(number), np.nan)
    for entry in d.params["entries"]:
        rows = _rows(test, [entry["test"]])
        made = _combine(entry, cells, size, number, result, [_rows(test, [i]) for i in entry["items"]])
        result[rows] = made[cells[rows]]
    return result


def _rows(test: Any, codes: list[Any]) -> np.ndarray:
    index = np.append(level_index(test, key_array(codes)) >= 0, False)
    return np.flatnonzero(index[test.codes])


def _combine(
    entry: dict[str, Any], cells: np.ndarray, size: int, number: np.ndarray, result: np.ndarray, items: list[np.ndarray]
) -> np.ndarray:
    """The combination per cell. Items that are computed themselves count with their computed value."""
    total = np.zeros(size) if entry["op"] != "product" else np.ones(size)
    count = np.zeros(size)
    for rows in items:
        x = np.where(np.isfinite(result[rows]), result[rows], number[rows])
        cell = np.full(size, np.nan)
        cell[cells[rows]] = x
        known = np.isfinite(cell)
        total = np.where(known, total * cell if entry["op"] == "product" else total + cell, total)
        count += known
    other = np.nan if entry["otherwise"] is None else entry["otherwise"]
    return np.where(count == len(items), total, other)


TEMPLATES = {"items": items}


def mine(scene: Scene) -> list[Derivation]:
    """Totals and products of tests within a cell of subject, visit and further axes."""
    found: list[Derivation] = []
    for table in scene.targets:
        test = scene.tests(table)
        if test is None or test not in scene.ctx.tables[table] or not scene.keyed(table):
            continue
        if not 3 <= scene.values(table, test).distinct <= 500:
            continue
        target = _result(scene, table)
        cell = _cell(scene, table, test)
        if target is None or cell is None:
            continue
        entries = _ordered(_entries(scene, table, test, target, cell))
        params = {"cell": cell, "entries": entries, "partial": True}
        for column in _written(scene, table, target) if entries else ():
            one = _measured(
                scene, Derivation(table=table, target=column, template="items", sources=ref(table, test), params=params)
            )
            found += [one] if one else []
    return found


def _written(scene: Scene, table: str, target: str) -> list[str]:
    """The numeric result and the texts (collected, standard) that write the same number."""
    number = scene.values(table, target).number
    texts = []
    for name in scene.candidates(table):
        values = scene.values(table, name)
        both = (
            np.isfinite(values.number) & np.isfinite(number) if not values.stored_number and values.is_number else None
        )
        if both is not None and both.any() and np.isclose(values.number[both], number[both]).mean() >= 0.98:
            texts.append(name)
    return [target, *texts]


def _result(scene: Scene, table: str) -> str | None:
    """The numeric result: the stored number with most values (by the standards' names first)."""
    numbers = [
        c for c in scene.numbers(table) if scene.values(table, c).stored_number and c != scene.ctx.sequence.get(table)
    ]
    named = [c for c in numbers if c.upper().endswith(("STRESN", "AVAL")) or c.lower() == "value_as_number"]
    return named[0] if named else None


def _cell(scene: Scene, table: str, test: str) -> list[str] | None:
    """Subject and one more column under which a test stands once."""
    subject = scene.key(table)
    n = scene.view.rows(table)
    options = [c for c in (scene.ctx.visit,) if c in scene.ctx.tables[table]]
    options += [
        c for c in scene.categories(table, 100, 2) if c != test and c not in options and scene.tests(table) != c
    ]
    options += [c for c in scene.dates(table) if scene.moves(table, c)]
    best = None
    for column in options[:14]:
        if column == scene.ctx.sequence.get(table):
            continue
        cells = scene.view.group(table, [subject, column])[1]
        unique = scene.view.group(table, [subject, column, test])[1]
        tests = unique / max(cells, 1)
        if unique >= 0.99 * n and tests > 2 and (best is None or tests > best[0] * 1.2):
            best = tests, [subject, column]
    return best[1] if best else None


def _entries(scene: Scene, table: str, test: str, target: str, cell: list[str]) -> list[dict[str, Any]]:
    view = scene.view
    cells, size = view.group(table, cell)
    values, number = scene.values(table, test), scene.values(table, target).number
    wide = np.full((size, len(values.levels)), np.nan, dtype=np.float64)
    known = np.isfinite(number) & (values.codes >= 0)
    wide[cells[known], values.codes[known]] = number[known]
    codes = [str(v) for v in values.levels]
    entries: list[dict[str, Any]] = []
    for block in _blocks(wide):
        entries += _products(wide[:, block], [codes[i] for i in block])
        entries += _sums(wide[:, block], [codes[i] for i in block])
    return entries


def _blocks(wide: np.ndarray) -> list[np.ndarray]:
    """Tests that stand in the same cells: groups by overlap of presence with a first member."""
    held = np.isfinite(wide)
    left = list(np.flatnonzero(held.sum(axis=0) >= 8))
    left.sort(key=lambda i: -held[:, i].sum())
    result = []
    while left:
        first = left[0]
        share = held[held[:, first]][:, left].mean(axis=0) if held[:, first].any() else np.zeros(len(left))
        block = [i for i, s in zip(left, share, strict=True) if s > 0.02]
        result.append(np.array(sorted(block)))
        left = [i for i in left if i not in block]
    return [b for b in result if len(b) >= 3]


def _products(wide: np.ndarray, codes: list[str]) -> list[dict[str, Any]]:
    """Products of two items of one code stem: the codes share all but the last two characters."""
    held = np.isfinite(wide)
    found = []
    for length in sorted({len(c) for c in codes}):
        stems: dict[str, list[int]] = {}
        for i, code in enumerate(codes):
            if len(code) >= length and length > 2:
                stems.setdefault(code[: length - 1], []).append(i)
        for members in stems.values():
            if 3 <= len(members) <= 12:
                found += [p for p in _products_among(wide, held, codes, members) if p not in found]
    return found


def _products_among(wide: np.ndarray, held: np.ndarray, codes: list[str], members: list[int]) -> list[dict[str, Any]]:
    found = []
    for t in members:
        for a, b in combinations([m for m in members if m != t], 2):
            rows = np.flatnonzero(held[:, t] & held[:, a] & held[:, b])
            made = wide[rows, a] * wide[rows, b]
            if len(rows) < 8 or (made == wide[rows, t]).mean() < 0.99:
                continue
            telling = (made != 0) & (wide[rows, a] != 1) & (wide[rows, b] != 1)
            if telling.sum() >= 5 and len(np.unique(made[telling])) >= 2:
                rest = wide[held[:, t] & ~(held[:, a] & held[:, b]), t]
                found.append(_entry(codes[t], "product", [codes[a], codes[b]], rest))
    return found


def _entry(test: str, op: str, names: list[str], rest: np.ndarray) -> dict[str, Any]:
    top = pd.Series(rest).mode() if len(rest) else pd.Series(dtype=float)
    sure = len(top) > 0 and (rest == top.iloc[0]).mean() >= 0.99
    return {"test": test, "op": op, "items": names, "otherwise": float(top.iloc[0]) if sure else None}


def _sums(wide: np.ndarray, codes: list[str]) -> list[dict[str, Any]]:
    found = []
    held = np.isfinite(wide)
    for t in range(len(codes)):
        rows = np.flatnonzero(held[:, t])
        rows = rows[:: max(1, len(rows) // CELLS)]
        if len(rows) < 8 or len(np.unique(wide[rows, t])) < 5:
            continue
        names = _addends(wide, held, rows, t)
        if names is not None and len(names) >= 3:
            every = np.flatnonzero(held[:, t] & held[:, names].all(axis=1))
            if len(every) >= 8 and (wide[every][:, names].sum(axis=1) == wide[every, t]).mean() >= 0.97:
                found.append(_entry(codes[t], "sum", [codes[i] for i in names], np.empty(0)))
    return found


def _addends(wide: np.ndarray, held: np.ndarray, rows: np.ndarray, t: int) -> list[int] | None:
    """The items whose sum is column t: non-negative least squares on the sampled cells, weights of 0 and 1 kept."""
    x = wide[rows, t]
    others = [i for i in range(wide.shape[1]) if i != t and held[rows, i].mean() >= 0.9]
    others = [i for i in others if np.nanmax(wide[rows, i]) <= np.nanmax(x) and np.nanstd(wide[rows, i]) > 0]
    if len(others) < 3:
        return None
    full = held[np.ix_(rows, others)].all(axis=1)
    if full.sum() < max(12, 1.2 * len(others)):
        return None
    a, y = wide[np.ix_(rows[full], others)], x[full]
    for _ in range(3):
        weights = np.linalg.lstsq(a, y, rcond=None)[0]
        good = np.abs(a @ np.round(weights) - y) < 1e-9
        keep = np.abs(weights - 1) < 0.05
        zero = np.abs(weights) < 0.05
        if (keep | zero).all():
            break
        residual = np.abs(a @ weights - y)
        clean = residual <= np.quantile(residual, 0.9)
        if clean.all() or clean.sum() < max(12, 1.2 * len(others)):
            break
        a, y = a[clean], y[clean]
    names = [o for o, k in zip(others, np.abs(weights - 1) < 0.2, strict=True) if k]
    del good
    made = wide[np.ix_(rows[full], names)].sum(axis=1) if names else np.zeros(int(full.sum()))
    return names if len(names) >= 3 and (made == x[full]).mean() >= 0.95 else None


def _ordered(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items that are computed themselves come before what is made of them; circles are left out."""
    made = {e["test"]: e for e in entries}
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in made and name not in order and name not in path:
            for item in made[name]["items"]:
                visit(item, (*path, name))
            order.append(name)

    for name in made:
        visit(name, ())
    return [made[n] for n in order]


def _measured(scene: Scene, derivation: Derivation) -> Derivation | None:
    """The agreement on the rows computed; entries that do not hold for this column are dropped."""
    values, test = (
        scene.values(derivation.table, derivation.target),
        scene.values(derivation.table, derivation.sources[0].column),
    )
    made = items(scene.view, derivation)
    kept, hits, total = [], 0, 0
    for entry in derivation.params["entries"]:
        rows = _rows(test, [entry["test"]])
        rows = rows[np.isfinite(made[rows])]
        right = int((made[rows] == values.number[rows]).sum())
        if len(rows) and right >= 0.97 * len(rows):
            kept, hits, total = [*kept, entry], hits + right, total + len(rows)
    if not kept:
        return None
    params = {**derivation.params, "entries": kept, **written_as(values)}
    return derivation.model_copy(update={"params": params, "agreement": hits / total, "rows": total})
