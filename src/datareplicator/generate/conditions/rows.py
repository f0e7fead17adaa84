"""Rows that break a constraint, or that are to become an event: made like rows of the same kind that fit.

The other row is one of the block's own: a draw of the model for the same test or term. What it gives is everything
that was drawn of it but its dates, its place in the study and what other tables refer to, so that the row stays
coherent in itself, and computed columns follow. Of results near ones are taken (predictive mean matching; Little, 1988,
"Missing-data adjustments in large surveys"), so that a subject keeps its level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from datareplicator.expressions import Expression
from datareplicator.expressions.tree import Aggregate, walk
from datareplicator.generate.conditions.condition import Condition
from datareplicator.generate.conditions.judge import Seen, look
from datareplicator.generate.conditions.states import exchange, loose, of_subjects, take_rows
from datareplicator.generate.state import State
from datareplicator.model.study_model import StudyModel
from datareplicator.structure.names import is_named
from datareplicator.structure.spec import Kind, Layout

TRIES = 8
NEAR = 5
"""How many neighbours on either side a result may come from at the first try; twice as many at each further one."""


@dataclass
class Pool:
    """A table's rows as they may give and take. `copied`: the columns that go over; `group`: int a row, rows of the
    same kind; `value`: float a row, by which near rows are found (all NaN: any row is near); `bound`: bool a row,
    others depend on it: it neither gives nor takes."""

    table: str
    copied: tuple[str, ...]
    group: np.ndarray
    value: np.ndarray
    bound: np.ndarray


def pool_of(model: StudyModel, state: State, table: str, asked: set[str]) -> Pool:
    """The rows of a table as donors and takers. `asked`: the drawn columns that are to change; where the term of an
    event is among them, rows of any term are alike."""
    spec, frame = model.structure.tables[table], state.frames[table]
    findings = spec.layout == Layout.FINDINGS
    results = {spec.value, spec.text, spec.original, spec.unit, spec.status}
    fixed = {spec.subject, spec.sequence, spec.test, spec.visit, spec.code, *spec.axes, *spec.key}
    fixed |= {c for key in model.structure.foreign_keys if key.table == table for c in key.columns}
    fixed |= {c for t, c in state.days if t == table}
    rows = next((t.rows for t in model.tables if t.table == table), None)
    if rows is not None:
        fixed |= {i.model.column for i in rows.identifiers} | set(rows.personal)
    free = [c for c in model.structure.free(table) if c in frame and (c in results or c not in fixed)]
    copied = [
        c
        for c in free
        if spec.column(c).kind not in (Kind.IDENTIFIER, Kind.PII, Kind.DATE)
        and (not findings or c in results or is_named("result", c))
    ]
    term = next((getattr(t, "term", None) for t in model.tables if t.table == table), None)
    keys = [c for c in (spec.test, *spec.axes) if c in frame] if findings else [c for c in (term,) if c in frame]
    if not findings and asked & set(keys):
        copied, keys = [*copied, *keys], []
    copied = list(dict.fromkeys(c for c in copied if c not in keys))
    dates = [] if findings else [np.isnan(v) for (t, _), v in state.days.items() if t == table and len(v) == len(frame)]
    group = pd.DataFrame({str(k): pd.factorize(frame[c])[0] for k, c in enumerate(keys)}, index=frame.index)
    for k, gap in enumerate(dates):
        group[f"gap {k}"] = gap
    code = group.groupby(list(group.columns)).ngroup().to_numpy() if len(group.columns) else np.zeros(len(frame), int)
    value = np.full(len(frame), np.nan)
    for column in (spec.original, spec.value, spec.text):
        if findings and column in copied and not np.isfinite(value).any():
            value = pd.to_numeric(frame[column].astype(object), errors="coerce").to_numpy(dtype=float)
    return Pool(table, tuple(copied), code, value, _bound(model, state, table))


def _bound(model: StudyModel, state: State, table: str) -> np.ndarray:
    """Rows that facts of the subject, other rows or relations depend on."""
    frame = state.frames[table]
    out = np.zeros(len(frame), dtype=bool)
    for mark, rows in state.marks.items():
        if mark.startswith(f"{table}/") and len(rows) == len(out):
            out |= rows
    for link in model.structure.links:
        if link.table == table and link.column in frame:
            out |= (frame[link.column].astype(object) == link.code).to_numpy(dtype=bool)
        if link.kind == "call" and link.by == table and link.root in frame:
            out |= (frame[link.root].astype(object) == link.value).to_numpy(dtype=bool)
    for (t, _), values in state.fixed.items():
        if t == table and len(values) == len(out):
            out |= values.notna().to_numpy()
    return out


def give(state: State, pool: Pool, targets: np.ndarray, donors: np.ndarray) -> None:
    """Let rows take over what was drawn of others."""
    frame = state.frames[pool.table]
    rows = np.arange(len(frame))
    rows[targets] = donors
    for column in pool.copied:
        frame[column] = frame[column].array.take(rows)
    for (table, column), blank in state.blank.items():
        if table == pool.table and column in pool.copied:
            state.blank[table, column] = blank[rows]


def donors_for(
    pool: Pool, targets: np.ndarray, givers: np.ndarray, attempt: int, rng: np.random.Generator
) -> np.ndarray:
    """For each target a row of its kind among `givers` (row numbers), near in value; -1 where there is none."""
    out = np.full(len(targets), -1)
    value = np.nan_to_num(pool.value, nan=np.inf)
    order = givers[np.lexsort((value[givers], pool.group[givers]))]
    start = np.searchsorted(pool.group[order], pool.group[targets], side="left")
    end = np.searchsorted(pool.group[order], pool.group[targets], side="right")
    u = rng.random(len(targets))
    known = end > start
    measured = np.isfinite(pool.value[targets])
    for k in np.flatnonzero(known & measured):
        at = start[k] + np.searchsorted(value[order[start[k] : end[k]]], value[targets[k]])
        width = NEAR * 2**attempt
        low, high = max(start[k], at - width), min(end[k], at + width)
        out[k] = order[low + int(u[k] * (high - low))]
    rest = known & ~measured
    out[rest] = order[(start[rest] + u[rest] * (end[rest] - start[rest])).astype(np.int64)]
    return out


def repair_rows(
    model: StudyModel, state: State, table: str, rules: Sequence[Condition], rng: np.random.Generator
) -> tuple[State, np.ndarray]:
    """Redraw the rows of a table that break one of its local rules; returns the state and which rows that broke a rule
    were redrawn (bool, rules by rows). Rows for which no try fits stay as they were.
    """
    first = look(model, state, rules)
    truth = np.array([first.truth(rule) for rule in rules])
    wrong = (truth < 0).any(axis=0)
    redrawn = np.zeros(len(wrong), dtype=bool)
    if not wrong.any():
        return state, redrawn & (truth < 0)
    asked = {ref.column for rule in rules for ref in rule.free if ref.table == table}
    pool = pool_of(model, state, table, asked)
    movable = asked & set(pool.copied)
    givers = np.flatnonzero(~wrong & ~pool.bound)
    left = np.flatnonzero(wrong & ~pool.bound)
    if not movable or not len(givers):
        return state, redrawn & (truth < 0)
    for attempt in range(TRIES):
        donors = donors_for(pool, left, givers, attempt, rng)
        fits = np.flatnonzero(donors >= 0)
        if not len(fits):
            break
        done = _accepted(model, state, pool, left[fits], donors[fits], rules)
        give(state, pool, left[fits][done], donors[fits][done])
        redrawn[left[fits][done]] = True
        left = np.setdiff1d(left, left[fits][done])
        if not len(left):
            break
    return state, redrawn & (truth < 0)


def thin_rows(
    model: StudyModel, state: State, table: str, rules: Sequence[Condition], kept: np.ndarray, rng: np.random.Generator
) -> tuple[State, np.ndarray]:
    """Leave out events of subjects who have too many for a rule over their rows: a quarter of those in the way at a
    time, and one at least. Returns the state and how many rows of the subjects `kept` (bool) went, for each rule;
    subjects who fit no rule better for it stay as they were."""
    before, out = look(model, state, rules), state
    bad = np.any([before.broken(rule) for rule in rules], axis=0)
    gone = np.zeros(len(rules), dtype=np.int64)
    for _ in range(2 * TRIES):
        found = look(model, out, rules)
        truth = np.array([(found.truth(rule) < 0) & _counted(rule, found) for rule in rules])
        open_rows = truth.any(axis=0) & ~_bound(model, out, table)
        if not open_rows.any():
            break
        owner = out.subject[table]
        place = rng.permutation(len(owner))
        order = np.flatnonzero(open_rows)
        order = order[np.lexsort((place[order], owner[order]))]
        rank = pd.Series(owner[order]).groupby(owner[order]).cumcount().to_numpy()
        size = np.bincount(owner[order], minlength=state.subjects.n)[owner[order]]
        drop = np.zeros(len(owner), dtype=bool)
        drop[order[rank < np.maximum(size // 4, 1)]] = True
        gone += (truth & drop & kept[owner]).sum(axis=1)
        out = loose(out)
        take_rows(model, out, table, np.flatnonzero(~drop))
    after = look(model, out, rules)
    worse = bad & np.any([after.broken(rule) for rule in rules], axis=0)
    back = np.flatnonzero(worse)
    return exchange(model, out, state, back, back), gone


def _counted(rule: Condition, found: Seen) -> np.ndarray:
    """bool a row: the rule's functions over rows speak of it."""
    nodes = [n for n in walk(rule.expression.tree) if isinstance(n, Aggregate) and n.table in (None, rule.table)]
    if not nodes or any(n.where is None for n in nodes):
        return np.ones(len(found.frames[rule.table]), dtype=bool)
    parts = [replace(rule, expression=Expression(n.where, rule.expression.text)) for n in nodes if n.where is not None]
    return np.any([found.truth(part) == 1 for part in parts], axis=0)


