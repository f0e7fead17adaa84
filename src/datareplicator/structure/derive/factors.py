"""Numbers that are another one times a factor of a category: a total dose, by the arm's dose and the days treated."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from datareplicator.structure.derive.outcome import close, decimals_of, rounded
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import json_levels
from datareplicator.structure.spec import Derivation

AGREED = 0.98
LEAST, DISTINCT = 12, 5
"""Rows that tell, and values of the target beyond the factors."""

FEW = 3
"""Rows of a category under which its factor is not known."""

LEVELS = 12
DIGITS = 6


def mine(scene: Scene, known: Iterable[Derivation] = ()) -> list[Derivation]:
    """Products of tables without test codes, where conversions by test have their own template ("linear"), but for
    those that `known` derivations give: the price may stand in a column of its own."""
    found: list[Derivation] = []
    given = {(d.table, d.target) for d in known}
    for table in scene.targets:
        if scene.tests(table) is not None:
            continue
        numbers = [c for c in scene.measures(table) if scene.values(table, c).stored_number]
        for target in numbers:
            if scene.values(table, target).distinct >= DISTINCT and (table, target) not in given:
                found += _products(scene, table, target, [c for c in numbers if c != target])
    return found


def _products(scene: Scene, table: str, target: str, sources: list[str]) -> list[Derivation]:
    t, found = scene.values(table, target).number, []
    for source in sources:
        x = scene.values(table, source).number
        known = np.isfinite(t) & np.isfinite(x) & (x != 0)
        if known.sum() < LEAST or len(np.unique(x[known])) < DISTINCT:
            continue
        ratio = np.where(known, t / np.where(known, x, 1), np.nan)
        for group in scene.categories(table, LEVELS, 2):
            if group not in (target, source):
                one = _by(scene, table, (target, source, group), ratio, known)
                found += [one] if one is not None else []
    return found


def _by(
    scene: Scene, table: str, names: tuple[str, str, str], ratio: np.ndarray, known: np.ndarray
) -> Derivation | None:
    target, source, group = names
    values = scene.values(table, group)
    if not values.present.all():
        return None
    factors = [_usual(ratio[known & (values.codes == k)]) for k in range(len(values.levels))]
    if any(f is None for f in factors) or len(set(factors)) < 2:
        return None
    slope = np.array(factors, dtype=float)
    t, x = scene.values(table, target).number, scene.values(table, source).number
    digits = decimals_of(t)
    decimals = digits if digits <= DIGITS else None
    made = rounded(slope[values.codes] * x, decimals)
    told = known & (slope[values.codes] != 0)
    if len(np.unique(t[told])) < DISTINCT or not close(made[told], t[told]).mean() >= AGREED:
        return None
    size = len(slope)
    params = {
        "keys": [json_levels(values.levels)],
        "slope": slope.tolist(),
        "intercept": [0.0] * size,
        "divide": [False] * size,
        "decimals": [decimals] * size,
        "exceptions": [],
    }
    return scene.judge(
        AGREED, table=table, target=target, template="linear", sources=ref(table, source, group), params=params
    )


def _usual(ratio: np.ndarray) -> float | None:
    """The factor of nearly all rows of a category, at 12 digits; None where there is none."""
    if len(ratio) < FEW:
        return None
    found = float(f"{np.median(ratio):.12g}")
    return found if (np.abs(ratio - found) <= 1e-6 * max(abs(found), 1e-9)).mean() >= AGREED else None
