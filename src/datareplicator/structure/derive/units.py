"""Conversion of results: standard = slope * original + intercept within (test, original unit)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.lookup import key_rows
from datareplicator.structure.derive.outcome import decimals_of, rounded
from datareplicator.structure.derive.scene import Scene, ref, stem
from datareplicator.structure.derive.view import View, json_levels
from datareplicator.structure.spec import Derivation

EXCEPTIONS = 400
"""Most pairs kept that the formula misses by the source's own rounding."""


def linear(view: View, d: Derivation) -> np.ndarray:
    """slope * sources[0] + intercept, by the groups of the remaining sources.

    params: ``keys`` (one list a group column), ``slope``, ``intercept``, ``divide`` (divide by the slope instead),
    ``decimals`` (null: not rounded), all one entry a group; ``exceptions``: [group, original, standard].
    """
    source = view.values(d.table, d.sources[0].column)
    return convert(view, d.table, group_columns(d), d.params, source.number)


def group_columns(d: Derivation) -> tuple[str, ...]:
    """The group columns of a conversion."""
    return tuple(s.column for s in d.sources[1:])


def convert(view: View, table: str, columns: Sequence[str], params: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """Apply a conversion's params to numbers of the table's rows; an unknown group gives missing."""
    groups = key_rows(view, table, columns, params["keys"]) if columns else np.zeros(len(x), dtype=np.int64)
    slope, intercept = (
        np.append(np.array(params[name], dtype=float), np.nan)[groups] for name in ("slope", "intercept")
    )
    divide = np.append(np.array(params["divide"], dtype=bool), False)[groups]
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.where(divide, x / slope, x * slope)
    result = np.where(intercept != 0, result + intercept, result)
    decimals = np.append([np.nan if k is None else k for k in params["decimals"]], np.nan)[groups]
    for k in np.unique(decimals[np.isfinite(decimals)]).tolist():
        here = decimals == k
        result[here] = rounded(result[here], int(k))
    if params["exceptions"]:
        _replace(result, groups, x, params["exceptions"])
    return result


def _replace(result: np.ndarray, groups: np.ndarray, x: np.ndarray, exceptions: Sequence[Sequence[float]]) -> None:
    group, original, standard = (np.array(part) for part in zip(*exceptions, strict=True))
    rows = np.flatnonzero(np.isin(groups, group) & np.isin(x, original))
    table = {(int(g), o): s for g, o, s in zip(group.tolist(), original.tolist(), standard.tolist(), strict=True)}
    result[rows] = [
        table.get((g, o), r)
        for g, o, r in zip(groups[rows].tolist(), x[rows].tolist(), result[rows].tolist(), strict=True)
    ]


TEMPLATES = {"linear": linear}


def mine(scene: Scene) -> list[Derivation]:
    """Conversions between numeric columns of one table, by no group, by test, or by test and original unit."""
    found: list[Derivation] = []
    for table in scene.targets:
        numbers = scene.measures(table)
        if len(numbers) < 2:
            continue
        choices = _groupings(scene, table)
        here: list[Derivation] = []
        rest: list[tuple[str, str]] = []
        for target in (c for c in numbers if scene.values(table, c).stored_number):
            for source in (c for c in numbers if c != target and _promising(scene, table, target, c, choices)):
                one = _best(scene, table, target, source, choices)
                here += [one] if one else []
                rest += [] if one else [(target, source)]
        found += here + [d for target, source in rest for d in _as_results(scene, table, target, source, here)]
    return found


def _as_results(scene: Scene, table: str, target: str, source: str, known: list[Derivation]) -> list[Derivation]:
    """Conversion of limits by the lines of the results: limits have too few values per test for lines of their own."""
    for d in known:
        if (
            not group_columns(d)
            or target in (d.target, d.sources[0].column)
            or source in (d.target, d.sources[0].column)
        ):
            continue
        params = _borrow(scene.view, d, source, target)
        one = params and scene.judge(
            0.97,
            table=table,
            target=target,
            template="linear",
            sources=ref(table, source, *group_columns(d)),
            params=params,
        )
        if one:
            return [one]
    return []


def _borrow(view: View, d: Derivation, source: str, target: str) -> dict[str, Any] | None:
    """The params of `d` with the target's own decimals and exceptions; None where its lines do not serve."""
    groups = key_rows(view, d.table, group_columns(d), d.params["keys"])
    group, _, x, y = _pairs(view, d.table, source, target, groups)
    x, y, group = (part[group >= 0] for part in (x, y, group))
    if len(x) < 4:
        return None
    decimals: list[int | None] = [decimals_of(y[group == k]) for k in range(len(d.params["slope"]))]
    slope, intercept = (np.array(d.params[name], dtype=float) for name in ("slope", "intercept"))
    divide = np.array(d.params["divide"], dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = np.where(divide[group], x / slope[group], x * slope[group]) + intercept[group]
    made = raw.copy()
    for k in np.unique(group).tolist():
        made[group == k] = rounded(raw[group == k], decimals[k])
    unit = 10.0 ** -np.array([0 if k is None else k for k in decimals], dtype=float)[group]
    missed = ~_equal(made, y)
    if (np.abs(raw - y) > np.maximum(2 * unit, 0.02 * np.abs(y))).mean() > 0.05 or missed.mean() > 0.5:
        return None
    exceptions = [[int(k), a, b] for k, a, b in zip(group[missed], x[missed].tolist(), y[missed].tolist(), strict=True)]
    return {**{k: v for k, v in d.params.items() if k != "bits"}, "decimals": decimals, "exceptions": exceptions}


def _groupings(scene: Scene, table: str) -> list[tuple[str, ...]]:
    test = scene.tests(table)
    if test is None or test not in scene.ctx.tables[table]:
        return [()]
    units = [
        c
        for c in scene.categories(table, 60)
        if c != test
        and not scene.values(table, c).is_number
        and not c.upper().endswith(("VISIT", "EPOCH", "FL", "TEST"))
    ]
    named = sorted(units, key=lambda c: (not c.upper().endswith("ORRESU"), not c.upper().endswith("U")))
    return [(), (test,), *((test, u) for u in named[:4])]


def _promising(scene: Scene, table: str, target: str, source: str, choices: list[tuple[str, ...]]) -> bool:
    """Whether the two are strongly correlated within the groups of some choice, on a sample of rows."""
    rows = scene.sample(table)
    x, y = (scene.values(table, c).number[rows] for c in (source, target))
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 10 or known.sum() < 0.8 * np.isfinite(y).sum():
        return False
    rows, x, y = rows[known], x[known], y[known]
    grouped = (scene.view.group(table, c)[0][rows] if c else np.zeros(len(rows), dtype=np.int64) for c in choices)
    return any(_correlated(x, y, groups) for groups in grouped)


def _correlated(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> bool:
    size = np.maximum(np.bincount(groups), 1)

    def centred(v: np.ndarray) -> np.ndarray:
        return v - (np.bincount(groups, v) / size)[groups]

    a, b = centred(x), centred(y)
    spread_x, spread_y = np.bincount(groups, a * a), np.bincount(groups, b * b)
    varied = (spread_x > 1e-12) & (spread_y > 1e-12) & (size > 2)
    if not varied.any():
        return False
    r = np.bincount(groups, a * b)[varied] / np.sqrt(spread_x * spread_y)[varied]
    return bool(np.median(r) > 0.95)


def _best(scene: Scene, table: str, target: str, source: str, choices: list[tuple[str, ...]]) -> Derivation | None:
    best: Derivation | None = None
    for columns in choices:
        params = fit(scene.view, table, columns, source, target)
        if params is None:
            continue
        one = scene.judge(
            0.97, table=table, target=target, template="linear", sources=ref(table, source, *columns), params=params
        )
        if one and _trustworthy(scene, table, one) and (best is None or one.agreement > best.agreement + 0.002):
            best = one
        if best and best.agreement > 0.9995:
            break
    return best


def _trustworthy(scene: Scene, table: str, d: Derivation) -> bool:
    """Groups must be fewer than pairs by far, and within groups several values must lie on the line."""
    x = scene.values(table, d.sources[0].column)
    pairs = scene.view.group(table, [d.sources[0].column, *group_columns(d)])[1]
    groups = len(d.params["slope"])
    if len(d.params["exceptions"]) > 0.3 * pairs or x.distinct < 4:
        return False
    identity = all(s == 1 and i == 0 for s, i in zip(d.params["slope"], d.params["intercept"], strict=True))
    inexact = any(k is not None for k in d.params["decimals"]) or any(d.params["intercept"])
    if (identity and x.stored_number) or (inexact and x.distinct < 8):
        return False
    return pairs >= 2.5 * groups or stem(table, d.target)[:2] == stem(table, d.sources[0].column)[:2]


def fit(view: View, table: str, columns: Sequence[str], source: str, target: str) -> dict[str, Any] | None:
    """The conversion's params, or None where no slope and intercept serve the groups."""
    ids, size = view.group(table, columns) if columns else (np.zeros(view.rows(table), dtype=np.int64), 1)
    group, where, x, y = _pairs(view, table, source, target, ids)
    if len(x) < 4 or size > 1000:
        return None
    bounds = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    parts: dict[str, list[Any]] = {name: [] for name in ("slope", "intercept", "divide", "decimals")}
    exceptions: list[list[float]] = []
    failed = 0
    for k, (low, high) in enumerate(zip(bounds, [*bounds[1:], len(x)], strict=True)):
        one = _fit_group(x[low:high], y[low:high])
        failed += (high - low) * (one is None)
        if failed > 0.05 * len(x) or len(exceptions) > EXCEPTIONS:
            return None
        one = one or {"slope": 0.0, "intercept": 0.0, "divide": False, "decimals": None, "missed": []}
        for name, values in parts.items():
            values.append(one[name])
        exceptions += [[k, a, b] for a, b in one["missed"]]
    keys = []
    for column in columns:
        values = view.values(table, column)
        names = json_levels(values.levels)
        keys.append([None if c < 0 else names[c] for c in values.codes[where[bounds]].tolist()])
    return {"keys": keys, **parts, "exceptions": exceptions}


def _pairs(
    view: View, table: str, source: str, target: str, ids: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Distinct (group, original, standard), sorted by group, as arrays: group, a row of each, original, standard."""
    x, y = view.values(table, source), view.values(table, target)
    known = np.flatnonzero(np.isfinite(x.number) & np.isfinite(y.number))
    cells = (ids[known] * len(x.levels) + x.codes[known]) * len(y.levels) + y.codes[known]
    codes, distinct = pd.factorize(cells)
    where = np.empty(len(distinct), dtype=np.int64)
    where[codes[::-1]] = known[::-1]
    where = where[np.argsort(ids[where], kind="stable")]
    return ids[where], where, x.number[where], y.number[where]


def _fit_group(x: np.ndarray, y: np.ndarray) -> dict[str, Any] | None:
    """slope, intercept, rounding of one group, with the pairs (original, standard) that it misses by rounding."""
    decimals = decimals_of(y)
    best: tuple[int, dict[str, Any], np.ndarray] | None = None
    for slope, intercept, divide in _lines(x, y, decimals):
        raw = (x / slope if divide else x * slope) + intercept
        for rule in (None, decimals):
            made = rounded(raw, rule)
            hits = int(_equal(made, y).sum())
            if best is None or hits > best[0]:
                params = {"slope": float(slope), "intercept": float(intercept), "divide": divide, "decimals": rule}
                best = hits, params, made
        if best and best[0] == len(x):
            break
    if best is None:
        return None
    _, params, made = best
    unit = 0.0 if params["decimals"] is None else 1.01 * 10.0**-decimals
    near = np.abs(made - y) <= np.maximum(unit, 1e-9 * np.abs(y) + 1e-12)
    if near.mean() < 0.95 or (
        decimals == 0 and params["decimals"] == 0 and len(np.unique(y)) < 0.5 * len(np.unique(x))
    ):
        return None
    values, counts = np.unique(x, return_counts=True)
    ambiguous = values[counts > 1]
    missed = ~_equal(made, y) & ~np.isin(x, ambiguous)
    return {**params, "missed": list(zip(x[missed].tolist(), y[missed].tolist(), strict=True))}


def _equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a - b) <= 1e-12 * np.abs(b) + 1e-15


def _lines(x: np.ndarray, y: np.ndarray, decimals: int) -> list[tuple[float, float, bool]]:
    """Candidate lines, simple constants first: through the origin, then with an intercept."""
    nonzero = (x != 0) & (y != 0)
    if not nonzero.any():
        return [(1.0, 0.0, False)] if (x == y).all() else []
    order = np.argsort(-np.abs(y[nonzero]))
    ratio = y[nonzero][order] / x[nonzero][order]
    found: list[tuple[float, float, bool]] = []
    middle = float(np.median(ratio[: max(1, len(ratio) // 2)]))
    unit = 10.0**-decimals
    if np.mean(np.abs(y - x * middle) <= np.maximum(1e-3 * np.abs(y), unit)) >= 0.9:
        low, high = _slopes(x[nonzero], y[nonzero], unit)
        found += [(s, 0.0, False) for s in simple(middle, low, high)]
        found += [(s, 0.0, True) for s in simple(1 / middle, 1 / high, 1 / low)]
    if len(np.unique(x)) >= 4:
        found += _affine(x, y, unit)
    return found


def _slopes(x: np.ndarray, y: np.ndarray, unit: float) -> tuple[float, float]:
    """The slopes that keep nearly all pairs within one unit of the last decimal."""
    half = 0.5 * unit + 1e-12
    a, b = (y - half) / x, (y + half) / x
    low, high = np.minimum(a, b), np.maximum(a, b)
    return float(np.quantile(low, 0.98)), float(np.quantile(high, 0.02))


def simple(value: float, low: float, high: float) -> list[float]:
    """Numbers of few digits near `value`, fewest digits first, those between `low` and `high` at the front.

    >>> simple(88.4000001, 88.39, 88.41)[0]
    88.4
    """
    rounded_values = [float(f"{value:.{k}g}") for k in range(1, 10)]
    low, high = min(low, high), max(low, high)
    inside = [v for v in rounded_values if v != 0 and low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
    middle = [float(f"{(low + high) / 2:.{k}g}") for k in range(1, 10)]
    inside += [v for v in middle if v and low <= v <= high]
    return list(dict.fromkeys([*inside[:4], value]))


def _affine(x: np.ndarray, y: np.ndarray, unit: float) -> list[tuple[float, float, bool]]:
    slope, intercept = np.polyfit(x, y, 1)
    if np.mean(np.abs(y - slope * x - intercept) <= 1.01 * unit + 1e-9 * np.abs(y)) < 0.9 or slope <= 0:
        return []
    found = []
    for a in (5 / 9, 9 / 5, *simple(float(slope), slope * 0.999, slope * 1.001)[:3]):
        if abs(a / slope - 1) < 2e-3:
            zero = float(np.median(y - a * x))
            exact = (-160 / 9, 32.0)
            found += [
                (a, b, False)
                for b in (*exact, *simple(zero, zero - unit, zero + unit)[:2])
                if abs(b - zero) <= 2 * unit
            ]
    return found
