"""Dates and numbers of days: study day, differences and durations, age, dates from parts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.dates import study_day as cdisc_day
from datareplicator.structure.derive.outcome import date_column, decimals_of, rounded
from datareplicator.structure.derive.scene import Scene, ref, rotated, stem
from datareplicator.structure.derive.view import View
from datareplicator.structure.spec import Derivation, Kind, Ref

UNITS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25, "hour": 1 / 24}


def study_day(view: View, d: Derivation) -> np.ndarray:
    """CDISC study day of sources[0] against the subject's anchor sources[1]; missing where the date is partial."""
    return cdisc_day(view.values(d.table, d.sources[0].column).day, seen_from(view, d, 1))


def seen_from(view: View, d: Derivation, i: int, *, time: bool = False) -> np.ndarray:
    """Days of the source `i`, a row of the derivation's table; reached by ``keys`` when it stands in another table,
    where ``how`` ("min", "max") says which of several rows counts."""
    source = d.sources[i]
    values = view.values(source.table, source.column)
    held = values.moment if time else values.day
    if source.table == d.table:
        return held
    here, there = ([pair[k] for pair in d.params["keys"]] for k in (0, 1))
    rows = view.match(d.table, here, source.table, there)
    if "how" in d.params:
        ids, size = view.group(source.table, there)
        held = extreme(held, ids, size, d.params["how"])[ids]
    return np.append(held, np.nan)[rows]


def extreme(x: np.ndarray, ids: np.ndarray, size: int, how: str) -> np.ndarray:
    """Per group the least or greatest value; NaN for groups without one."""
    start = np.inf if how == "min" else -np.inf
    best = np.full(size, start)
    known = np.isfinite(x)
    (np.minimum if how == "min" else np.maximum).at(best, ids[known], x[known])
    return np.where(np.isfinite(best), best, np.nan)


def difference(view: View, d: Derivation) -> np.ndarray:
    """sources[0] - sources[1] + ``add`` in ``unit``, rounded to ``decimals`` (null: not at all; "floor": down)."""
    time = d.params["unit"] == "hour"
    days = seen_from(view, d, 0, time=time) - seen_from(view, d, 1, time=time) + d.params["add"]
    return _scaled(days, d.params["unit"], d.params["decimals"])


def _scaled(days: np.ndarray, unit: str, decimals: int | str | None) -> np.ndarray:
    x = days / UNITS[unit]
    return np.floor(x + 1e-9) if decimals == "floor" else rounded(x, decimals)


def age(view: View, d: Derivation) -> np.ndarray:
    """Completed years from the birth date sources[0] to sources[1]; by the year alone where only that is known."""
    birth, at = view.values(d.table, d.sources[0].column), view.values(d.table, d.sources[1].column)
    by, day = np.append(birth.moments.year, np.nan)[birth.codes], birth.day
    ay = np.append(at.moments.year, np.nan)[at.codes]
    if d.params["method"] == "year":
        return ay - by
    return np.where(np.isfinite(day) & np.isfinite(at.day), ay - by - _before_birthday(day, at.day), np.nan)


def _before_birthday(birth: np.ndarray, at: np.ndarray) -> np.ndarray:
    def within_year(day: np.ndarray) -> np.ndarray:
        stamp = np.where(np.isfinite(day), day, 0).astype("int64").astype("datetime64[D]")
        month = stamp.astype("datetime64[M]")
        return (month - stamp.astype("datetime64[Y]")).astype(int) * 32 + (stamp - month).astype(int)

    return within_year(at) < within_year(birth)


def date_parts(view: View, d: Derivation) -> pd.Series:
    """A date from its year, month and day columns; the text is cut where a part is missing."""
    y, m, day = (view.values(d.table, s.column).number for s in d.sources)
    precision = np.where(np.isnan(y), 0, np.where(np.isnan(m), 4, np.where(np.isnan(day), 7, 10)))
    known = [np.where(np.isnan(x), fill, x).astype(int) for x, fill in ((y, 1970), (m, 1), (day, 1))]
    first = ((known[0] - 1970) * 12 + known[1] - 1).astype("datetime64[M]").astype("datetime64[D]").astype(float)
    days = np.where(precision > 0, first + known[2] - 1, np.nan)
    if d.params["stored"] == "datetime":
        return date_column(np.where(precision == 10, days, np.nan), "datetime")
    return date_column(days, "text", precision)


TEMPLATES = {"study_day": study_day, "date_difference": difference, "age": age, "date_parts": date_parts}


def mine(scene: Scene) -> list[Derivation]:
    """Study days, differences of dates, ages, dates from parts."""
    found: list[Derivation] = []
    for table in scene.tables:
        days = scene.dates(table)
        wholes = [c for c in scene.numbers(table) if _day_like(scene, table, c)]
        if days and wholes:
            found += _study_days(scene, table, days, wholes)
        if days:
            found += _differences(scene, table, days)
            found += _ages(scene, table, days)
            found += _parts(scene, table, days)
    return found


