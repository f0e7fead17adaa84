"""Parts of dates as numbers of their own, and dates that lie a number of days after another one of their row."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.structure.derive.outcome import date_column
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import Values, View
from datareplicator.structure.spec import Derivation

PARTS = ("year", "month", "day")
AGREED = 0.98
LEAST = 12
DISTINCT = {"year": 4, "month": 4, "day": 6}
"""Rows with a date, and values of a part, under which it proves nothing."""

LONGEST = 20_000
"""Days that a date may follow another one by a number of its row."""


def date_part(view: View, d: Derivation) -> np.ndarray:
    """``part`` ("year", "month", "day" of the month) of the date sources[0], as far as it is known."""
    return _part(view.values(d.table, d.sources[0].column), d.params["part"])


def _part(values: Values, part: str) -> np.ndarray:
    moments = values.moments
    if part != "day":
        return np.append(moments.year if part == "year" else moments.month, np.nan)[values.codes]
    whole = np.isfinite(moments.day)
    stamp = np.where(whole, moments.day, 0.0).astype("int64").astype("datetime64[D]")
    of_month = (stamp - stamp.astype("datetime64[M]")).astype(float) + 1
    return np.append(np.where(whole, of_month, np.nan), np.nan)[values.codes]


def date_plus(view: View, d: Derivation) -> pd.Series:
    """The day of sources[0] and as many days more as sources[1] says, and ``add``. params: ``stored``."""
    day, number = view.values(d.table, d.sources[0].column).day, view.values(d.table, d.sources[1].column).number
    return date_column(np.floor(day + number + d.params["add"]), d.params["stored"])


TEMPLATES = {"date_part": date_part, "date_plus": date_plus}


def mine(scene: Scene) -> list[Derivation]:
    """Numbers that are parts of dates, and dates after a number of days, of all tables."""
    found: list[Derivation] = []
    for table in scene.targets:
        dates = [c for c in scene.dates(table) if scene.values(table, c).present.sum() >= LEAST]
        numbers = [c for c in scene.numbers(table) if scene.values(table, c).stored_number] if dates else []
        for date in dates:
            found += _parts(scene, table, date, numbers)
            found += _ends(scene, table, date, dates, numbers)
    return found


def _parts(scene: Scene, table: str, date: str, numbers: list[str]) -> list[Derivation]:
    values, found = scene.values(table, date), []
    for part in PARTS:
        made = _part(values, part)
        known = np.isfinite(made)
        if len(np.unique(made[known])) < DISTINCT[part]:
            continue
        for target in numbers:
            x = scene.values(table, target).number
            both = known & np.isfinite(x)
            if both.sum() < LEAST or (x[both] == made[both]).mean() < AGREED:
                continue
            one = scene.judge(
                AGREED,
                scope=False,
                table=table,
                target=target,
                template="date_part",
                sources=ref(table, date),
                params={"part": part},
            )
            found += [one] if one is not None else []
    return found


def _ends(scene: Scene, table: str, start: str, dates: list[str], numbers: list[str]) -> list[Derivation]:
    first, found = scene.values(table, start).day, []
    names = list(scene.ctx.tables[table].columns)
    for end in dates:
        values = scene.values(table, end)
        later = values.day - first
        known = np.isfinite(later)
        if names.index(end) < names.index(start) or known.sum() < LEAST or not 1 < np.ptp(later[known]) < LONGEST:
            continue
        for number in numbers:
            x = scene.values(table, number).number
            both = known & np.isfinite(x)
            if both.sum() < LEAST or len(np.unique(x[both])) < 3:
                continue
            gap = later[both] - x[both]
            add = float(np.median(gap))
            if add not in (-1.0, 0.0, 1.0) or (gap == add).mean() < AGREED:
                continue
            one = scene.judge(
                AGREED,
                table=table,
                target=end,
                template="date_plus",
                sources=ref(table, start, number),
                params={"add": add, "stored": "datetime" if values.stored_time else "text"},
            )
            found += [one] if one is not None else []
    return found
