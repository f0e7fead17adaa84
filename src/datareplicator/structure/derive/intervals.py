"""Values looked up by time: the element or epoch whose period holds the date."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from datareplicator.dates import parse
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import Values, View, json_levels, key_array, level_index, take
from datareplicator.structure.spec import Derivation, Ref


def interval(view: View, d: Derivation) -> pd.Series:
    """The value of the period that holds the row's day.

    sources: the date (here), then value, start and (perhaps) end in the table of periods. params: ``keys`` pair the
    subject columns; ``early`` lists the values that begin only the day after their start (on the day of
    the boundary the old period still counts); ``before``: whether days before the first period take its value;
    ``partial``: whether a partial date counts as the first day that it may be; ``seen``: the values that the target
    has (absent: all), instead of another one a row has that of the period before.
    A missing date gives missing, as does a partial one unless ``partial`` and a day after the last period's end unless
    ``after``.
    """
    periods = d.sources[1].table
    day = view.values(d.table, d.sources[0].column).day
    if d.params.get("partial"):
        day = _earliest(day, view.frames[d.table][d.sources[0].column])
    start = _starts(view, d)
    rows = view.match(d.table, [d.params["keys"][0][0]], periods, [d.params["keys"][0][1]])
    subject = view.group(periods, [d.params["keys"][0][1]])[0]
    known = np.flatnonzero(np.isfinite(start))
    order = known[np.lexsort((start[known], subject[known]))]
    held = _held(view, d, order, subject)
    stride = 1e6
    grid = subject[order] * stride + start[order]
    mine = np.append(subject, -1)[rows]
    at = np.searchsorted(grid, mine * stride + np.nan_to_num(day), side="right") - 1
    inside = (at >= 0) & (np.append(subject[order], -2)[at] == mine)
    first = np.searchsorted(grid, mine * stride - stride / 2)
    if d.params["before"]:
        usable = ~inside & (first < len(order)) & (np.append(subject[order], -2)[np.minimum(first, len(order))] == mine)
        at, inside = np.where(usable, first, at), inside | usable
    found = np.where(inside & (mine >= 0) & np.isfinite(day), np.append(order, -1)[at], -1)
    if len(d.sources) > 3 and not d.params["after"]:
        end = np.append(view.values(periods, d.sources[3].column).day, np.nan)[found]
        found = np.where((found >= 0) & (day > end), -1, found)
    return take(view.frames[periods][d.sources[1].column], np.append(held, -1)[found])


def _earliest(day: np.ndarray, text: pd.Series) -> np.ndarray:
    """Days with the first of the month or the year where the date says no more."""
    unknown = np.flatnonzero(np.isnan(day) & text.notna().to_numpy())
    if not len(unknown):
        return day
    moments = parse(text.iloc[unknown])
    month = np.nan_to_num(moments.month, nan=1.0)
    known = np.isfinite(moments.year)
    number = np.where(known, (moments.year - 1970) * 12 + month - 1, 0).astype(np.int64)
    out = day.copy()
    out[unknown] = np.where(known, number.astype("datetime64[M]").astype("datetime64[D]").astype(float), np.nan)
    return out


def _held(view: View, d: Derivation, order: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """The row of periods (int a row of periods) whose value counts in each period: its own, or where the target never
    has that the subject's last one before whose value it has."""
    held = np.arange(len(subject))
    if not d.params.get("seen"):
        return held
    value = view.values(d.sources[1].table, d.sources[1].column)
    usable = np.append(level_index(value, key_array(d.params["seen"])) >= 0, False)[value.codes]
    place = np.maximum.accumulate(np.where(usable[order], np.arange(len(order)), -1))
    before = np.append(order, -1)[place]
    mine = (before >= 0) & (np.append(subject, -2)[before] == subject[order])
    held[order] = np.where(mine, before, order)
    return held


def _starts(view: View, d: Derivation) -> np.ndarray:
    start = view.values(d.sources[2].table, d.sources[2].column).day
    if d.params["early"]:
        value = view.values(d.sources[1].table, d.sources[1].column)
        late = np.append(level_index(value, key_array(d.params["early"])) >= 0, False)[value.codes]
        ids = view.group(d.sources[1].table, [d.params["keys"][0][1]])[0]
        first = np.zeros(len(start), dtype=bool)
        known = np.flatnonzero(np.isfinite(start))
        order = known[np.lexsort((start[known], ids[known]))]
        first[order[np.append(True, ids[order][1:] != ids[order][:-1])[: len(order)]]] = True
        start = start + (late & ~first)
    return start


TEMPLATES = {"interval": interval}


