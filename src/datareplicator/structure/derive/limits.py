"""Categories that follow from a number and its limits (LOW, NORMAL, HIGH)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.lookup import key_rows
from datareplicator.structure.derive.results import parsed
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import View, from_levels, json_levels
from datareplicator.structure.spec import Derivation, Ref

ABSENT = 3


def limits(view: View, d: Derivation) -> pd.Series | np.ndarray:
    """The category of sources[0] against sources[1] (lower) and sources[2] (upper limit).

    params: ``values``, the category of each of the 32 states (value missing?, then below, at, above or without the
    lower limit, then the same for the upper one); null is missing. A text such as ``<5`` counts as its number.
    Where there are no limits, ``keys`` and ``else`` may give the category by sources[3] (test) and the value itself.
    """
    state = _state(view, d.table, d.sources)
    levels = [v for v in dict.fromkeys([*d.params["values"], *d.params.get("else", ())]) if v is not None]
    codes = np.array([-1 if v is None else levels.index(v) for v in d.params["values"]])
    result = from_levels(codes[state], levels)
    if "keys" not in d.params:
        return result
    free = (state % 16) == 4 * ABSENT + ABSENT
    at = key_rows(view, d.table, [d.sources[3].column, d.sources[0].column], d.params["keys"])
    known = np.array([*(levels.index(v) for v in d.params["else"]), -1])[at]
    return from_levels(np.where(free & (at >= 0), known, codes[state]), levels)


def _state(view: View, table: str, sources: tuple[Ref, ...]) -> np.ndarray:
    value = parsed(view.values(table, sources[0].column), keep=True)
    low, high = (parsed(view.values(table, s.column), keep=True) for s in sources[1:3])
    return 16 * np.isnan(value) + 4 * _side(value, low) + _side(value, high)


def _side(value: np.ndarray, limit: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        side = 1 + np.sign(value - limit)
    return np.where(np.isnan(limit), ABSENT, np.nan_to_num(side)).astype(np.int64)


TEMPLATES = {"limits": limits}


def mine(scene: Scene) -> list[Derivation]:
    """Categories by limits: original and standard columns are tried alike."""
    found: list[Derivation] = []
    for table in scene.targets:
        numbers = scene.numbers(table)
        targets = [
            c
            for c in scene.categories(table, 6, 2)
            if not scene.values(table, c).is_number and not c.upper().endswith("FL")
        ]
        if not targets or len(numbers) < 3:
            continue
        for value, low, high in _triples(scene, table, numbers):
            for target in targets:
                one = _map(scene, table, target, ref(table, value, low, high))
                found += [one] if one else []
    return found


def _triples(scene: Scene, table: str, numbers: list[str]) -> list[tuple[str, str, str]]:
    """(value, lower, upper): limits come in pairs that never cross, and most values lie between them."""
    rows = scene.sample(table)
    x = {c: parsed(scene.values(table, c), keep=True)[rows] for c in numbers}
    pairs = []
    for low in numbers:
        for high in numbers:
            known = np.isfinite(x[low]) & np.isfinite(x[high])
            if (
                low != high
                and known.sum() >= 20
                and (x[low][known] < x[high][known]).mean() >= 0.995
                and _fewer(scene, table, low, high)
            ):
                pairs.append((low, high, known))
    result = []
    for low, high, known in pairs:
        for value in numbers:
            if value in (low, high) or scene.values(table, value).distinct <= max(
                scene.values(table, c).distinct for c in (low, high)
            ):
                continue
            here = known & np.isfinite(x[value])
            inside = (x[value][here] >= x[low][here]) & (x[value][here] <= x[high][here])
            if here.sum() >= 20 and 0.4 <= inside.mean() < 1:
                result.append((value, low, high))
    return result


def _fewer(scene: Scene, table: str, low: str, high: str) -> bool:
    """Limits are few: constants of the test, not measurements; and there are about as many upper as lower ones."""
    counts = sorted(scene.values(table, c).distinct for c in (low, high))
    return counts[1] <= 5 * counts[0] and all(
        scene.values(table, c).distinct <= max(12, 0.05 * scene.view.rows(table)) for c in (low, high)
    )


def _map(scene: Scene, table: str, target: str, sources: tuple[Ref, ...]) -> Derivation | None:
    values = scene.values(table, target)
    state = _state(scene.view, table, sources)
    counts = np.zeros((32, len(values.levels) + 1))
    np.add.at(counts, (state, values.codes + 1), 1)
    limited = counts[:15]
    both = (np.arange(15) // 4 < ABSENT) & (np.arange(15) % 4 < ABSENT)
    strict = limited[both]
    if (
        strict.sum() < 20
        or strict.max(axis=1).sum() < 0.97 * strict.sum()
        or len({int(r.argmax()) for r in strict if r.sum()}) < 2
    ):
        return None
    best = counts.argmax(axis=1)
    if not _sensible(counts, best):
        return None
    best[counts.sum(axis=1) == 0] = 0
    for state_id in np.flatnonzero(counts.sum(axis=1) == 0):
        best[state_id] = _neighbour(int(state_id), counts)
    names = [None, *values.text_levels.tolist()]
    params: dict[str, Any] = {"values": [names[i] for i in best]}
    more, extra = _without_limits(scene, table, target, sources, state)
    return scene.judge(
        0.97, table=table, target=target, template="limits", sources=(*sources, *more), params={**params, **extra}
    )


def _sensible(counts: np.ndarray, best: np.ndarray) -> bool:
    """Between the limits stands the most frequent category, outside another one, at a limit one of these."""
    within = counts[8].argmax()
    if not counts[8].sum() or within != counts[:15].sum(axis=0).argmax():
        return False
    sides = ((0, 4), (10, 9))
    outside = [beyond for beyond, _ in sides if counts[beyond].sum()]
    at_limit = all(best[at] in (within, best[beyond]) for beyond, at in sides if counts[at].sum())
    return bool(outside) and all(best[state] != within for state in outside) and at_limit


def _without_limits(
    scene: Scene, table: str, target: str, sources: tuple[Ref, ...], state: np.ndarray
) -> tuple[tuple[Ref, ...], dict[str, Any]]:
    """The category by test and value for rows without limits, where it is fixed by them and known to the limits."""
    test, value = scene.tests(table), sources[0].column
    held = scene.values(table, target)
    rows = np.flatnonzero(((state % 16) == 4 * ABSENT + ABSENT) & held.present)
    if test not in scene.ctx.tables[table] or len(rows) < 10 or len(np.unique(held.codes[rows])) < 2:
        return (), {}
    ids, _ = scene.view.group(table, [test, value])
    table_of = pd.DataFrame({"id": ids[rows], "code": held.codes[rows], "row": rows})
    first = table_of.drop_duplicates("id")
    fixed = table_of.groupby("id")["code"].nunique().eq(1).mean()
    names = held.text_levels[first["code"].to_numpy()].tolist()
    if fixed < 0.98 or len(first) > 500:
        return (), {}
    keys = []
    for column in (test, value):
        values = scene.values(table, column)
        levels = json_levels(values.levels)
        keys.append([None if c < 0 else levels[c] for c in values.codes[first["row"].to_numpy()].tolist()])
    return ref(table, test), {"keys": keys, "else": names}


def _neighbour(state: int, counts: np.ndarray) -> int:
    """An unseen state takes the category of the same sides elsewhere: above stays above at an unseen equality."""
    if state >= 16:
        return 0
    low, high = divmod(state, 4)
    for other in (4 * (2 if low == 1 else low) + (0 if high == 1 else high), 8):
        if counts[other].sum():
            return int(counts[other].argmax())
    return 0