def _accepted(
    model: StudyModel, state: State, pool: Pool, targets: np.ndarray, donors: np.ndarray, rules: Sequence[Condition]
) -> np.ndarray:
    """bool a target: no rule is broken there once it took over its donor's values."""
    trial, place = _trial(model, state, pool, targets, donors)
    after = look(model, trial, rules)
    return ~np.any([after.truth(rule)[place] < 0 for rule in rules], axis=0)


def _trial(
    model: StudyModel, state: State, pool: Pool, targets: np.ndarray, donors: np.ndarray
) -> tuple[State, np.ndarray]:
    """The rows of the targets' subjects alone, with the donors' values, and where the targets are among them."""
    owner = state.subject[pool.table]
    subjects = np.unique(owner[targets])
    whole = loose(state)
    give(whole, pool, targets, donors)
    part = of_subjects(model, whole, subjects, rooted=True)
    rows = np.flatnonzero(np.isin(owner, subjects))
    return part, np.searchsorted(rows, targets)


def convert_rows(
    model: StudyModel,
    state: State,
    event: Condition,
    rules: Sequence[Condition],
    number: int,
    kept: np.ndarray,
    rng: np.random.Generator,
    *,
    once: bool = False,
) -> np.ndarray:
    """Let up to `number` rows of the subjects `kept` (bool) that are no event become one; below zero the other way.

    `once`: only in subjects who have none, one row each. Returns the subjects of those that did, int a row.
    """
    seen_before = look(model, state, [event, *rules])
    truth, table = seen_before.truth(event), event.table
    asked = {ref.column for ref in event.free if ref.table == table}
    pool = pool_of(model, state, table, asked)
    if not asked & set(pool.copied):
        return np.empty(0, dtype=np.int64)
    owner = state.subject[table]
    broken = np.any([seen_before.truth(r) < 0 for r in rules if r.table == table] or [np.zeros(len(truth))], axis=0)
    is_event = truth == 1
    source, aim = (is_event, ~is_event) if number > 0 else (~is_event, is_event)
    givers = np.flatnonzero(source & ~pool.bound & ~broken)
    open_rows = aim & ~pool.bound & kept[owner]
    if once:
        open_rows &= seen_before.count(table, is_event)[owner] == 0
    goal, made = abs(number), np.empty(0, dtype=np.int64)
    for _ in range(TRIES):
        if len(made) >= goal or not len(givers):
            break
        targets, donors = _matched(pool, givers, np.flatnonzero(open_rows), goal - len(made), owner, once, rng)
        if not len(targets):
            break
        trial, place = _trial(model, state, pool, targets, donors)
        after: Seen = look(model, trial, [event, *rules])
        fine = (after.truth(event)[place] == 1) == (number > 0)
        for rule in rules:
            if rule.table == table:
                fine &= after.truth(rule)[place] >= 0
            else:
                fine &= ~after.broken(rule)[owner[targets]]
        give(state, pool, targets[fine], donors[fine])
        made = np.append(made, owner[targets[fine]])
        open_rows[targets] = False
        if once:
            open_rows &= ~np.isin(owner, owner[targets[fine]])
    return made


def _matched(
    pool: Pool, givers: np.ndarray, open_rows: np.ndarray, number: int, owner: np.ndarray, once: bool, rng
) -> tuple[np.ndarray, np.ndarray]:
    """Up to `number` rows, and for each a giver of its kind: kinds come as often as among the givers."""
    order = open_rows[rng.permutation(len(open_rows))]
    order = order[np.isin(pool.group[order], pool.group[givers])]
    if once:
        order = order[~pd.Series(owner[order]).duplicated().to_numpy()]
    waiting: dict[int, list[int]] = {}
    for row in order.tolist():
        waiting.setdefault(int(pool.group[row]), []).append(row)
    targets, donors = [], []
    for giver in givers[rng.integers(len(givers), size=4 * number + 20)].tolist():
        rows = waiting.get(int(pool.group[giver]))
        if rows and len(targets) < number:
            targets.append(rows.pop())
            donors.append(giver)
    return np.array(targets, dtype=np.int64), np.array(donors, dtype=np.int64)
