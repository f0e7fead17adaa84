"""Blocks in the making, cut and put together by subject: all that a block says of its subjects and rows goes along."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import fields, replace

import numpy as np
import pandas as pd

from datareplicator.generate.blocks import Begun
from datareplicator.generate.columns import column_so_far
from datareplicator.generate.rows import row_identifier
from datareplicator.generate.state import State
from datareplicator.generate.subjects import SubjectDraw
from datareplicator.model.context import VisitDays
from datareplicator.model.identity import sample_identifier
from datareplicator.model.relations import mark_name
from datareplicator.model.rows import RowsModel
from datareplicator.model.study_model import StudyModel
from datareplicator.model.subjects import Subjects
from datareplicator.model.timeline import VisitRows
from datareplicator.structure.spec import ForeignKey

STORES = ("days", "blank", "seconds", "marks", "fixed", "stopgap")
"""Where a state keeps one value a row, by table and column or by name."""


def loose(state: State) -> State:
    """A copy that can be finished or cut while the state itself stays as it is."""
    return replace(
        state,
        frames={name: frame.copy(deep=False) for name, frame in state.frames.items()},
        **{f: dict(getattr(state, f)) for f in ("subject", *STORES)},
    )


def row_marks(model: StudyModel, table: str) -> set[str]:
    """The names of the marks of a relation that speak of a table's rows."""
    return {mark_name(r, k) for r in model.relations for k, kind in enumerate(r.types) if kind.driver == table}


def _stores(model: StudyModel, state: State, table: str) -> Iterator[tuple[dict, object]]:
    """Where a state keeps one value for each row of a table, beside its frame."""
    n = len(state.subject[table])
    for store in (state.days, state.blank, state.seconds, state.fixed, state.stopgap):
        for key in [key for key in store if key[0] == table and len(store[key]) == n]:
            yield store, key
    own = row_marks(model, table)
    for mark in [m for m in state.marks if m.startswith(f"{table}/") or m in own]:
        yield state.marks, mark


def take_rows(model: StudyModel, state: State, table: str, rows: np.ndarray, subject: np.ndarray | None = None) -> None:
    """Leave the given rows of a table, in that order (a row may come twice); `subject` says whose they are now."""
    for store, key in _stores(model, state, table):
        held = store[key]
        store[key] = held.iloc[rows].reset_index(drop=True) if isinstance(held, pd.Series) else held[rows]
    state.frames[table] = state.frames[table].iloc[rows].reset_index(drop=True)
    state.subject[table] = state.subject[table][rows] if subject is None else subject


def drop_rows(model: StudyModel, state: State, table: str, gone: np.ndarray) -> None:
    """Leave out rows of a table (bool) with all rows below them; what else named one of them names none."""
    structure = model.structure
    above = {t.table for t in model.timelines if t.above is not None and t.above.parent == table}
    below = above | {
        name for name, spec in structure.tables.items() if spec.parent_key and spec.parent_key.parent == table
    }
    hit = {}
    for key in structure.foreign_keys:
        if key.parent == table and key.table != table and key.table in state.frames:
            hit[key] = _naming(state, key, gone)
    take_rows(model, state, table, np.flatnonzero(~gone))
    for key, rows in hit.items():
        if not rows.any():
            continue
        if key.table in below:
            drop_rows(model, state, key.table, rows)
            continue
        frame = state.frames[key.table]
        for own in key.columns:
            if own in frame:
                frame[own] = frame[own].where(~rows)


def _naming(state: State, key: ForeignKey, gone: np.ndarray) -> np.ndarray:
    """bool a row of the key's table: names a row of the parent that goes."""
    child, parent = state.frames[key.table], state.frames[key.parent]
    pairs = [(a, b) for a, b in zip(key.columns, key.parent_columns, strict=True) if a in child and b in parent]
    if not pairs or not gone.any():
        return np.zeros(len(child), dtype=bool)

    def names(frame: pd.DataFrame, columns: list[str], subject: np.ndarray) -> pd.MultiIndex:
        return pd.MultiIndex.from_arrays([subject, *(frame[c].astype(object) for c in columns)])

    own = names(child, [a for a, _ in pairs], state.subject[key.table])
    return own.isin(names(parent, [b for _, b in pairs], state.subject[key.parent])[gone])


def of_subjects(
    model: StudyModel,
    state: State,
    subjects: np.ndarray,
    as_subjects: np.ndarray | None = None,
    *,
    rooted: bool = False,
) -> State:
    """The rows of some subjects, who are `as_subjects` from now on; what is known a subject stays as it was, and with
    `rooted` the table of subjects too, so that columns can be computed."""
    new = np.full(state.subjects.n, -1, dtype=np.int64)
    new[subjects] = subjects if as_subjects is None else as_subjects
    out = loose(state)
    for table in out.frames:
        if rooted and table == model.root.table:
            continue
        owner = new[out.subject[table]]
        rows = np.flatnonzero(owner >= 0)
        take_rows(model, out, table, rows, owner[rows])
    return out