def _day_like(scene: Scene, table: str, column: str) -> bool:
    if column == scene.ctx.sequence.get(table) or column.upper().endswith("SEQ"):
        return False
    values = scene.values(table, column)
    numbers = values.level_numbers
    known = numbers[np.isfinite(numbers)]
    return bool(
        values.stored_number and len(known) > 2 and (known == np.floor(known)).all() and np.abs(known).max() < 40_000
    )


def _study_days(scene: Scene, table: str, days: list[str], wholes: list[str]) -> list[Derivation]:
    if table not in scene.ctx.subject_codes:
        return []
    found = []
    for target, source in rotated(scene, table, ((t, s) for t in wholes for s in days)):
        day, number = scene.values(table, source).day, scene.values(table, target).number
        anchor = _anchors(scene, table, day - (number - (number > 0)))
        if anchor is None:
            continue
        for reference, extra in _references(scene, table, source, anchor):
            one = scene.judge(
                0.95,
                table=table,
                target=target,
                template="study_day",
                sources=(*ref(table, source), reference),
                params=extra,
            )
            if one:
                found.append(one)
                break
    return found


def _anchors(scene: Scene, table: str, inverted: np.ndarray) -> np.ndarray | None:
    """The anchor of each subject (NaN unknown) if the inverted study days agree within nearly all subjects."""
    codes = scene.ctx.subject_codes[table]
    rows = scene.sample(table)
    rows = rows[np.isfinite(inverted[rows]) & (codes[rows] >= 0)]
    if len(rows) < 5:
        return None
    anchor = np.full(scene.ctx.n_subjects, np.nan)
    anchor[codes[rows[::-1]]] = inverted[rows[::-1]]
    median = pd.Series(inverted[rows]).groupby(codes[rows]).median()
    anchor[median.index] = median.to_numpy()
    agree = inverted[rows] == anchor[codes[rows]]
    if agree.mean() < 0.9:
        return None
    if scene.repeated(table) and len(np.unique(inverted[rows])) < 2 and len(median) > 3:
        return None
    return anchor


def _references(scene: Scene, table: str, source: str, anchor: np.ndarray) -> list[tuple[Ref, dict]]:
    """Dates of the root that equal the anchors, best first; else the first or last date of a child table."""
    ctx = scene.ctx
    if ctx.root is None:
        return []
    known = np.isfinite(anchor) & (ctx.root_rows >= 0)
    if not known.any():
        return []
    keys = scene.pair(table, ctx.root) if scene.keyed(table, ctx.root) else None
    found = []
    for column in scene.dates(ctx.root):
        if table == ctx.root and column == source:
            continue
        share = float((scene.values(ctx.root, column).day[ctx.root_rows[known]] == anchor[known]).mean())
        if share >= 0.9:
            found.append((share, Ref(table=ctx.root, column=column), {} if table == ctx.root else {"keys": keys}))
    if found and (keys or table == ctx.root):
        return [(r, extra) for _, r, extra in sorted(found, key=lambda f: -round(f[0], 3))[:3]]
    return _child_references(scene, table, anchor, known, keys) if keys else []


def _child_references(
    scene: Scene, table: str, anchor: np.ndarray, known: np.ndarray, keys: list
) -> list[tuple[Ref, dict]]:
    found = []
    for other in scene.tables:
        if other == table or not scene.keyed(other):
            continue
        codes = scene.ctx.subject_codes[other]
        for column in scene.dates(other):
            for how in ("min", "max"):
                best = extreme(scene.values(other, column).day, codes, scene.ctx.n_subjects, how)
                if (best[known] == anchor[known]).mean() >= 0.97:
                    return [(Ref(table=other, column=column), {"keys": scene.pair(table, other), "how": how})]
    return found


