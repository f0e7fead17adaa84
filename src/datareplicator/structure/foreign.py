"""Foreign keys: by agreement of the subjects first, by names where no subject can vouch, composite ones last."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from datareplicator.structure.encode import Context, EncodedTable
from datareplicator.structure.names import bare, is_named, refers
from datareplicator.structure.spec import MEMBER, ForeignKey, Kind
from datareplicator.structure.subjects import INCLUDED, included, parent_rows, unique_columns

AGREED = 0.99  # share of rows whose subject is that of the row they point at
FEW = 3  # subjects under which their agreement proves nothing
SHIFTED = 0.85  # inclusion after pairing each subject with the next, from which a composite key is mere numbering
LEAST_ROWS = 5
OWN_ROWS = 0.5  # share of rows that may name themselves, as the head of a tree does
REFERENCE = re.compile(
    r"_(?:by|to)$|parent|manager|supervisor|referr|reports_?to|mother|father|previous|prior_|predecessor|preceding",
    re.I,
)
_NEVER = frozenset({Kind.DATE, Kind.DECIMAL, Kind.FLAG, Kind.TEXT, Kind.TIME, Kind.DURATION, Kind.EMPTY, Kind.PII})


def subject_keys(ctx: Context) -> list[ForeignKey]:
    """From every table that carries the subject key to the root."""
    if ctx.root is None or ctx.subject is None:
        return []
    return [
        ForeignKey(table=t, columns=(c,), parent=ctx.root, parent_columns=(ctx.subject,))
        for t, c in ctx.subject_columns.items()
        if t != ctx.root and t in ctx.tables and t in ctx.subject_codes
    ]


def single_keys(ctx: Context, skip: frozenset[str] = frozenset()) -> list[ForeignKey]:
    """One-column references other than to the subject; at most one parent a column."""
    found: dict[tuple[str, str], list[tuple[tuple, ForeignKey]]] = {}
    for parent, table in ctx.tables.items():
        if parent in skip or table.n < 2:
            continue
        for column in unique_columns(table):
            if table[column].kind == Kind.PII or (parent == ctx.root and column == ctx.subject):
                continue
            for child in ctx.tables:
                for name in _pointing(ctx, child, parent, column, skip):
                    key = ForeignKey(table=child, columns=(name,), parent=parent, parent_columns=(column,))
                    rank = _accept(ctx, key)
                    if rank is not None:
                        found.setdefault((child, name), []).append((rank, key))
    best = [min(options, key=lambda o: o[0])[1] for options in found.values()]
    return _without_names([_with_subject(ctx, key) for key in _acyclic(best)])


def _pointing(ctx: Context, child: str, parent: str, column: str, skip: frozenset[str]) -> list[str]:
    if child == parent or child in skip:
        return []
    key = ctx.tables[parent][column]
    values = set(key.texts)
    names = []
    for name, c in ctx.tables[child].columns.items():
        if name in (MEMBER, ctx.subject_columns.get(child)) or not len(c.distinct):
            continue
        if c.kind in _NEVER and not is_named("visit", name):
            continue
        few = c.texts[:20]
        if sum(v in values for v in few) >= len(few) - 1 and included(c, key):
            names.append(name)
    return names


def _accept(ctx: Context, key: ForeignKey) -> tuple | None:
    """A rank (small is good) for a reference to keep, None for one to drop."""
    (name,), (column,) = key.columns, key.parent_columns
    named = refers(name, key.parent, column)
    child, parent = ctx.tables[key.table], ctx.tables[key.parent]
    if key.table in ctx.subject_codes and key.parent in ctx.subject_codes and key.parent != ctx.root:
        if _of_root(ctx, key.table, name) and _one_row(ctx, key.parent):
            return None  # a second name of the subject, which the subject key says already
        rows = parent_rows(ctx.tables, key)
        held = np.flatnonzero(rows >= 0)
        mine, theirs = ctx.subject_codes[key.table][held], ctx.subject_codes[key.parent][rows[held]]
        if len(np.unique(theirs)) < FEW and (not named or parent[column].kind != Kind.IDENTIFIER):
            return None
        if (mine == theirs).mean() < AGREED or is_named("sequence", name):
            return None
        if not named and (is_named("reference", name) or len(child[name].distinct) == child.n == parent.n):
            return None
        return (not named, -len(child[name].distinct), parent.n)
    if key.parent == ctx.root or not named or is_named("sequence", name):
        return None
    if is_named("visit", name) or is_named("visit_name", name):
        return None  # a list of planned visits knows no unscheduled one
    if name == column and name in unique_columns(child) and child.n >= parent.n:
        return None
    return (False, name != column, -len(child[name].distinct), parent.n)


def _one_row(ctx: Context, table: str) -> bool:
    subjects = ctx.subject_codes[table]
    return len(np.unique(subjects)) == len(subjects)


def _of_root(ctx: Context, table: str, column: str) -> bool:
    """Whether a column repeats the root's column of its name for each subject."""
    root = ctx.tables[ctx.root] if ctx.root is not None else None
    if ctx.root is None or root is None or column not in root or ctx.root not in ctx.subject_codes:
        return False
    theirs = pd.Series(root[column].codes, index=ctx.subject_codes[ctx.root])
    if not theirs.index.is_unique:
        return False
    place = pd.Index(root[column].texts).get_indexer(ctx.tables[table][column].texts)
    mine = np.append(place, -1)[ctx.tables[table][column].codes]
    return bool((theirs.reindex(ctx.subject_codes[table]).to_numpy() == mine).mean() >= AGREED)