def mine(scene: Scene) -> list[Derivation]:
    """Categories of dated tables that are the value of the subject's period on that day."""
    found: list[Derivation] = []
    for periods, value, start, end in _periods(scene):
        names = set(scene.values(periods, value).text_levels)
        for table in scene.tables:
            if table in (periods, scene.ctx.root) or not scene.keyed(table):
                continue
            for target in scene.categories(table, 20, 1):
                held = scene.values(table, target)
                if held.stored_number or held.distinct > len(names) or not set(held.text_levels) <= names:
                    continue
                if held.distinct < 2 and target != value:
                    continue
                found += _find(scene, table, target, (periods, value, start, end))
    return found


def _periods(scene: Scene) -> list[tuple[str, str, str, str | None]]:
    """(table, value, start, end): tables of few dated rows a subject, contiguous in time."""
    found = []
    for table in scene.tables:
        if not scene.keyed(table) or table == scene.ctx.root or scene.tests(table) or not scene.repeated(table):
            continue
        subjects = scene.view.group(table, [scene.key(table)])[1]
        days = [c for c in scene.dates(table) if scene.moves(table, c)]
        if scene.view.rows(table) > 12 * subjects or len(days) < 2:
            continue
        bounds = _contiguous(scene, table, days)
        if bounds is None:
            continue
        for value in scene.categories(table, 30, 2):
            if not scene.values(table, value).stored_number and scene.values(table, value).present.all():
                found.append((table, value, *bounds))
    return found


def _contiguous(scene: Scene, table: str, days: list[str]) -> tuple[str, str] | None:
    codes = scene.ctx.subject_codes[table]
    for start in days:
        for end in (c for c in days if c != start):
            a, b = scene.values(table, start).day, scene.values(table, end).day
            known = np.flatnonzero(np.isfinite(a))
            order = known[np.lexsort((a[known], codes[known]))]
            follow = codes[order][1:] == codes[order][:-1]
            gap = (a[order][1:] - b[order][:-1])[follow]
            ordered = (b[known] >= a[known]) | np.isnan(b[known])
            if len(gap) >= 5 and np.isin(gap, (0, 1)).mean() >= 0.9 and ordered.mean() > 0.98:
                return start, end
    return None


def _find(scene: Scene, table: str, target: str, periods: tuple[str, str, str, str | None]) -> list[Derivation]:
    other, value, start, end = periods
    best: Derivation | None = None
    for date in scene.dates(table):
        if not scene.moves(table, date):
            continue
        base: dict[str, Any] = {"table": table, "target": target, "template": "interval"}
        sources = (*ref(table, date), *(Ref(table=other, column=c) for c in (value, start, end) if c))
        params = {"keys": scene.pair(table, other), "early": [], "before": True, "after": True}
        early = _boundary_rule(scene, table, target, date, periods)
        for names in ([], early) if early else ([],):
            for extra in _variants(scene, table, target, (other, value)):
                full = {**params, "early": names, **extra}
                one = scene.judge(0.95, scope=False, sources=sources, params=full, **base)
                if one and (best is None or one.agreement > best.agreement):
                    best = one
    if best is None or (scene.values(table, target).distinct < 2 and best.rows < 100):
        return []
    return [best]


def _variants(scene: Scene, table: str, target: str, periods: tuple[str, str]) -> list[dict[str, Any]]:
    """How partial dates count, and what stands for periods whose value the target never has."""
    held, value = scene.values(table, target), scene.values(*periods)
    out: list[dict[str, Any]] = [{}, {"partial": True}]
    if not set(_texts(value)) <= set(held.text_levels):
        seen = [v for v in json_levels(held.levels) if str(v) in set(_texts(value))]
        out += [{**one, "seen": seen} for one in out]
    return out


def _boundary_rule(
    scene: Scene, table: str, target: str, date: str, periods: tuple[str, str, str, str | None]
) -> list[Any]:
    """Values of periods for which rows on the day of their start mostly still carry another value."""
    other, value, start, _ = periods
    codes, theirs = scene.ctx.subject_codes[table], scene.ctx.subject_codes[other]
    day = scene.values(table, date).day
    rows = np.flatnonzero(np.isfinite(day) & (codes >= 0))
    starts = pd.DataFrame(
        {"s": theirs, "d": scene.values(other, start).day, "v": scene.values(other, value).codes}
    ).dropna()
    starts = starts.drop_duplicates(["s", "d"], keep="last")
    joined = pd.DataFrame({"s": codes[rows], "d": day[rows], "row": rows}).merge(starts, on=["s", "d"])
    if joined.empty:
        return []
    held = scene.values(table, target)
    to = np.append(level_index(held, _texts(scene.values(other, value))), -1)[held.codes]
    joined["new"] = to[joined["row"].to_numpy()] == joined["v"].to_numpy()
    share = joined.groupby("v")["new"].mean()
    names = json_levels(scene.values(other, value).levels)
    return [names[int(v)] for v, s in share.items() if s < 0.5]


def _texts(values: Values) -> np.ndarray:
    return values.text_levels