def exchange(model: StudyModel, state: State, other: State, slots: np.ndarray, takes: np.ndarray) -> State:
    """The state in which the subjects `takes` of another block stand in the places `slots`, numbered as the places
    are."""
    if not len(slots):
        return state
    there = replace(of_subjects(model, other, takes, slots), subjects=state.subjects)
    number_again(model, there)
    here = of_subjects(model, state, np.setdiff1d(np.arange(state.subjects.n), slots))
    for table in here.frames:
        subject = np.concatenate([here.subject[table], there.subject[table]])
        order = np.argsort(subject, kind="stable")
        keys = [(s, k) for s, k in _stores(model, here, table)]
        for store, key in keys:
            mine = store[key]
            theirs = _same_store(there, here, store).get(key)
            store[key] = _joined(mine, theirs, len(there.subject[table]), order)
        for store, key in [(s, k) for s, k in _stores(model, there, table)]:
            own = _same_store(here, there, store)
            if key not in own:
                own[key] = _joined(None, store[key], len(here.subject[table]), order)
        here.frames[table] = stack(here.frames[table], there.frames[table], order)
        here.subject[table] = subject[order]
    return _exchange_subjects(here, other, slots, takes)


def _same_store(state: State, of: State, store: dict) -> dict:
    return next(getattr(state, f) for f in STORES if getattr(of, f) is store)


def _joined(mine, theirs, missing: int, order: np.ndarray):
    """Values of both, in order; where one side has none, they are as good as absent there."""
    known = mine if mine is not None else theirs
    gap = (
        pd.Series([None] * missing, dtype=object)
        if isinstance(known, pd.Series)
        else np.full(missing, False if known.dtype == bool else np.nan if known.dtype.kind == "f" else -1)
    )
    parts = [gap if p is None else p for p in (mine, theirs)]
    if isinstance(known, pd.Series):
        return pd.concat(parts, ignore_index=True).iloc[order].reset_index(drop=True)
    return np.concatenate(parts)[order]


def stack(first: pd.DataFrame, second: pd.DataFrame, order: np.ndarray) -> pd.DataFrame:
    """Rows of both, in order; texts stay categories."""
    names = list(dict.fromkeys([*first.columns, *second.columns]))
    columns = {}
    for name in names:
        parts = [f[name] if name in f else pd.Series(np.nan, index=f.index) for f in (first, second)]
        columns[name] = stack_columns(*parts).iloc[order].array
    return pd.DataFrame(columns, index=pd.RangeIndex(len(order)))


def stack_columns(first: pd.Series, second: pd.Series) -> pd.Series:
    """Values of both columns below each other."""
    held = [s for s in (first, second) if isinstance(s.dtype, pd.CategoricalDtype)]
    if not held:
        if first.dtype != second.dtype and object not in (first.dtype, second.dtype):
            parts = [s for s in (first, second) if s.notna().any()]
            if len(parts) == 1:
                first, second = (s.astype(parts[0].dtype) for s in (first, second))
        return pd.concat([first, second], ignore_index=True)
    both = [s if isinstance(s.dtype, pd.CategoricalDtype) else s.astype("category") for s in (first, second)]
    filled = [s for s in both if len(s.cat.categories)] or both[:1]
    levels = filled[0].cat.categories
    for other in filled[1:]:
        if not levels.equals(other.cat.categories):
            levels = levels.union(other.cat.categories, sort=False)
    codes = [np.append(levels.get_indexer(s.cat.categories), -1)[s.cat.codes.to_numpy()] for s in both]
    return pd.Series(pd.Categorical.from_codes(np.concatenate(codes), categories=levels))


