"""Results that stand in several rows of one observation: the last visit's again as the end of treatment."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
import pandas as pd

from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import View, take
from datareplicator.structure.spec import Derivation

AGREED = 0.995
LEAST = 20
"""Repeated rows that tell."""

EVIDENT = 0.3
"""Share of repeated rows that may have the value before by chance: results of few values prove nothing."""


def repeated(view: View, d: Derivation) -> pd.Series:
    """The target's value on the first row of each group ``by`` (with the date ``day`` among them known), on the group's
    other rows; all else is missing here: the derivation is partial."""
    rows = _first_rows(view, d.table, d.params["by"], d.params["day"])
    return take(view.frames[d.table][d.target], np.where(rows == np.arange(len(rows)), -1, rows))


def _first_rows(view: View, table: str, by: list[str], day: str) -> np.ndarray:
    """The first row of each row's group; rows without a date are groups of their own."""
    ids, size = view.group(table, by)
    first = np.full(size, -1, dtype=np.int64)
    rows = np.arange(len(ids))[::-1]
    first[ids[rows]] = rows
    return np.where(view.values(table, day).present, first[ids], np.arange(len(ids)))


TEMPLATES = {"repeated": repeated}


def mine(scene: Scene, known: Iterable[Derivation] = ()) -> list[Derivation]:
    """Numbers of tables with tests and dates that repeat within subject, test, day and some of the rest, but for those
    that `known` derivations give."""
    found: list[Derivation] = []
    given = {(d.table, d.target) for d in known}
    for table in scene.targets:
        test = scene.tests(table)
        if test is None or not scene.keyed(table) or not scene.repeated(table):
            continue
        free = [c for c in scene.measures(table) if (table, c) not in given]
        results = [c for c in free if scene.values(table, c).distinct >= 2 * LEAST]
        by = _observation(scene, table, test, results) if results else []
        for target in results if by else []:
            one = _judge(scene, table, target, by) if target not in by else None
            found += [one] if one is not None else []
    return found


def _observation(scene: Scene, table: str, test: str, results: list[str]) -> list[str]:
    """What names an observation: subject, test, day, and up to two categories that tell the rest of its rows apart but
    for the one by which it is repeated; nothing where rows are not repeated."""
    dates = [c for c in scene.dates(table) if scene.moves(table, c) and scene.values(table, c).present.mean() > 0.4]
    if not dates or not scene.key(table):
        return []
    front = [str(scene.key(table)), test, dates[0]]
    others = [c for c in scene.categories(table, 60, 2) if c not in front and not c.upper().endswith("FL")]

    def again(by: list[str]) -> np.ndarray:
        rows = _first_rows(scene.view, table, by, front[2])
        return np.flatnonzero(rows != np.arange(len(rows)))

    for size in range(3):
        for extra in combinations(others[:12], size):
            rows = again([*front, *extra])
            if len(rows) >= LEAST and any(_agree(scene, table, c, [*front, *extra], rows) >= AGREED for c in results):
                return [*front, *extra]
    return []


def _agree(scene: Scene, table: str, target: str, by: list[str], rows: np.ndarray) -> float:
    x = scene.values(table, target).number
    first = x[_first_rows(scene.view, table, by, by[2])[rows]]
    return float(((x[rows] == first) | (np.isnan(x[rows]) & np.isnan(first))).mean())


def _judge(scene: Scene, table: str, target: str, by: list[str]) -> Derivation | None:
    rows = _first_rows(scene.view, table, by, by[2])
    again = np.flatnonzero(rows != np.arange(len(rows)))
    again = again[np.isfinite(scene.values(table, target).number[again])]
    if len(again) < LEAST or (agreed := _agree(scene, table, target, by, again)) < AGREED:
        return None
    x = scene.values(table, target).number
    before = np.r_[np.nan, x[:-1]][again]
    if np.mean(before == x[again]) > 1 - EVIDENT and len(np.unique(x[again])) < LEAST:
        return None
    return Derivation(
        table=table,
        target=target,
        template="repeated",
        sources=ref(table, *by),
        params={"by": by, "day": by[2], "partial": True},
        agreement=agreed,
        rows=len(again),
    )
