"""Conversion of results: standard = slope * original + intercept within (test, original unit), to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from datareplicator.structure.derive.lookup import key_rows
from datareplicator.structure.derive.outcome import decimals_of, rounded
from datareplicator.structure.derive.scene import Scene, ref, stem
from datareplicator.structure.derive.view import View, json_levels
from datareplicator.structure.spec import Derivation

EXCEPTIONS = 400
"""Most pairs kept where the formula misses the last bits of the source's own arithmetic."""


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
    slope, intercept = (np.append(np.array(params[name], dtype=float), np.nan)[groups] for name in ("slope", "intercept"))
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
    result[rows] = [table.get((g, o), r) for g, o, r in zip(groups[rows].tolist(), x[rows].tolist(), result[rows].tolist(), strict=True)]


TEMPLATES = {"linear": linear}


def mine(scene: Scene) -> list[Derivation]:
    """Conversions between numeric columns of one table, by no group, by test, or by test and original unit."""
    found: list[Derivation] = []
    for table in scene.tables:
        numbers = scene.numbers(table)
        if len(numbers) < 2:
            continue
        choices = _groupings(scene, table)
        for target in numbers:
            if not scene.values(table, target).stored_number or target == scene.ctx.sequence.get(table):
                continue
            for source in numbers:
                if source != target and source != scene.ctx.sequence.get(table) and _promising(scene, table, target, source):
                    one = _best(scene, table, target, source, choices)
                    found += [one] if one else []
    return found


def _groupings(scene: Scene, table: str) -> list[tuple[str, ...]]:
    test = scene.tests(table)
    if test is None or test not in scene.ctx.tables[table]:
        return [()]
    units = [
        c
        for c in scene.categories(table, 60)
        if c != test and not scene.values(table, c).is_number and not c.upper().endswith(("VISIT", "EPOCH", "FL", "TEST"))
    ]
    named = sorted(units, key=lambda c: (not c.upper().endswith("ORRESU"), not c.upper().endswith("U")))
    return [(), (test,), *((test, u) for u in named[:4])]


def _promising(scene: Scene, table: str, target: str, source: str) -> bool:
    """Strong correlation within tests on a sample, or one ratio within tests."""
    rows = scene.sample(table)
    x, y = (scene.values(table, c).number[rows] for c in (source, target))
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 10 or known.sum() < 0.8 * np.isfinite(y).sum():
        return False
    test = scene.tests(table)
    groups = scene.view.group(table, [test])[0][rows][known] if test in scene.ctx.tables[table] else np.zeros(known.sum(), dtype=np.int64)
    x, y = x[known], y[known]
    n = np.bincount(groups)[groups]

    def centred(v: np.ndarray) -> np.ndarray:
        return v - (np.bincount(groups, v) / np.maximum(np.bincount(groups), 1))[groups]

    a, b = centred(x)[n > 1], centred(y)[n > 1]
    scale = np.sqrt(np.bincount(groups[n > 1], b * b))[groups[n > 1]]
    scale_x = np.sqrt(np.bincount(groups[n > 1], a * a))[groups[n > 1]]
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.bincount(groups[n > 1], np.nan_to_num(a * b / scale / scale_x))
    used = np.bincount(groups[n > 1], minlength=len(r)) > 0
    flat = np.bincount(groups[n > 1], a * a, len(r)) < 1e-12
    varied = used & ~flat
    if not varied.any():
        return False
    return bool(np.median(r[varied]) > 0.95)


def _best(scene: Scene, table: str, target: str, source: str, choices: list[tuple[str, ...]]) -> Derivation | None:
    best: Derivation | None = None
    for columns in choices:
        params = fit(scene.view, table, columns, source, target)
        if params is None:
            continue
        one = scene.judge(0.97, table=table, target=target, template="linear", sources=ref(table, source, *columns), params=params)
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
    if len(d.params["exceptions"]) > 0.2 * pairs or x.distinct < 4:
        return False
    return pairs >= 2.5 * groups or stem(table, d.target)[:2] == stem(table, d.sources[0].column)[:2]


def fit(view: View, table: str, columns: Sequence[str], source: str, target: str) -> dict[str, Any] | None:
    """The conversion's params, or None where no slope and intercept serve the groups."""
    x, y = view.values(table, source).number, view.values(table, target).number
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    ids, size = view.group(table, columns) if columns else (np.zeros(len(x), dtype=np.int64), 1)
    if len(known) < 4 or size > 2000:
        return None
    pairs = np.unique(np.column_stack([ids[known], x[known], y[known]]), axis=0)
    where = np.full(size, -1)
    where[ids[known[::-1]]] = known[::-1]
    used = np.unique(pairs[:, 0]).astype(int)
    parts = {name: [] for name in ("slope", "intercept", "divide", "decimals")}
    exceptions: list[list[float]] = []
    failed = 0
    for k, group in enumerate(used.tolist()):
        here = pairs[pairs[:, 0] == group]
        one = _fit_group(here[:, 1], here[:, 2])
        if one is None:
            failed += len(here)
            one = {"slope": np.nan, "intercept": 0.0, "divide": False, "decimals": None, "missed": []}
        for name in parts:
            value = one[name]
            parts[name].append(None if value is None else (0.0 if isinstance(value, float) and np.isnan(value) else value))
        exceptions += [[k, a, b] for a, b in one["missed"]]
    if failed > 0.05 * len(pairs) or len(exceptions) > EXCEPTIONS:
        return None
    keys = []
    for column in columns:
        values = view.values(table, column)
        names = json_levels(values.levels)
        keys.append([None if c < 0 else names[c] for c in values.codes[where[used]].tolist()])
    return {"keys": keys, **parts, "exceptions": exceptions}


def _fit_group(x: np.ndarray, y: np.ndarray) -> dict[str, Any] | None:
    """slope, intercept, rounding of one group, with the pairs (original, standard) that it misses at the last bits."""
    decimals = decimals_of(y)
    best: tuple[int, dict[str, Any]] | None = None
    for slope, intercept, divide in _lines(x, y, decimals):
        raw = (x / slope if divide else x * slope) + intercept
        for rule in dict.fromkeys((None, decimals, *range(max(0, decimals - 1), decimals))):
            made = rounded(raw, rule)
            hits = int((made == y).sum())
            if best is None or hits > best[0]:
                missed = made != y
                params = {"slope": float(slope), "intercept": float(intercept), "divide": divide, "decimals": rule}
                best = hits, {**params, "missed": list(zip(x[missed].tolist(), y[missed].tolist(), strict=True)), "made": made}
        if best and best[0] == len(x):
            break
    if best is None:
        return None
    found = best[1]
    made = found.pop("made")
    tolerance = np.maximum(1.01 * 10.0**-decimals, 1e-9 * np.abs(y)) if found["decimals"] is not None else 1e-9 * np.abs(y) + 1e-12
    far = np.abs(made - y) > tolerance
    if far.mean() > 0.05:
        return None
    clash = {a for a, n in zip(*np.unique(x, return_counts=True), strict=True) if n > 1}
    found["missed"] = [(a, b) for (a, b) in found["missed"] if a not in clash]
    return found


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
            found += [(a, b, False) for b in (*exact, *simple(zero, zero - unit, zero + unit)[:2]) if abs(b - zero) <= 2 * unit]
    return found
