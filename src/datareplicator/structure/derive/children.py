"""Values of a subject that come from its rows in other tables: first and last dates, existence of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammaln

from datareplicator.structure.derive.outcome import date_column
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import View, json_levels, key_array, level_index, take
from datareplicator.structure.spec import Derivation, Kind, Ref

HOWS = ("min", "first", "max", "last")
"""In the order tried: the first row before the latest date, since the order of rows carries meaning."""

EVIDENCE = 8.0
"""Nats against chance that an equivalence needs, beyond the number of conditions tried."""

LEAST = 12
"""Subjects below which an aggregate is not told from a coincidence."""


def aggregate(view: View, d: Derivation) -> pd.Series | np.ndarray:
    """``how`` ("min", "max", "first", "last") over the subject's rows of sources[0].

    params: ``keys`` (pairs of column names); ``where`` restricts the rows to those with a column's value; ``stored``:
    only the day, as the target stores dates.
    """
    rows = aggregate_rows(view, d)
    source = d.sources[0]
    if "stored" in d.params:
        return date_column(np.append(view.values(source.table, source.column).day, np.nan)[rows], d.params["stored"])
    return take(view.frames[source.table][source.column], rows)


def aggregate_rows(view: View, d: Derivation) -> np.ndarray:
    """For each row of the derivation's table the row of the source that counts; -1 where there is none."""
    source, how = d.sources[0], d.params["how"]
    here, there = ([pair[k] for pair in d.params["keys"]] for k in (0, 1))
    values = view.values(source.table, source.column)
    usable = values.present.copy()
    if d.params.get("where"):
        where = d.params["where"]
        usable &= _equals(view, source.table, where["column"], where["value"])
    rows = np.flatnonzero(usable)
    ids, size = view.group(source.table, there)
    keys = [np.arange(len(rows))]
    if how in ("min", "max"):
        measure = values.moment if values.is_date else values.number
        rows = rows[np.isfinite(measure[rows])]
        keys = [np.arange(len(rows)), measure[rows]] if how == "min" else [-np.arange(len(rows)), measure[rows]]
    order = np.lexsort((*keys, ids[rows]))
    chosen = np.full(size + 1, -1, dtype=np.int64)
    sorted_rows = rows[order]
    if how in ("min", "first"):
        chosen[ids[sorted_rows[::-1]]] = sorted_rows[::-1]
    else:
        chosen[ids[sorted_rows]] = sorted_rows
    at = view.match(d.table, here, source.table, there)
    return np.where(at >= 0, chosen[np.append(ids, size)[at]], -1)


def _equals(view: View, table: str, column: str, value: Any) -> np.ndarray:
    values = view.values(table, column)
    return np.append(level_index(values, key_array([value])) >= 0, False)[values.codes]


def exists(view: View, d: Derivation) -> pd.Series | np.ndarray:
    """``yes`` where the subject has a row of the source's table with a value in ``codes`` (null: any), else ``no``."""
    source = d.sources[0]
    here, there = ([pair[k] for pair in d.params["keys"]] for k in (0, 1))
    usable = np.ones(view.rows(source.table), dtype=bool)
    if d.params["codes"] is not None:
        values = view.values(source.table, source.column)
        usable = np.append(level_index(values, key_array(d.params["codes"])) >= 0, False)[values.codes]
    ids, size = view.group(source.table, there)
    held = np.append(np.bincount(ids[usable], minlength=size) > 0, False)
    at = view.match(d.table, here, source.table, there)
    return either(held[np.append(ids, size)[at]], d.params["yes"], d.params["no"])


def present(view: View, d: Derivation) -> pd.Series | np.ndarray:
    """``yes`` where sources[0] is present in the row, else ``no``."""
    return either(view.values(d.table, d.sources[0].column).present, d.params["yes"], d.params["no"])


def either(condition: np.ndarray, yes: Any, no: Any) -> pd.Series | np.ndarray:
    """One of two values a row; null is missing."""
    names = [v for v in (yes, no) if v is not None]
    if any(isinstance(v, str) for v in names):
        codes = np.where(
            condition, names.index(yes) if yes is not None else -1, names.index(no) if no is not None else -1
        )
        return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index([str(v) for v in names], dtype="str")))
    return np.where(condition, np.nan if yes is None else yes, np.nan if no is None else no).astype(float)


TEMPLATES = {"aggregate": aggregate, "exists": exists, "present": present}


def mine(scene: Scene) -> list[Derivation]:
    """Aggregates and existence for tables of one row a subject; presence within rows for all tables."""
    found: list[Derivation] = []
    for table in scene.tables:
        found += _presence(scene, table)
        if scene.keyed(table) and not scene.repeated(table):
            found += _aggregates(scene, table)
            if table == scene.ctx.root:
                found += _existence(scene, table)
    return found


