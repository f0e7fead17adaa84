"""Groups of a number by fixed cut points: age groups, classes of body mass index."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.scene import Scene, positional, ref
from datareplicator.structure.derive.view import Values, View, from_levels, json_levels
from datareplicator.structure.spec import Derivation, Kind

MOST = 8
"""Groups at most."""

ROWS = 100
"""Rows from which two groups need no label that names their cut point: completers stay longer than others, and in a
small sample a number then parts them too."""


def cuts(view: View, d: Derivation) -> pd.Series | np.ndarray:
    """``values``[i] where i of the ascending ``cuts`` are at or below the number sources[0]; missing where it is."""
    x = view.values(d.table, d.sources[0].column).number
    index = np.searchsorted(np.array(d.params["cuts"], dtype=float), np.nan_to_num(x), side="right")
    levels = list(dict.fromkeys(d.params["values"]))
    place = np.array([levels.index(v) for v in d.params["values"]])
    return from_levels(np.where(np.isnan(x), -1, place[index]), levels)


TEMPLATES = {"cuts": cuts}


def mine(scene: Scene) -> list[Derivation]:
    """Categories whose values hold ranges of a number that do not overlap."""
    found: list[Derivation] = []
    for table in scene.targets:
        numbers = [
            c
            for c in scene.measures(table)
            if scene.values(table, c).distinct >= 8 and scene.ctx.tables[table][c].kind in (Kind.DECIMAL, Kind.INTEGER)
        ]
        targets = [c for c in scene.categories(table, MOST, 2) if not positional(c)]
        for target in targets if numbers else ():
            for source in numbers:
                params = _ranges(scene.values(table, source), scene.values(table, target)) if source != target else None
                one = params and scene.judge(
                    1.0,
                    scope=False,
                    table=table,
                    target=target,
                    template="cuts",
                    sources=ref(table, source),
                    params=params,
                )
                found += [one] if one else []
    return found


def _ranges(source: Values, target: Values) -> dict[str, Any] | None:
    x = source.number
    both = np.isfinite(x) & target.present
    if both.sum() < 10 or (np.isfinite(x) != target.present).any():
        return None
    low, high = np.full(len(target.levels), np.inf), np.full(len(target.levels), -np.inf)
    np.minimum.at(low, target.codes[both], x[both])
    np.maximum.at(high, target.codes[both], x[both])
    used = np.flatnonzero(np.isfinite(low))
    order = used[np.argsort(low[used])]
    several = [len(np.unique(x[both & (target.codes == k)])) >= 3 for k in order.tolist()]
    if len(order) < 2 or (high[order][:-1] >= low[order][1:]).any() or sum(several) < 2:
        return None
    names = json_levels(target.levels)
    gaps = [(high[a], low[b], f"{names[a]} {names[b]}") for a, b in pairwise(order)]
    told = [_named(*gap) for gap in gaps]
    if len(order) == 2 and told == [None] and both.sum() < ROWS:
        return None
    points = [_roundest(gap[0], gap[1]) if point is None else point for point, gap in zip(told, gaps, strict=True)]
    return {"cuts": points, "values": [names[k] for k in order]}


def _named(below: float, above: float, labels: str) -> float | None:
    """The first number of the upper group as the labels name it."""
    words = (float(word) for word in re.findall(r"\d+(?:\.\d+)?", labels))
    return next((word for word in words if below < word <= above), None)


def _roundest(below: float, above: float) -> float:
    for step in (100.0, 50.0, 10.0, 5.0, 1.0, 0.5, 0.1, 0.01):
        point = np.floor(above / step + 1e-9) * step
        if below < point <= above:
            return round(float(point), 6)
    return above
