"""Row numbers within the subject, and the order of rows that they follow."""

from __future__ import annotations

from typing import Any

import numpy as np

from datareplicator.structure.derive.scene import Scene, ref
from datareplicator.structure.derive.view import Values, View, json_levels, key_array, level_index
from datareplicator.structure.spec import MEMBER, Derivation, Kind, Ref

TELLING = 0.02
"""Share of the tied rows that a column of the sort order must tell apart."""


def row_number(view: View, d: Derivation) -> np.ndarray:
    """The position of the row within its group, from ``start`` in steps of 1.

    params: ``by``, the columns of the group (the subject; with the member where each part has its own
    numbering); ``order``, the columns to sort by, each {"column", "values"} with the order of its values (null:
    numbers and dates as they are, texts by alphabet); ``start``, a number, or {"column", "values", "starts"} by member.
    Ties keep the order of the frame. Gaps of the source are not repeated.
    """
    ids, _ = view.group(d.table, d.params["by"])
    order = sort_rows(view, d.table, d.params["by"], d.params["order"])
    grouped = ids[order]
    first = np.append(True, grouped[1:] != grouped[:-1])[: len(order)]
    at = np.arange(len(order))
    rank = at - np.maximum.accumulate(np.where(first, at, 0))
    result = np.empty(len(order))
    result[order] = rank
    return result + _starts(view, d)


def _starts(view: View, d: Derivation) -> np.ndarray | float:
    start = d.params["start"]
    if not isinstance(start, dict):
        return float(start)
    values = view.values(d.table, start["column"])
    index = np.append(level_index(values, key_array(start["values"])), -1)[values.codes]
    return np.append(np.array(start["starts"], dtype=float), 1.0)[index]


def sort_rows(view: View, table: str, by: list[str], order: list[dict[str, Any]]) -> np.ndarray:
    """Row positions sorted by group (in order of appearance) and then by the columns of `order`."""
    keys = [sort_key(view.values(table, part["column"]), part["values"]) for part in order]
    return np.lexsort((*keys[::-1], view.group(table, by)[0]))


def sort_key(values: Values, known: list[Any] | None) -> np.ndarray:
    """Numbers that sort as the column does, missing last; unknown values after the known ones."""
    if known is not None:
        index = level_index(values, key_array(known))
        rank = np.where(index < 0, len(known), index).astype(float)
    elif values.stored_number:
        return np.nan_to_num(values.number, nan=np.inf)
    elif values.is_date:
        rank = np.nan_to_num(values.moments.day + values.moments.second / 86_400, nan=np.inf)
        partial = np.isinf(rank) & np.isfinite(values.moments.year)
        rank[partial] = (
            (values.moments.year - 1970) * 365.25 + (np.nan_to_num(values.moments.month, nan=1) - 1) * 30.44
        )[partial]
    else:
        rank = np.empty(len(values.levels))
        rank[np.argsort(values.text_levels)] = np.arange(len(values.levels))
    return np.append(rank, np.inf)[values.codes]


TEMPLATES = {"row_number": row_number}


def mine(scene: Scene) -> list[Derivation]:
    """The row number of every table that has one."""
    found: list[Derivation] = []
    for table in scene.targets:
        if not scene.keyed(table):
            continue
        column = scene.ctx.sequence.get(table) or _sequence(scene, table)
        if column is not None and scene.values(table, column).is_number:
            found.append(_describe(scene, table, column))
    return found


def _sequence(scene: Scene, table: str) -> str | None:
    """The row number where discovery has not named one: whole, unique within subject, from 1 on, or so named."""
    ctx = scene.ctx
    for name, column in ctx.tables[table].columns.items():
        values = scene.values(table, name)
        if not values.stored_number or not column.present.all() or column.kind == Kind.DECIMAL:
            continue
        if not name.upper().endswith("SEQ") or name.upper().endswith(("SRCSEQ", "TPTSEQ")):
            continue
        if scene.view.group(table, [scene.key(table), name])[1] == ctx.tables[table].n:
            return name
    return None


def _describe(scene: Scene, table: str, column: str) -> Derivation:
    view, subject = scene.view, scene.key(table)
    number = scene.values(table, column).number
    by, start = [subject], _start(scene, table, [subject], number)
    member = _own_numbers(scene, table, number)
    if member is not None:
        by, start = [subject, MEMBER], member
    order = learn_order(scene, table, by, number, column)
    params = {"by": by, "order": order, "start": start}
    filed = learn_order(scene, table, by, np.arange(len(number), dtype=float), column)
    if filed != order:
        params["file_order"] = filed
    derivation = Derivation(
        table=table, target=column, template="row_number", sources=tuple(_sources(table, by, order)), params=params
    )
    made = row_number(view, derivation)
    ranks = _rank(view.group(table, by)[0], number)
    params["rank_agreement"] = round(float((made - _starts(view, derivation) == ranks).mean()), 4)
    known = np.isfinite(number)
    return derivation.model_copy(
        update={"params": params, "agreement": float((made == number)[known].mean()), "rows": int(known.sum())}
    )


