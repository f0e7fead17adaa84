"""Values that stand somewhere else already: constants, identical columns, the root's values, rows reached by a key."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.structure.derive.outcome import date_column, equal
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import Values, View, json_levels, take
from datareplicator.structure.repeated import find_constant
from datareplicator.structure.spec import MEMBER, Derivation, Kind


def constant(view: View, d: Derivation) -> pd.Series:
    """The one value of the column, on every row."""
    value, rows = d.params["value"], view.rows(d.table)
    if d.params.get("stored") == "datetime":
        return pd.Series(np.full(rows, np.datetime64(value, "us")))
    if isinstance(value, str):
        return pd.Series(
            pd.Categorical.from_codes(np.zeros(rows, dtype=np.int8), categories=pd.Index([value], dtype="str"))
        )
    return pd.Series(np.full(rows, value))


def same(view: View, d: Derivation) -> pd.Series:
    """Another column of the same row."""
    return view.frames[d.table][d.sources[0].column].reset_index(drop=True)


def same_day(view: View, d: Derivation) -> pd.Series:
    """The day of another date column of the same row. params: ``stored`` ("text" or "datetime")."""
    source = view.values(d.table, d.sources[0].column)
    if d.params["stored"] == "datetime":
        return date_column(source.day, "datetime")
    precision = np.append(source.moments.precision, 0)[source.codes]
    whole = np.where(precision >= 10, source.day, np.nan)
    return date_column(whole, "text")


def copy(view: View, d: Derivation) -> pd.Series:
    """The value of another table's row. params: ``keys``, pairs of column names (here, there); ``day`` with
    ``stored`` when only the day is copied."""
    source = d.sources[0]
    here, there = ([pair[i] for pair in d.params["keys"]] for i in (0, 1))
    rows = view.match(d.table, here, source.table, there)
    if "stored" in d.params:
        day = np.append(view.values(source.table, source.column).day, np.nan)[rows]
        return date_column(day, d.params["stored"])
    return take(view.frames[source.table][source.column], rows)


TEMPLATES = {"constant": constant, "same": same, "same_day": same_day, "copy_subject": copy, "copy_by_key": copy}


def mine(scene: Scene) -> list[Derivation]:
    """Constants, copies of the root, identical columns; adds columns of equal days to `same` of the context."""
    if not scene.ctx.constant:
        find_constant(scene.ctx)
        scene.candidates.cache_clear()
    found: list[Derivation] = []
    for table in scene.tables:
        found += _constants(scene, table)
        found += _from_root(scene, table)
        found += _identical(scene, table)
    return found


def _constants(scene: Scene, table: str) -> list[Derivation]:
    found = []
    for name, column in scene.ctx.tables[table].columns.items():
        if len(column.distinct) != 1 or not column.present.all() or name in (MEMBER, scene.key(table)):
            continue
        values = scene.values(table, name)
        params = {"value": json_levels(values.levels)[0]}
        if values.stored_time:
            params = {"value": str(values.levels[0]), "stored": "datetime"}
        found.append(Derivation(table=table, target=name, template="constant", params=params, rows=len(values)))
    return found


def _from_root(scene: Scene, table: str) -> list[Derivation]:
    ctx = scene.ctx
    root = ctx.root
    if root is None or table == root or not scene.keyed(table, root):
        return []
    return [
        Derivation(
            table=table,
            target=name,
            template="copy_subject",
            sources=ref(root, partner),
            params={"keys": scene.pair(table, root)},
            rows=int(scene.values(table, name).present.sum()),
        )
        for name, partner in ctx.constant.get(table, {}).items()
        if partner
    ]


def _identical(scene: Scene, table: str) -> list[Derivation]:
    ctx = scene.ctx
    more = _same_columns(scene, table)
    if more:
        ctx.same.setdefault(table, {}).update(more)
        scene.candidates.cache_clear()
    found = []
    for name, partner in ctx.same.get(table, {}).items():
        if name in ctx.constant.get(table, {}) or planned_and_actual(partner, name):
            continue
        fields = {"table": table, "target": name, "sources": ref(table, partner)}
        one = scene.judge(1.0, scope=False, template="same", **fields)
        if one is None and scene.values(table, name).is_date:
            stored = "datetime" if scene.values(table, name).stored_time else "text"
            one = scene.judge(1.0, scope=False, template="same_day", params={"stored": stored}, **fields)
        found += [one] if one else []
    return found


def _same_columns(scene: Scene, table: str) -> dict[str, str]:
    """Identical columns (by code), name -> the leftmost of them; planned and actual arms stay apart."""
    names = [c for c in scene.candidates(table) if scene.values(table, c).distinct > 1]
    result: dict[str, str] = {}
    for i, name in enumerate(names):
        for left in names[:i]:
            if left in result or planned_and_actual(left, name):
                continue
            if _equal_columns(scene.values(table, left), scene.values(table, name)):
                result[name] = left
                break
    return result


def _equal_columns(a: Values, b: Values) -> bool:
    n = len(a)
    probe = slice(None, None, max(1, n // 64))
    if not np.array_equal(a.present[probe], b.present[probe]) or a.present.sum() != b.present.sum():
        return False
    if a.present.sum() < 12 or not np.array_equal(a.present, b.present):
        return False
    if a.stored_number and b.stored_number:
        return np.array_equal(a.number, b.number, equal_nan=True)
    if a.is_date and b.is_date:
        known = a.present
        return bool(np.isfinite(a.day[known]).all() and np.array_equal(a.day[known], b.day[known]))
    return a.stored_number == b.stored_number and a.distinct == b.distinct and bool(equal(a, b).all())


def planned_and_actual(a: str, b: str) -> bool:
    """Whether two names are the planned and the actual side of one thing (ARM and ACTARM, TRT01P and TRT01A):
    they differ in few subjects, so a small sample cannot tell them from copies.

    >>> planned_and_actual("ARMCD", "ACTARMCD"), planned_and_actual("TRT01P", "TRT01A"), planned_and_actual("A", "B")
    (True, True, False)
    """
    a, b = sorted((a.upper(), b.upper()), key=len)
    if b == "ACT" + a:
        return True
    return (
        len(a) == len(b)
        and a != b
        and a.startswith("TRT")
        and all(x == y or {x, y} == {"P", "A"} for x, y in zip(a, b, strict=True))
    )


def mine_by_key(scene: Scene) -> list[Derivation]:
    """Columns copied from another table by subject and one more column of the same name (visit number)."""
    found = []
    for other in scene.tables:
        for key in _unique_with_subject(scene, other):
            for table in scene.tables:
                if (
                    table != other
                    and scene.keyed(table, other)
                    and key in scene.ctx.tables[table]
                    and table != scene.ctx.root
                ):
                    found += _by_key(scene, table, other, key)
    return found


def _unique_with_subject(scene: Scene, table: str) -> list[str]:
    ctx = scene.ctx
    if not scene.keyed(table) or not scene.repeated(table) or scene.tests(table) is not None:
        return []
    keys = []
    for name in scene.candidates(table):
        column = ctx.tables[table][name]
        if column.kind in (Kind.DATE, Kind.TEXT) or len(column.distinct) < 2 or name == ctx.sequence.get(table):
            continue
        decimals = column.kind == Kind.DECIMAL and len(column.distinct) > 100
        if decimals or name.upper().endswith("SEQ") or not column.present.all():
            continue
        if scene.view.group(table, [scene.key(table), name])[1] == ctx.tables[table].n:
            keys.append(name)
    keys.sort(key=lambda c: (c != ctx.visit, not scene.values(table, c).stored_number))
    return [c for i, c in enumerate(keys) if not any(_much_alike(scene, table, c, k) for k in keys[:i])]


def _much_alike(scene: Scene, table: str, a: str, b: str) -> bool:
    size = scene.view.group(table, [a, b])[1]
    return size <= 1.1 * max(scene.view.group(table, [a])[1], scene.view.group(table, [b])[1])


def _by_key(scene: Scene, table: str, other: str, key: str) -> list[Derivation]:
    pairs = [*scene.pair(table, other), [key, key]]
    here, there = zip(*pairs, strict=True)
    rows = scene.view.match(table, here, other, there)
    if (rows >= 0).mean() < 0.5 or len(np.unique(rows[rows >= 0])) < 12:
        return []
    found = []
    probe = scene.sample(table)
    for target in scene.candidates(table):
        values = scene.values(table, target)
        if target in (key, scene.ctx.sequence.get(table)) or values.distinct < 2:
            continue
        for source in scene.candidates(other):
            held = scene.values(other, source)
            if source == key or held.distinct < 2 or not _comparable(values, held, target == source):
                continue
            if values.is_date and held.is_date:
                a, b = values.day[probe], np.append(held.day, np.nan)[rows[probe]]
                if np.mean((a == b) | np.isnan(a)) < 0.9:
                    continue
            fields = {"table": table, "target": target, "template": "copy_by_key", "sources": ref(other, source)}
            one = scene.judge(0.98, params={"keys": pairs}, **fields)
            if one is None and values.is_date:
                stored = "datetime" if values.stored_time else "text"
                one = scene.judge(0.98, params={"keys": pairs, "stored": stored}, **fields)
            found += [one] if one else []
    return found


def _comparable(a: Values, b: Values, named: bool) -> bool:
    if a.is_date != b.is_date or a.stored_number != b.stored_number:
        return False
    return named or (a.is_date and b.is_date) or (a.distinct > 2 and not a.stored_number and _shared(a, b))


def _shared(a: Values, b: Values) -> bool:
    return bool(np.isin(a.text_levels[:50], b.text_levels).mean() > 0.9)