def _with_subject(ctx: Context, key: ForeignKey) -> ForeignKey:
    both = [ctx.subject_columns.get(t) for t in (key.table, key.parent)]
    if None in both:
        return key
    return key.model_copy(update={"columns": (both[0], *key.columns), "parent_columns": (both[1], *key.parent_columns)})


def self_keys(ctx: Context, skip: frozenset[str] = frozenset(), known: Iterable[ForeignKey] = ()) -> list[ForeignKey]:
    """References of a table to rows of its own: a manager, the one who referred a subject, an event that this one
    follows. All values name rows, some rows name none or several name one; texts vouch for themselves, numbers need a
    name that speaks of a reference, since small whole numbers are found in any row of numbers."""
    taken = {(k.table, c) for k in known for c in k.columns}
    found = []
    for table, encoded in ctx.tables.items():
        if table in skip or encoded.n < LEAST_ROWS:
            continue
        keys = [c for c in unique_columns(encoded) if encoded[c].kind != Kind.PII]
        for name, column in encoded.columns.items():
            options = [k for k in keys if k != name and (table, name) not in taken and _names_rows(encoded, name, k)]
            own = [k for k in options if ctx.subject_columns.get(table) != name and column.kind not in _NEVER]
            found += [ForeignKey(table=table, columns=(name,), parent=table, parent_columns=(k,)) for k in own[:1]]
    return found


def _names_rows(encoded: EncodedTable, name: str, key: str) -> bool:
    column, parent = encoded[name], encoded[key]
    if len(column.distinct) < 2 or not set(column.texts) <= set(parent.texts):
        return False
    if column.present.all() and len(column.distinct) == encoded.n:
        return False
    at = parent_rows({"": encoded}, ForeignKey(table="", columns=(name,), parent="", parent_columns=(key,)))
    if (at == np.arange(encoded.n)).mean() > OWN_ROWS:
        return False
    texts = column.number is None and parent.number is None and len(column.distinct) >= FEW
    return texts or refers(name, "", key) or REFERENCE.search(name) is not None


def _acyclic(keys: list[ForeignKey]) -> list[ForeignKey]:
    """Two tables never point at each other: the one with fewer rows per key is the parent (first come)."""
    kept: list[ForeignKey] = []
    for key in keys:
        if not any(k.table == key.parent and k.parent == key.table for k in kept):
            kept.append(key)
    return kept