def _sources(table: str, by: list[str], order: list[dict[str, Any]]) -> list[Ref]:
    names = dict.fromkeys([*(c for c in by if c != MEMBER), *(part["column"] for part in order)])
    return list(ref(table, *names))


def _start(scene: Scene, table: str, by: list[str], number: np.ndarray) -> int:
    ids, size = scene.view.group(table, by)
    low = np.full(size, np.inf)
    np.minimum.at(low, ids, np.nan_to_num(number, nan=np.inf))
    values, counts = np.unique(low[np.isfinite(low)], return_counts=True)
    return int(values[counts.argmax()]) if len(values) else 1


def _own_numbers(scene: Scene, table: str, number: np.ndarray) -> dict[str, Any] | None:
    """The start per member, where the parts of a joined table are numbered apart from each other."""
    if MEMBER not in scene.ctx.tables[table]:
        return None
    member = scene.values(table, MEMBER)
    ids, size = scene.view.group(table, [scene.key(table), MEMBER])
    low = np.full(size, np.inf)
    np.minimum.at(low, ids, np.nan_to_num(number, nan=np.inf))
    owner = np.zeros(size, dtype=np.int64)
    owner[ids] = member.codes
    starts, shares = [], []
    for code in range(len(member.levels)):
        values, counts = np.unique(low[owner == code], return_counts=True)
        starts.append(int(values[counts.argmax()]) if len(values) and np.isfinite(values[0]) else 1)
        shares.append(counts.max() / counts.sum() if len(values) else 1.0)
    if min(shares) < 0.5 or len(set(starts)) < 2 or not _apart(ids, owner, number):
        return None
    return {"column": MEMBER, "values": json_levels(member.levels), "starts": starts}


def _apart(ids: np.ndarray, owner: np.ndarray, number: np.ndarray) -> bool:
    """Whether the numbers of the members lie in ranges of their own, over all subjects."""
    members = owner[ids]
    low, high = (np.array([f(number[members == m]) for m in np.unique(members)]) for f in (np.nanmin, np.nanmax))
    order = np.argsort(low)
    return bool((low[order][1:] > high[order][:-1]).all())


def _rank(ids: np.ndarray, number: np.ndarray) -> np.ndarray:
    order = np.lexsort((number, ids))
    grouped = ids[order]
    at = np.arange(len(order))
    first = np.append(True, grouped[1:] != grouped[:-1])[: len(order)]
    result = np.empty(len(order))
    result[order] = at - np.maximum.accumulate(np.where(first, at, 0))
    return result


def learn_order(scene: Scene, table: str, by: list[str], position: np.ndarray, skip: str) -> list[dict[str, Any]]:
    """The columns by which rows are sorted within a group, given their positions: at each step the column that never
    falls along the rows tied so far and rises most often."""
    view = scene.view
    ids, _ = view.group(table, by)
    rows = np.lexsort((position, ids))
    tied = ids[rows][1:] == ids[rows][:-1]
    candidates = [c for c in scene.candidates(table) if c not in (*by, skip)]
    result: list[dict[str, Any]] = []
    while tied.any() and len(result) < 5:
        best: tuple[int, str, list[Any] | None, np.ndarray] | None = None
        for name in candidates:
            if any(part["column"] == name for part in result):
                continue
            values = scene.values(table, name)
            for known in _collations(scene, table, name, rows, tied):
                key = sort_key(values, known)[rows]
                falls, rises = (key[1:] < key[:-1]) & tied, (key[1:] > key[:-1]) & tied
                up = int(rises.sum())
                if (
                    up >= max(1, TELLING * tied.sum())
                    and falls.sum() <= 0.01 * up
                    and (best is None or up > best[0] * 1.02)
                ):
                    best = up, name, known, tied & ~rises & ~falls
                    break
        if best is None:
            break
        result.append({"column": best[1], "values": best[2]})
        tied = best[3]
    return result


def _collations(scene: Scene, table: str, name: str, rows: np.ndarray, tied: np.ndarray) -> list[list[Any] | None]:
    """Natural order first; for texts of few values also the order in which they follow each other."""
    values = scene.values(table, name)
    if values.stored_number or values.is_date or not 2 <= values.distinct <= 300:
        return [None]
    codes = values.codes[rows]
    a, b = codes[:-1], codes[1:]
    step = tied & (a != b) & (a >= 0) & (b >= 0)
    size = len(values.levels)
    follows = np.zeros((size, size), dtype=np.int64)
    np.add.at(follows, (a[step], b[step]), 1)
    order = _topological(follows)
    names = json_levels(values.levels)
    return [None, [names[i] for i in order]] if order else [None]


def _topological(follows: np.ndarray) -> list[int] | None:
    """An order in which (nearly) every value comes before those seen after it; None where there is no such order."""
    before = follows > 0.02 * (follows + follows.T)
    before &= follows > 0
    left, order = set(range(len(follows))), []
    while left:
        free = [i for i in left if not any(before[j, i] for j in left if j != i)]
        if not free:
            return None
        order += sorted(free)
        left -= set(free)
    return order