def _differences(scene: Scene, table: str, days: list[str]) -> list[Derivation]:
    ctx, rows = scene.ctx, scene.sample(table)
    sources: list[tuple[Ref, np.ndarray, dict]] = [(*ref(table, c), scene.values(table, c).day, {}) for c in days]
    if ctx.root and table != ctx.root and scene.keyed(table, ctx.root):
        keys = scene.pair(table, ctx.root)
        at = np.where(ctx.subject_codes[table] >= 0, ctx.root_rows[ctx.subject_codes[table]], -1)
        for column in scene.dates(ctx.root):
            sources.append(
                (*ref(ctx.root, column), np.append(scene.values(ctx.root, column).day, np.nan)[at], {"keys": keys})
            )
    found = []
    targets = [
        c
        for c in scene.numbers(table)
        if c != ctx.sequence.get(table)
        and scene.values(table, c).stored_number
        and scene.values(table, c).distinct >= 5
        and ctx.tables[table][c].kind in (Kind.INTEGER, Kind.DECIMAL)
    ]
    for target in targets:
        x = scene.values(table, target).number
        known = rows[np.isfinite(x[rows])]
        probe = known[:: max(1, len(known) // 50)]
        for a, end, extra_a in sources:
            for b, start, extra_b in sources:
                if a == b or (a.table != table and b.table != table):
                    continue
                if not _likely(x[probe], end[probe] - start[probe]):
                    continue
                for params in _fits(x[rows], end[rows] - start[rows]):
                    one = scene.judge(
                        0.98,
                        table=table,
                        target=target,
                        template="date_difference",
                        sources=(a, b),
                        params={**extra_a, **extra_b, **params},
                    )
                    if one:
                        found.append(one)
                        break
    return found


def _likely(x: np.ndarray, gap: np.ndarray) -> bool:
    """A quick look: the gap is known and of the right size in some unit."""
    known = np.isfinite(gap)
    if known.mean() < 0.7:
        return False
    x, gap = x[known], gap[known]
    return any(np.mean(np.abs(x - gap / size) <= 1.5) > 0.8 for unit, size in UNITS.items() if unit != "hour")


def _fits(x: np.ndarray, gap: np.ndarray) -> list[dict]:
    """The parameters under which the gap (days) gives x on nearly all rows of the sample."""
    known = np.isfinite(x) & np.isfinite(gap)
    if known.sum() < 5 or known.sum() < 0.8 * np.isfinite(x).sum():
        return []
    x, gap = x[known], gap[known]
    if len(np.unique(x)) < 4:
        return []
    decimals = decimals_of(x)
    result = []
    for unit in ("day", "week", "month", "year"):
        scaled = gap / UNITS[unit]
        if np.abs(np.median(x - scaled)) > 1.5 or np.mean(np.abs(x - scaled) <= 1.5) < 0.9:
            continue
        for add in (0, 1):
            for rule in (
                (decimals, "floor") if decimals == 0 and unit != "day" else (decimals if decimals < 6 else None,)
            ):
                if np.mean(_scaled(gap + add, unit, rule) == x) >= 0.97:
                    result.append({"add": add, "unit": unit, "decimals": rule})
    return result


def _ages(scene: Scene, table: str, days: list[str]) -> list[Derivation]:
    births = [c for c in scene.candidates(table) if scene.values(table, c).is_date or _years(scene, table, c)]
    births = [c for c in births if "BRTH" in c.upper() or "BIRTH" in c.upper()]
    found = []
    for target in scene.numbers(table) if births else []:
        x = scene.values(table, target)
        if not x.stored_number or x.distinct < 5 or not np.nanmin(x.number) >= 0 or np.nanmax(x.number) > 125:
            continue
        for birth in births:
            for at in days:
                for method in ("calendar", "year"):
                    one = at != birth and scene.judge(
                        0.95,
                        table=table,
                        target=target,
                        template="age",
                        sources=ref(table, birth, at),
                        params={"method": method},
                    )
                    if one:
                        found.append(one)
                        break
    return found


def _years(scene: Scene, table: str, column: str) -> bool:
    values = scene.values(table, column)
    return not values.stored_number and bool(len(values.levels)) and bool((values.moments.precision >= 4).all())


def _parts(scene: Scene, table: str, days: list[str]) -> list[Derivation]:
    numbers = [
        (c, scene.values(table, c).level_numbers) for c in scene.candidates(table) if scene.values(table, c).is_number
    ]

    def within(low: float, high: float) -> list[str]:
        return [c for c, x in numbers if len(x) and np.nanmin(x) >= low and np.nanmax(x) <= high]

    years, months, parts = within(1850, 2150), within(1, 12), within(1, 31)
    found = []
    for target in days if years and months and len(parts) > 1 else []:
        values = scene.values(table, target)
        for y in years:
            same_year = scene.values(table, y).number == np.append(values.moments.year, np.nan)[values.codes]
            if same_year.sum() < 0.95 * values.present.sum():
                continue
            for m in months:
                if (
                    not (scene.values(table, m).number == np.append(values.moments.month, np.nan)[values.codes]).sum()
                    >= 0.95 * same_year.sum()
                ):
                    continue
                for part in (p for p in parts if p != m):
                    one = scene.judge(
                        0.98,
                        table=table,
                        target=target,
                        template="date_parts",
                        sources=ref(table, y, m, part),
                        params={"stored": "datetime" if values.stored_time else "text"},
                    )
                    found += [one] if one else []
    return found


def same_stem(derivation: Derivation) -> bool:
    """Whether the target carries the stem of its first source (AESTDY from AESTDTC)."""
    return bool(derivation.sources) and stem(derivation.table, derivation.target) == stem(
        derivation.sources[0].table, derivation.sources[0].column
    )