def _exchange_subjects(here: State, other: State, slots: np.ndarray, takes: np.ndarray) -> State:
    """What is known a subject, with the others' in their places."""

    def swap(mine: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        if len(mine) != here.subjects.n or len(theirs) != other.subjects.n:
            return mine
        out = mine.copy()
        out[slots] = theirs[takes]
        return out

    visits = here.visits
    if visits is not None and other.visits is not None:
        visits = copy.copy(visits)
        for name in ("day", "end", "attended", "first", "following"):
            setattr(visits, name, swap(getattr(visits, name), getattr(other.visits, name)))
    return replace(
        here,
        subjects=_exchange_all(here.subjects, other.subjects, swap, slots, takes),
        anchor=swap(here.anchor, other.anchor),
        context=_exchange_frame(here.context, other.context, slots, takes),
        visits=visits,
        ends={k: swap(v, other.ends[k]) if k in other.ends else v for k, v in here.ends.items()},
        landmarks={k: swap(v, other.landmarks[k]) if k in other.landmarks else v for k, v in here.landmarks.items()},
        last=swap(here.last, other.last),
    )


def _exchange_all(mine: Subjects, theirs: Subjects, swap: Callable, slots: np.ndarray, takes: np.ndarray) -> Subjects:
    held = {f.name: getattr(mine, f.name) for f in fields(Subjects)}
    for name, value in held.items():
        if isinstance(value, np.ndarray):
            held[name] = swap(value, getattr(theirs, name))
    held["score"] = {k: swap(v, theirs.score[k]) for k, v in mine.score.items()}
    held["covariates"] = _exchange_frame(mine.covariates, theirs.covariates, slots, takes)
    return Subjects(**held)


def _exchange_frame(mine: pd.DataFrame, theirs: pd.DataFrame, slots: np.ndarray, takes: np.ndarray) -> pd.DataFrame:
    """One row a subject, with the others' in their places."""
    rows = np.arange(len(mine))
    rows[slots] = len(mine) + takes
    columns = {c: stack_columns(mine[c], theirs[c]).iloc[rows].array for c in mine.columns}
    return pd.DataFrame(columns, index=mine.index)


def exchange_begun(model: StudyModel, mine: Begun, theirs: Begun, slots: np.ndarray, takes: np.ndarray) -> Begun:
    """As `exchange`, for a block of which only the subjects are there."""
    if not len(slots):
        return mine
    new = np.full(theirs.state.subjects.n, -1)
    new[takes] = slots
    state = exchange(model, mine.state, theirs.state, slots, takes)
    keep, more = ~np.isin(mine.rows.subject, slots), new[theirs.rows.subject] >= 0
    subject = np.concatenate([mine.rows.subject[keep], new[theirs.rows.subject[more]]])
    visit = np.concatenate([mine.rows.visit[keep], theirs.rows.visit[more]])
    day = np.concatenate([mine.rows.day[keep], theirs.rows.day[more]])
    order = np.lexsort((visit, subject))
    rows = VisitRows(subject[order], visit[order], day[order])
    if state.visits is not None:
        end = state.visits.end
        state.visits = VisitDays(rows, state.subjects.n, model.visits, len(model.catalogue or ()))
        state.visits.end = end
    held = {f.name: getattr(mine.draw, f.name) for f in fields(SubjectDraw)}
    for name, value in held.items():
        if isinstance(value, np.ndarray) and len(value):
            held[name] = _places(value, getattr(theirs.draw, name), slots, takes)
    held["values"] = {k: _places(v, theirs.draw.values[k], slots, takes) for k, v in mine.draw.values.items()}
    return Begun(SubjectDraw(**{**held, "subjects": state.subjects}), state, rows)


def _places(mine: np.ndarray, theirs: np.ndarray, slots: np.ndarray, takes: np.ndarray) -> np.ndarray:
    out = mine.copy()
    out[slots] = theirs[takes]
    return out


def number_again(model: StudyModel, state: State) -> None:
    """Identifiers as the subjects' numbers ask for, and with them whatever names a row by one."""
    for table, rows in _row_models(model).items():
        if table not in state.frames:
            continue
        frame = state.frames[table]
        if table == model.root.table:
            numbers = state.numbers[state.subject[table]]
            for identifier in model.root.identifiers:
                parts = [token.text for token in identifier.tokens if token.kind == "column"]
                columns = pd.DataFrame({c: column_so_far(model.structure, table, c, state) for c in parts})
                frame[identifier.column] = sample_identifier(identifier, numbers, columns)
        for identifier in rows.identifiers:
            column = identifier.model.column
            old, new = frame[column], row_identifier(identifier, state, table)
            frame[column] = new
            if identifier.scope == "study":
                _follow(model, state, table, column, dict(zip(old.astype(object), new.astype(object), strict=True)))


def _follow(model: StudyModel, state: State, parent: str, column: str, new: dict) -> None:
    """Rename what names rows of a table by a column."""
    for key in model.structure.foreign_keys:
        if key.parent != parent or column not in key.parent_columns or key.table not in state.frames:
            continue
        own = key.columns[key.parent_columns.index(column)]
        frame = state.frames[key.table]
        if own in frame:
            held = frame[own]
            named = held.astype(object).map(new)
            frame[own] = named.astype(held.dtype) if pd.api.types.is_numeric_dtype(held.dtype) else named


def _row_models(model: StudyModel) -> dict[str, RowsModel]:
    return {model.root.table: model.root.outcomes, **{table.table: table.rows for table in model.tables}}
