"""Baseline: the flag of the baseline row, and the value at the flagged row."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from datareplicator.structure.derive.days import seen_from
from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import Values, View, json_levels, key_array, level_index, take
from datareplicator.structure.spec import Derivation, Kind, Ref

LEAST_POINTS = 5
"""Rows of a time point on the day of the reference from which on none flagged means something."""

YES = {"Y", "YES", "X", "T", "TRUE"}
"""What a flag says."""


def flag(view: View, d: Derivation) -> pd.Series:
    """``value`` on one row of each group (``by``: the subject and further columns), missing elsewhere.

    params ``rule``: "visit", the rows whose sources[0] is ``visit``; "last_before", the last row whose date sources[0]
    is not after (``strict``: before) the subject's date sources[1]. ``needs`` is a column that must be present;
    ``after``: a column and the values of it that stand for later than the date on its day (a time point after dosing).
    Of several rows in a group ``pick`` takes "all", "first" or "last" (by ``repeat``, a number or a date, if given).
    """
    eligible = _eligible(view, d)
    chosen = _pick(view, d, eligible)
    codes = np.where(chosen, 0, -1)
    return pd.Series(pd.Categorical.from_codes(codes, categories=pd.Index([d.params["value"]], dtype="str")))


def _eligible(view: View, d: Derivation) -> np.ndarray:
    source = view.values(d.table, d.sources[0].column)
    if d.params["rule"] == "visit":
        index = level_index(source, key_array([d.params["visit"]]))
        eligible = np.append(index >= 0, False)[source.codes]
    else:
        reference = seen_from(view, d, 1)
        with np.errstate(invalid="ignore"):
            eligible = source.day < reference if d.params["strict"] else source.day <= reference
            if d.params.get("after"):
                point = view.values(d.table, d.params["after"]["column"])
                late = level_index(point, key_array(d.params["after"]["values"])) >= 0
                eligible &= ~(np.append(late, False)[point.codes] & (source.day == reference))
    if d.params.get("needs"):
        eligible &= view.values(d.table, d.params["needs"]).present
    return eligible


def _pick(view: View, d: Derivation, eligible: np.ndarray) -> np.ndarray:
    if d.params["pick"] == "all":
        return eligible
    rows = np.flatnonzero(eligible)
    ids = view.group(d.table, d.params["by"])[0][rows]
    keys: list[np.ndarray] = [np.arange(len(rows))]
    if d.params.get("repeat"):
        repeat = view.values(d.table, d.params["repeat"])
        measure = repeat.moment if repeat.is_date else repeat.number
        keys.append(np.nan_to_num(measure[rows], nan=-np.inf if d.params["pick"] == "last" else np.inf))
    if d.params["rule"] == "last_before":
        keys.append(view.values(d.table, d.sources[0].column).moment[rows])
    order = np.lexsort((*keys, ids))
    edge = ids[order]
    last = (
        np.append(edge[1:] != edge[:-1], True) if d.params["pick"] == "last" else np.append(True, edge[1:] != edge[:-1])
    )
    chosen = np.zeros(len(eligible), dtype=bool)
    chosen[rows[order[last[: len(order)]]]] = True
    return chosen


def value(view: View, d: Derivation) -> pd.Series:
    """sources[0] of the row of the same ``by`` group where the flag sources[1] is ``flag``."""
    flags = view.values(d.table, d.sources[1].column)
    index = np.append(level_index(flags, key_array([d.params["flag"]])), -1)[flags.codes]
    ids, size = view.group(d.table, d.params["by"])
    rows = np.flatnonzero(index >= 0)
    at = np.full(size, -1, dtype=np.int64)
    at[ids[rows[::-1]]] = rows[::-1]
    return take(view.frames[d.table][d.sources[0].column], at[ids])


TEMPLATES = {"baseline_flag": flag, "baseline_value": value}


def mine(scene: Scene) -> list[Derivation]:
    """Baseline flags and baseline values of all tables with several rows a subject."""
    found: list[Derivation] = []
    for table in scene.targets:
        if not scene.keyed(table) or not scene.repeated(table):
            continue
        flags = _flags(scene, table)
        for column, code in flags:
            by = _group(scene, table, column, code)
            if by is None:
                continue
            one = _rule(scene, table, column, code, by)
            found += [_stricter(scene, one)] if one else []
            found += _base_values(scene, table, column, code, by)
    return found


def _flags(scene: Scene, table: str) -> list[tuple[str, str]]:
    """Columns that are one value or missing, with that value."""
    found = []
    for name in scene.candidates(table):
        values = scene.values(table, name)
        share = values.present.mean()
        if (
            values.distinct == 1
            and str(json_levels(values.levels)[0]).upper() in YES
            and not values.is_date
            and share < 0.7
            and values.present.sum() >= 5
        ):
            found.append((name, str(json_levels(values.levels)[0])))
    return found


def _group(scene: Scene, table: str, column: str, code: str) -> list[str] | None:
    """The smallest group (subject and up to two columns) that holds at most one flag; several groups a subject."""
    flagged = np.flatnonzero(scene.values(table, column).present)
    subject, test = scene.key(table), scene.tests(table)
    columns = [
        c
        for c in scene.categories(table, 300, 2)
        if c not in (column, scene.ctx.sequence.get(table)) and not c.upper().endswith("FL")
    ]
    columns = [
        c
        for c in columns
        if not scene.values(table, c).is_number
        or scene.ctx.tables[table][c].kind == Kind.CATEGORY
        or scene.values(table, c).distinct <= 60
    ]
    if test in scene.ctx.tables[table]:
        options = [[subject, test], *([subject, test, c] for c in columns if c != test)]
    else:
        options = [[subject], *([subject, c] for c in columns)]
        options += [[subject, a, b] for a, b in combinations(columns[:8], 2)]
    for option in options:
        ids = scene.view.group(table, option)[0]
        here = ids[flagged]
        if len(np.unique(here)) >= 0.998 * len(here):
            return option
    return None


def _rule(scene: Scene, table: str, column: str, code: str, by: list[str]) -> Derivation | None:
    base: dict[str, Any] = {"table": table, "target": column, "template": "baseline_flag"}
    best: Derivation | None = None
    needs = _needed(scene, table, column)
    for source, visit in _visits(scene, table, column):
        for pick in ("all", "last", "first"):
            repeats = [None] if pick == "all" else [None, *_repeats(scene, table)]
            for repeat in repeats:
                for need in needs:
                    params = {
                        "rule": "visit",
                        "visit": visit,
                        "by": by,
                        "pick": pick,
                        "value": code,
                        "needs": need,
                        "repeat": repeat,
                    }
                    one = scene.judge(0.9, scope=False, sources=ref(table, source), params=params, **base)
                    if one and (best is None or one.agreement > best.agreement):
                        best = one
        if best and best.agreement >= 0.998:
            return best
    for source, reference, extra in _before(scene, table):
        for strict in (False, True):
            for need in needs:
                params = {
                    "rule": "last_before",
                    "strict": strict,
                    "by": by,
                    "pick": "last",
                    "value": code,
                    "needs": need,
                    **extra,
                }
                sources = (Ref(table=table, column=source), reference)
                for after in (
                    [None] if strict else [None, *_points_after(scene, table, column, source, reference, extra)]
                ):
                    full = {**params, "after": after} if after else params
                    one = scene.judge(0.9, scope=False, sources=sources, params=full, **base)
                    if one and (best is None or one.agreement > best.agreement):
                        best = one
    return best


def _points_after(
    scene: Scene, table: str, column: str, source: str, reference: Ref, extra: dict[str, Any]
) -> list[dict[str, Any]]:
    """Categories of which some values are never flagged on the day of the reference, others are: time points."""
    probe = Derivation(
        table=table, target=column, template="baseline_flag", sources=(*ref(table, source), reference), params=extra
    )
    day = scene.values(table, source).day == seen_from(scene.view, probe, 1)
    flagged = scene.values(table, column).present & day
    found = []
    for name in scene.categories(table, 20, 2):
        values = scene.values(table, name)
        if name in (column, scene.tests(table)):
            continue
        size = len(values.levels) + 1
        rows = np.bincount(values.codes[day] + 1, minlength=size)[1:]
        held = np.bincount(values.codes[flagged] + 1, minlength=size)[1:]
        never = (rows >= LEAST_POINTS) & (held == 0)
        if never.any() and held.any():
            names = json_levels(values.levels)
            found.append({"column": name, "values": [names[k] for k in np.flatnonzero(never)]})
    return found[:3]


def _stricter(scene: Scene, found: Derivation) -> Derivation:
    """The same rule for one row of a group, and for rows with a result only, where that says the same of the source:
    a repeat at the baseline visit or a baseline not done may just not have been seen."""
    flagged = scene.values(found.table, found.target).present
    held = [c for c in scene.candidates(found.table) if c != found.target and not scene.values(found.table, c).is_date]
    results = [
        c
        for c in held
        if scene.values(found.table, c).present[flagged].all() and 0.5 < scene.values(found.table, c).present.mean() < 1
    ]
    pick = "last" if found.params["pick"] == "all" else found.params["pick"]
    for need in [found.params["needs"]] if found.params["needs"] else [*results[:3], None]:
        params = {**found.params, "pick": pick, "needs": need}
        one = scene.judge(
            0.9,
            scope=False,
            table=found.table,
            target=found.target,
            template=found.template,
            sources=found.sources,
            params=params,
        )
        if one and one.agreement >= found.agreement:
            return one
    return found


def _needed(scene: Scene, table: str, column: str) -> list[str | None]:
    """Numeric result columns that are present on all flagged rows but not on all rows."""
    flagged = scene.values(table, column).present
    full = [
        c
        for c in scene.numbers(table)
        if not scene.values(table, c).present.all() and scene.values(table, c).present[flagged].all()
    ]
    return [None, *full[:2]]


def _visits(scene: Scene, table: str, column: str) -> list[tuple[str, Any]]:
    """(column, value) pairs that hold on nearly all flagged rows, the visit column of discovery first."""
    flagged = scene.values(table, column).present
    found = []
    for name in scene.categories(table, 200, 1):
        if name in (column, scene.tests(table), scene.ctx.sequence.get(table)) or name.upper().endswith("SEQ"):
            continue
        values = scene.values(table, name)
        if values.distinct < 2:  # another flag says the same, and is to be found for itself
            continue
        counts = np.bincount(values.codes[flagged] + 1, minlength=len(values.levels) + 1)[1:]
        if not len(counts) or counts.max() < 0.9 * flagged.sum():
            continue
        top = int(counts.argmax())
        total = int((values.codes == top).sum())
        if counts[top] >= 0.2 * total:
            found.append((name != scene.ctx.visit, total, name, json_levels(values.levels)[top]))
    return [(name, visit) for _, _, name, visit in sorted(found, key=lambda f: f[:2])[:3]]


def _repeats(scene: Scene, table: str) -> list[str]:
    """Columns that order the rows of a group: in tables of events dates, else small whole numbers (repetitions)."""
    if scene.tests(table) is None:
        return [c for c in scene.dates(table) if scene.moves(table, c)][:3]
    found = []
    for name in scene.numbers(table):
        values = scene.values(table, name)
        if (
            values.distinct <= 12
            and name != scene.ctx.visit
            and name.upper().endswith(("NUM", "REPNUM", "SEQ", "NO", "REP"))
        ):
            found.append(name)
    return found[:2]


def _before(scene: Scene, table: str) -> list[tuple[str, Ref, dict[str, Any]]]:
    root = scene.ctx.root
    if root is None or root == table or not scene.keyed(root):
        return []
    dates = [c for c in scene.dates(table) if scene.moves(table, c)][:2]
    references = scene.dates(root)[:4]
    return [(d, Ref(table=root, column=r), {"keys": scene.pair(table, root)}) for d in dates for r in references]


def _base_values(scene: Scene, table: str, column: str, code: str, by: list[str]) -> list[Derivation]:
    """Columns that hold the flagged row's value on all rows of the group."""
    found = []
    ids, _ = scene.view.group(table, by)
    flagged = np.flatnonzero(scene.values(table, column).present)
    for target in scene.candidates(table):
        values = scene.values(table, target)
        if (
            values.distinct < 5
            or values.is_date
            or target in by
            or not _fixed(values, ids, scene.view.group(table, by)[1])
        ):
            continue
        for source in scene.candidates(table):
            other = scene.values(table, source)
            if source in (target, *by) or other.stored_number != values.stored_number or other.distinct < 5:
                continue
            a, b = values.text_levels, other.text_levels
            probe = flagged[:: max(1, len(flagged) // 200)]
            same = [
                x >= 0 and y >= 0 and a[x] == b[y] for x, y in zip(values.codes[probe], other.codes[probe], strict=True)
            ]
            if (
                not len(probe)
                or np.mean(same) < 0.9
                or (np.array_equal(values.codes >= 0, other.codes >= 0) and _fixed(other, ids, len(ids)))
            ):
                continue
            one = scene.judge(
                0.98,
                table=table,
                target=target,
                template="baseline_value",
                sources=ref(table, source, column),
                params={"by": by, "flag": code},
            )
            found += [one] if one else []
    return found


def _fixed(values: Values, ids: np.ndarray, size: int) -> bool:
    """Whether a column has one value in nearly each group."""
    first = np.full(size + 1, -1, dtype=np.int64)
    rows = np.flatnonzero(values.present)
    first[ids[rows[::-1]]] = values.codes[rows[::-1]]
    return bool(len(rows) and (values.codes[rows] == first[ids[rows]]).mean() >= 0.98)