def _aggregates(scene: Scene, table: str) -> list[Derivation]:
    ctx, found = scene.ctx, []
    codes = ctx.subject_codes[table]
    for target in scene.dates(table):
        values = scene.values(table, target)
        day = values.day
        if values.present.sum() < LEAST or values.distinct < 5:
            continue
        for other in scene.tables:
            if other == table or not scene.keyed(other) or not scene.repeated(other):
                continue
            for source in scene.dates(other):
                if not scene.moves(other, source):
                    continue
                for how in HOWS:
                    params = {"keys": scene.pair(table, other), "how": how}
                    if not _matches(scene, other, source, how, codes, day):
                        continue
                    base = {"table": table, "target": target, "template": "aggregate", "sources": ref(other, source)}
                    stored = {"stored": "datetime" if values.stored_time else "text"}
                    one = scene.judge(1.0, params=params, **base) or scene.judge(
                        1.0, params={**params, **stored}, **base
                    )
                    if one:
                        found.append(one)
                        break
    return found


def _matches(scene: Scene, other: str, source: str, how: str, codes: np.ndarray, day: np.ndarray) -> bool:
    """Whether the aggregate equals the target's day for all subjects that have both."""
    values, theirs = scene.values(other, source), scene.ctx.subject_codes[other]
    rows = np.flatnonzero(np.isfinite(values.day) & (theirs >= 0))
    x = np.full(scene.ctx.n_subjects + 1, np.nan)
    if how in ("min", "max"):
        order = rows[np.argsort(-values.day[rows] if how == "min" else values.day[rows], kind="stable")]
    else:
        order = rows[::-1] if how == "first" else rows
    x[theirs[order]] = values.day[order]
    seen, known = x[codes], np.isfinite(day)
    return bool(known.sum() >= LEAST and (seen[known] == day[known]).all())


def two_valued(scene: Scene, table: str, column: str) -> list[tuple[np.ndarray, Any, Any]]:
    """A column as a condition: (true where ..., value if true, value if false)."""
    values = scene.values(table, column)
    names = json_levels(values.levels)
    if values.is_date or scene.ctx.tables[table][column].kind in (Kind.DATE, Kind.TEXT):
        return []
    if values.distinct == 1 and not values.present.all():
        return [(values.present, names[0], None)]
    if values.distinct == 2 and values.present.all():
        return [(values.codes == 0, names[0], names[1]), (values.codes == 1, names[1], names[0])]
    return []


def equivalence_evidence(a: np.ndarray, b: np.ndarray) -> float:
    """Nats against two equal conditions being equal by chance: the log number of ways to place them."""
    n, k = len(a), int(a.sum())
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)) if np.array_equal(a, b) else 0.0


def _existence(scene: Scene, table: str) -> list[Derivation]:
    ctx, found = scene.ctx, []
    codes = ctx.subject_codes[table]
    for target in scene.candidates(table):
        for condition, yes, no in two_valued(scene, table, target):
            if not 2 <= condition.sum() <= len(condition) - 2:
                continue
            for other in scene.tables:
                if other == table or not scene.keyed(other):
                    continue
                best = None
                conditions = _conditions(scene, other)
                for source, code, held in conditions:
                    tried = len(scene.tables) if code is None else len(conditions)
                    if equivalence_evidence(condition, held[codes]) < EVIDENCE + np.log(tried):
                        continue
                    best = scene.judge(
                        1.0,
                        scope=False,
                        table=table,
                        target=target,
                        template="exists",
                        sources=(Ref(table=other, column=source),),
                        params={
                            "keys": scene.pair(table, other),
                            "codes": None if code is None else [code],
                            "yes": yes,
                            "no": no,
                        },
                    )
                    if best:
                        break
                found += [best] if best else []
    return found


def _conditions(scene: Scene, table: str) -> list[tuple[str, Any, np.ndarray]]:
    """(column, code, bool per subject): any row at all, or a row with a code of a category (no visits)."""
    ctx = scene.ctx
    codes, n = ctx.subject_codes[table], ctx.n_subjects
    known = codes >= 0
    result: list[tuple[str, Any, np.ndarray]] = [
        (str(scene.key(table)), None, np.bincount(codes[known], minlength=n) > 0)
    ]
    for column in scene.categories(table, 60, 1):
        values = scene.values(table, column)
        if (
            column.upper().startswith(("VISIT", "EPOCH", "AVISIT", "TAETORD", "ELEMENT", "ETCD"))
            or values.stored_number
        ):
            continue
        for i, name in enumerate(json_levels(values.levels)):
            result.append((column, name, np.bincount(codes[known & (values.codes == i)], minlength=n) > 0))
    return result


def _presence(scene: Scene, table: str) -> list[Derivation]:
    found = []
    names = [c for c in scene.candidates(table) if c != scene.key(table)]
    partial = [c for c in names if not scene.values(table, c).present.all() and scene.values(table, c).present.any()]
    for target in names:
        for condition, yes, no in two_valued(scene, table, target):
            if not 3 <= condition.sum() <= len(condition) - 3:
                continue
            if no is not None and table == scene.ctx.root and scene.ctx.tables[table][target].kind == Kind.CATEGORY:
                continue  # a fact of every subject (the sex) decides what is asked, not the other way round
            for source in partial:
                if source == target or scene.values(table, source).distinct < 2:
                    continue
                held = scene.values(table, source).present
                if not np.array_equal(held, condition) or equivalence_evidence(held, condition) < 10:
                    continue
                found.append(
                    Derivation(
                        table=table,
                        target=target,
                        template="present",
                        sources=ref(table, source),
                        params={"yes": yes, "no": no},
                        rows=len(held),
                    )
                )
                break
    return found
