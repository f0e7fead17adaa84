"""Flags of rows: a date against a date of the subject (treatment-emergent), the first or last row of a group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.children import either, equivalence_evidence, two_valued
from datareplicator.structure.derive.days import seen_from
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.sequence import sort_rows
from datareplicator.structure.derive.view import View, json_levels, key_array, level_index
from datareplicator.structure.spec import Derivation, Kind, Ref

SIDES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "from": lambda day, reference: day >= reference,
    "after": lambda day, reference: day > reference,
}
"""On which side of the reference a date lies; the other two sides are these with yes and no exchanged."""

LEAST = 5
"""Rows on either side of a date, and groups of several rows, under which agreement means nothing."""

FEWEST = 2
EVIDENCE = 12.0
"""Rows on either side, with exact agreement that chance gives in one of so many nats (dozens of pairs are tried)."""

AGREED = 0.98
EXACT = 0.998
YES = {"Y", "YES", "X", "TRUE", "1", "1.0"}
_TELLING = (Kind.CATEGORY, Kind.FLAG, Kind.TEXT)
LEVELS = 40
"""Values of a category that may restrict or group rows."""


def compare(view: View, d: Derivation) -> pd.Series | np.ndarray:
    """``yes`` where the date sources[0] lies ``side`` ("from", "after") the subject's date sources[1], else ``no``;
    ``unknown`` where either is not known to the day. params ``keys`` (and ``how``) as for differences of dates."""
    day, reference = view.values(d.table, d.sources[0].column).day, seen_from(view, d, 1)
    known = np.isfinite(day) & np.isfinite(reference)
    with np.errstate(invalid="ignore"):
        holds = SIDES[d.params["side"]](day, reference)
    yes = np.where(known, holds, d.params["unknown"] == d.params["yes"])
    return either(yes, d.params["yes"], d.params["no"])


def occurrence(view: View, d: Derivation) -> pd.Series | np.ndarray:
    """``yes`` on the first or last (``pick``) row of each group ``by``, in the order of the columns ``sorted``, among
    the rows that meet all of ``among`` ({"column", "values"}; values null: any present one); ``no`` on the others."""
    rows = np.flatnonzero(_eligible(view, d.table, d.params["among"]))
    return either(_edge(view, d.table, rows, d.params), d.params["yes"], d.params["no"])


def _eligible(view: View, table: str, among: list[dict[str, Any]]) -> np.ndarray:
    held = np.ones(view.rows(table), dtype=bool)
    for part in among:
        values = view.values(table, part["column"])
        if part["values"] is None:
            held &= values.present
        else:
            held &= np.append(level_index(values, key_array(part["values"])) >= 0, False)[values.codes]
    return held


def _edge(view: View, table: str, rows: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """bool a row: the first or last one of its group among `rows`."""
    place = np.empty(view.rows(table), dtype=np.int64)
    place[sort_rows(view, table, params["by"], [{"column": c, "values": None} for c in params["sorted"]])] = np.arange(
        len(place)
    )
    sorted_rows = rows[np.argsort(place[rows])]
    ids, size = view.group(table, params["by"])
    chosen = np.full(size, -1, dtype=np.int64)
    chosen[ids[sorted_rows[::-1] if params["pick"] == "first" else sorted_rows]] = (
        sorted_rows[::-1] if params["pick"] == "first" else sorted_rows
    )
    out = np.zeros(len(place), dtype=bool)
    out[chosen[chosen >= 0]] = True
    return out


TEMPLATES = {"compare": compare, "occurrence": occurrence}


def mine(scene: Scene, known: Iterable[Derivation] = ()) -> list[Derivation]:
    """Flags of all tables with several rows a subject, but for those that `known` derivations give exactly."""
    found: list[Derivation] = []
    exact = {(d.table, d.target) for d in known if d.agreement >= EXACT}
    for table in scene.targets:
        if not scene.keyed(table) or not scene.repeated(table):
            continue
        found += _compared(scene, table, exact)
        found += _occurrences(scene, table, exact)
    return found


def _compared(scene: Scene, table: str, exact: set[tuple[str, str]]) -> list[Derivation]:
    root, found = scene.ctx.root, []
    if root is None or root == table or not scene.keyed(root):
        return []
    dates = [c for c in scene.dates(table) if scene.moves(table, c)]
    for target in scene.candidates(table) if dates else []:
        for condition, yes, no in two_valued(scene, table, target)[:1]:
            if (table, target) in exact or not _says(yes, no):
                continue
            if min(condition.sum(), (~condition).sum()) < FEWEST:
                continue
            options = [
                _judge_side(scene, table, target, (c, Ref(table=root, column=r)), side, condition, (yes, no))
                for c in dates
                for r in scene.dates(root)
                for side in SIDES
            ]
            good = [o for o in options if o is not None]
            found += sorted(good, key=lambda d: -d.agreement)[:1]
    return found


def _judge_side(
    scene: Scene,
    table: str,
    target: str,
    sources: tuple[str, Ref],
    side: str,
    condition: np.ndarray,
    names: tuple[Any, Any],
) -> Derivation | None:
    """The comparison, where it tells nearly all rows of either value."""
    keys = {"keys": scene.pair(table, sources[1].table)}
    pair = (*ref(table, sources[0]), sources[1])
    probe = Derivation(table=table, target=target, template="compare", sources=pair, params=keys)
    day, reference = scene.values(table, sources[0]).day, seen_from(scene.view, probe, 1)
    known = np.isfinite(day) & np.isfinite(reference)
    with np.errstate(invalid="ignore"):
        holds = SIDES[side](day, reference)
    fewer = min((known & holds).sum(), (known & ~holds).sum())
    if fewer < FEWEST:
        return None
    for yes, no, truth in ((*names, condition), (*names[::-1], ~condition)):
        right = truth == holds
        if right[known & holds].mean() < AGREED or right[known & ~holds].mean() < AGREED:
            continue
        if fewer < LEAST and equivalence_evidence(truth[known], holds[known]) < EVIDENCE:
            continue
        usual = truth[~known].mean() >= 0.5 if (~known).any() else False
        params = {**keys, "side": side, "yes": yes, "no": no, "unknown": yes if usual else no}
        return scene.judge(
            AGREED, scope=False, table=table, target=target, template="compare", sources=pair, params=params
        )
    return None


@dataclass(frozen=True)
class _Flag:
    """A flag: bool a row, its value where it is set, and elsewhere."""

    table: str
    column: str
    rows: np.ndarray
    yes: Any
    no: Any


def _says(yes: Any, no: Any) -> bool:
    """Whether one of two values is that of a flag."""
    return not {str(yes).upper(), str(no).upper()}.isdisjoint(YES)


def _occurrences(scene: Scene, table: str, exact: set[tuple[str, str]]) -> list[Derivation]:
    found = []
    for target in scene.candidates(table):
        for condition, yes, no in two_valued(scene, table, target) if (table, target) not in exact else []:
            if _says(yes, None) and LEAST <= condition.sum() < 0.95 * len(condition):
                best = _best(scene, _Flag(table, target, condition, yes, no))
                found += [best] if best is not None else []
    return found


def _best(scene: Scene, flag: _Flag) -> Derivation | None:
    best: tuple[tuple, Derivation] | None = None
    flagged = np.flatnonzero(flag.rows)
    subsets = [(among, _eligible(scene.view, flag.table, among)) for among in _subsets(_restrictions(scene, flag))]
    for by in _groups(scene, flag):
        ids, size = scene.view.group(flag.table, by)
        if len(np.unique(ids[flagged])) < len(flagged):
            continue
        for among, held in subsets:
            count = np.bincount(ids[held], minlength=size)
            if abs((count > 0).sum() - len(flagged)) > 0.02 * len(flagged) or (count > 1).sum() < LEAST:
                continue
            for order, pick in _orders(scene, flag.table):
                one = _judge(scene, flag, by, (among, np.flatnonzero(held)), order, pick)
                rank = (-one.agreement, len(among), len(by), -len(order)) if one is not None else ()
                if one is not None and (best is None or rank < best[0]):
                    best = rank, one
    return best[1] if best is not None else None


def _judge(
    scene: Scene,
    flag: _Flag,
    by: list[str],
    eligible: tuple[list[dict[str, Any]], np.ndarray],
    order: list[str],
    pick: str,
) -> Derivation | None:
    """The occurrence among the `eligible` rows (the conditions, and the rows that meet them), where it is the flag."""
    among, rows = eligible
    params = {"by": by, "among": among, "sorted": order, "pick": pick, "yes": flag.yes, "no": flag.no}
    made = _edge(scene.view, flag.table, rows, params)
    if (made & flag.rows).sum() < AGREED * (made | flag.rows).sum():
        return None
    sources = dict.fromkeys([*by, *(part["column"] for part in among), *order])
    return scene.judge(
        AGREED,
        scope=False,
        table=flag.table,
        target=flag.column,
        template="occurrence",
        sources=ref(flag.table, *sources),
        params=params,
    )


def _groups(scene: Scene, flag: _Flag) -> Iterator[list[str]]:
    """The subject (and test), with up to two categories, small groups of columns first."""
    subject, test = str(scene.key(flag.table)), scene.tests(flag.table)
    front = [subject, test] if test is not None and test in scene.ctx.tables[flag.table] else [subject]
    others = [
        c
        for c in scene.categories(flag.table, 500, 3)
        if c not in (*front, flag.column, scene.ctx.sequence.get(flag.table)) and scene.moves(flag.table, c)
    ]
    yield front
    yield from ([*front, c] for c in others)
    if len(front) > 1:
        yield from ([*front, *pair] for pair in combinations(others[:8], 2))


def _restrictions(scene: Scene, flag: _Flag) -> list[dict[str, Any]]:
    """Conditions that hold on all flagged rows and not on all others: one value of a category, or any."""
    found = []
    for name, column in scene.ctx.tables[flag.table].columns.items():
        if name == flag.column or column.kind not in _TELLING or not scene.moves(flag.table, name):
            continue
        values = scene.values(flag.table, name)
        codes = values.codes[flag.rows]
        if (codes < 0).any():
            continue
        if values.distinct <= LEVELS and (codes == codes[0]).all() and not (values.codes == codes[0]).all():
            found.append({"column": name, "values": [json_levels(values.levels)[codes[0]]]})
        elif not values.present.all():
            found.append({"column": name, "values": None})
    return found[:12]


def _subsets(parts: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for size in range(3):
        yield from (list(some) for some in combinations(parts, size))


def _orders(scene: Scene, table: str) -> Iterator[tuple[list[str], str]]:
    """Orders of rows: as they lie, by number, by date, by date and number; first and last."""
    number = scene.ctx.sequence.get(table)
    dates = [c for c in scene.dates(table) if scene.moves(table, c)][:2]
    lists = [[], *([c] for c in dates)]
    if number is not None:
        lists += [[number], *([c, number] for c in dates)]
    for pick in ("first", "last"):
        yield from ((order, pick) for order in lists)