def composite_keys(ctx: Context, skip: frozenset[str] = frozenset()) -> list[ForeignKey]:
    """(subject, x) -> (subject, x) of the one table that most others point at by that name."""
    tables = [t for t in ctx.tables if ctx.subject_columns.get(t) and t in ctx.subject_codes and t not in skip]
    parents: dict[str, list[str]] = {}
    for name in tables:
        for column, c in ctx.tables[name].columns.items():
            fit = name != ctx.root and c.present.all() and _key_like(ctx, name, column)
            if fit and _pairs_unique(ctx, name, column):
                parents.setdefault(column, []).append(name)
    keys: list[ForeignKey] = []
    for column, options in parents.items():
        trials = [_children(ctx, tables, parent, column) for parent in options]
        best = max(trials, key=lambda found: (len(found), sum(ctx.tables[k.table].n for k in found)))
        keys += best
    return _without_names(keys)


def _without_names(keys: list[ForeignKey]) -> list[ForeignKey]:
    """A visit's name beside its number says nothing more."""
    numbered = {(k.table, k.parent) for k in keys if is_named("visit", k.columns[-1])}
    return [k for k in keys if not (is_named("visit_name", k.columns[-1]) and (k.table, k.parent) in numbered)]


def _key_like(ctx: Context, table: str, column: str) -> bool:
    c = ctx.tables[table][column]
    visit = is_named("visit", column)
    return (
        (visit or c.kind in (Kind.INTEGER, Kind.CATEGORY, Kind.IDENTIFIER))
        and len(c.distinct) > 1
        and column not in (MEMBER, ctx.subject_columns.get(table))
        and column not in ctx.constant.get(table, {})
        and not is_named("visit_day", column)
        and not bare(column).endswith(("dy", "day"))
    )


def _cells(ctx: Context, table: str, column: str, values: pd.Index, shift: int = 0) -> np.ndarray:
    """One integer for (subject, value) a row; -1 where either is missing or unknown."""
    c = ctx.tables[table][column]
    value = np.append(values.get_indexer(c.texts), -1)[c.codes]
    subject = ctx.subject_codes[table].astype(np.int64)
    moved = (subject + shift) % max(ctx.n_subjects, 1)
    return np.where((subject >= 0) & (value >= 0), moved * (len(values) + 1) + value, -1)


def _pairs_unique(ctx: Context, table: str, column: str) -> bool:
    cells = _cells(ctx, table, column, pd.Index(pd.unique(ctx.tables[table][column].texts)))
    cells = cells[cells >= 0]
    several = np.bincount(ctx.subject_codes[table][ctx.subject_codes[table] >= 0]).max(initial=0) > 1
    return bool(len(cells)) and several and len(np.unique(cells)) == len(cells)


def _children(ctx: Context, tables: list[str], parent: str, column: str) -> list[ForeignKey]:
    values = pd.Index(pd.unique(ctx.tables[parent][column].texts))
    held = np.unique(_cells(ctx, parent, column, values))
    found = []
    for name in tables:
        if name == parent or column not in ctx.tables[name] or not ctx.tables[name][column].present.any():
            continue
        if not _included(ctx, name, column, values, held):
            continue
        both = (ctx.subject_columns[name], ctx.subject_columns[parent])
        found.append(ForeignKey(table=name, columns=(both[0], column), parent=parent, parent_columns=(both[1], column)))
    return found


def _included(ctx: Context, name: str, column: str, values: pd.Index, held: np.ndarray) -> bool:
    present = ctx.tables[name][column].present & (ctx.subject_codes[name] >= 0)
    cells = np.unique(_cells(ctx, name, column, values)[present])
    if not len(cells) or np.isin(cells, held[held >= 0]).mean() < INCLUDED:
        return False
    if ctx.n_subjects < FEW:
        return is_named("visit", column)
    moved = np.unique(_cells(ctx, name, column, values, shift=1)[present])
    return bool(np.isin(moved, held).mean() < SHIFTED) or is_named("visit", column)
