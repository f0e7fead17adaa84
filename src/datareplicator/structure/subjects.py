"""Who the rows are about: the subject key, the table with one row a subject, and each row's subject."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from datareplicator.errors import Place, StructureError
from datareplicator.structure.encode import EncodedColumn, EncodedTable
from datareplicator.structure.names import NOT_SUBJECT, ROOTS, SUBJECT, bare, is_named, refers
from datareplicator.structure.spec import ForeignKey, Kind

INCLUDED = 0.98  # share of a reference's distinct values that must be found where they point
FEWEST = 2  # rows up to which a subject that stands twice may be meant to
_NEVER = frozenset({Kind.DATE, Kind.DECIMAL, Kind.FLAG, Kind.TEXT, Kind.TIME, Kind.DURATION, Kind.EMPTY})


@dataclass
class SubjectKey:
    """`column` is the key in the root; `columns[table]` what it is called in each table that carries it."""

    column: str | None
    root: str | None
    columns: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Candidate:
    table: str
    column: str
    children: tuple[tuple[str, str], ...]


def unique_columns(table: EncodedTable) -> list[str]:
    """Columns fit for a key: never missing, no value twice, and neither date, decimal, flag nor free text."""
    return [
        name
        for name, c in table.columns.items()
        if table.n and len(c.distinct) == table.n and (c.kind not in _NEVER or is_named("visit", name))
    ]


def included(child: EncodedColumn, parent: EncodedColumn) -> bool:
    """Whether a column's values are found in another one: at least 98 % of the distinct ones, or all but one 0."""
    if not len(child.distinct):
        return False
    missing = ~pd.Index(child.texts).isin(parent.texts)
    if not missing.any():
        return True
    return missing.mean() <= 1 - INCLUDED or (
        len(missing) > 1 and missing.sum() == 1 and child.texts[missing][0] == "0"
    )


def find_subject(tables: dict[str, EncodedTable]) -> SubjectKey:
    """The subject key: a column that is unique in one table and reached from the most others.

    Well-known names win over counts, since an order id is as unique as a customer's. Where no table has one row
    a subject, a well-known name that recurs is taken and there is no root. A single table without either is its own
    root, one row a subject.
    """
    candidates = _candidates(tables)
    linked = [c for c in candidates if c.children or _rank_name(c.column, c.table) < len(SUBJECT)]
    if linked:
        best = min(linked, key=lambda c: _score(c, tables, candidates))
        known = _recurring(tables)
        if known is not None and known in tables[best.table] and _rank_name(best.column, best.table) == len(SUBJECT):
            # Numbered rows of subjects that have no table of their own.
            return SubjectKey(known, None, {name: known for name, t in tables.items() if known in t})
        columns = {best.table: best.column, **dict(best.children)}
        root = _root(tables, columns, best)
        return SubjectKey(columns[root], root, columns)
    key = _recurring(tables)
    if key is not None:
        return SubjectKey(key, None, {name: key for name, t in tables.items() if key in t})
    root = max(tables, key=lambda name: (bare(name) in ROOTS, tables[name].n), default=None)
    single = next((c.column for c in candidates if c.table == root and numbered(tables[c.table][c.column])), None)
    return SubjectKey(single, root, {root: single} if single and root else {})


def _candidates(tables: dict[str, EncodedTable]) -> list[_Candidate]:
    found = []
    for name, table in tables.items():
        for column in unique_columns(table):
            if table.columns[column].kind == Kind.PII or (table.n < 2 and _rank_name(column, name) == len(SUBJECT)):
                continue
            found.append(_Candidate(name, column, tuple(_children(tables, name, column))))
    return found


def _children(tables: dict[str, EncodedTable], parent: str, column: str) -> list[tuple[str, str]]:
    key, children = tables[parent][column], []
    for name, table in tables.items():
        if name == parent or not table.n:
            continue
        names = [c for c in table.columns if refers(c, parent, column)]
        good = [
            c
            for c in sorted(names, key=lambda c: c != column)
            if table[c].kind not in _NEVER and included(table[c], key)
        ]
        children += [(name, good[0])] if good else []
    return children


def numbered(column: EncodedColumn) -> bool:
    """Whether unique values are identifiers rather than measurements: by kind, or whole numbers without a gap."""
    if column.kind == Kind.IDENTIFIER or column.number is None:
        return column.kind == Kind.IDENTIFIER
    return len(column.number) > 2 and bool(np.ptp(column.number) + 1 == len(column.number))


def _rank_name(column: str, table: str) -> int:
    name = bare(column)
    if name == "id" and bare(table) in ROOTS:
        return SUBJECT.index("subject")
    return SUBJECT.index(name) if name in SUBJECT else len(SUBJECT)


def _score(c: _Candidate, tables: dict[str, EncodedTable], candidates: list[_Candidate]) -> tuple:
    reach, front = {c.table}, [t for t, _ in c.children]
    while front:
        table = front.pop()
        if table not in reach:
            reach.add(table)
            front += [t for other in candidates if other.table == table for t, _ in other.children]
    foreign = NOT_SUBJECT.search(bare(c.column)) is not None and bare(c.table) not in ROOTS
    rows = sum(tables[t].n for t, _ in c.children)
    return (_rank_name(c.column, c.table), foreign, -len(c.children), -len(reach), -rows)


def _root(tables: dict[str, EncodedTable], columns: dict[str, str], best: _Candidate) -> str:
    """Unique on the key, most subjects; then a name, no test code, the key in front, the most columns."""
    unique = [t for t, c in columns.items() if c in unique_columns(tables[t])]

    def rank(name: str) -> tuple:
        table = tables[name]
        test = any(is_named("test", c) for c in table.columns)
        position = list(table.columns).index(columns[name])
        return (-table.n, bare(name) not in ROOTS, test, position, -len(table.columns))

    known = [t for t in unique if bare(t) in ROOTS]
    return min(known or unique or [best.table], key=rank)


def _recurring(tables: dict[str, EncodedTable]) -> str | None:
    names = {c for t in tables.values() for c in t.columns if bare(c) in SUBJECT and len(t[c].distinct)}
    return min(names, key=lambda c: SUBJECT.index(bare(c)), default=None)


def check_subjects(tables: dict[str, EncodedTable], key: SubjectKey, files: dict[str, str | None]) -> list[str]:
    """Notes on rows without a subject that can be explained (pooled rows, relations between datasets).

    Raises StructureError, naming file, table, column and row, for a subject key that is missing without a reason.
    """
    notes = []
    for name, table in tables.items():
        column = _meant_key(name, tables, key)
        if column is not None and (name, column) != (key.root, key.column):
            _check_root(name, table, column, files)
    for name, column in key.columns.items():
        table = tables[name]
        missing = np.flatnonzero(~table[column].present)
        if not len(missing):
            continue
        if len(missing) == table.n:
            notes.append(f"{name}: no row names a subject in {column}; the table is copied unchanged")
        elif "POOLID" in table and table["POOLID"].present[missing].all():
            notes.append(f"{name}: {len(missing)} rows are about pools of subjects (POOLID) and are left out")
        elif not {"RDOMAIN", "rdomain"} & set(table.columns):
            raise StructureError(
                f"the subject key is missing in {len(missing)} of {table.n} rows.",
                place=Place(files.get(name), name, column, int(missing[0]) + 1),
                hint="Fill in the subject's identifier, or remove the rows.",
            )
    return notes


def _meant_key(name: str, tables: dict[str, EncodedTable], key: SubjectKey) -> str | None:
    """The column by which a table of subjects, by its name, names its subjects: the study's key, or a better known
    name that tables without that key carry too (its defects are then why it was not found to be the key)."""
    if bare(name) not in ROOTS:
        return None
    others = [t for other, t in tables.items() if other != name and other not in key.columns]
    carried = {c for t in others for c in t.columns if len(t[c].distinct)}
    known = [c for c in tables[name].columns if c in carried and bare(c) in SUBJECT]
    if key.column is not None and key.column in tables[name]:
        known.append(key.column)
    return min(known, key=lambda c: _rank_name(c, name), default=None)


def _check_root(name: str, table: EncodedTable, column: str, files: dict[str, str | None]) -> None:
    """A table of subjects by its name, in which hardly any subject stands twice, is meant to have one row each."""
    place = Place(files.get(name), name, column)
    if not table.n:
        raise StructureError(
            "the table of subjects has no rows, and other tables name subjects.",
            place=place,
            hint="Add one row a subject.",
        )
    codes = table[column].codes
    missing, again = np.flatnonzero(codes < 0), np.flatnonzero((codes >= 0) & pd.Series(codes).duplicated().to_numpy())
    # One slip in a table of a few rows is a slip too.
    if not 0 < len(missing) + len(again) <= max(0.1 * table.n, table.n > FEWEST):
        return
    if len(missing):
        raise StructureError(
            f"the subject key is missing in {len(missing)} of {table.n} rows{_listed(missing)}.",
            place=replace(place, row=int(missing[0]) + 1),
            hint="Fill in the subject's identifier, or remove the rows.",
        )
    raise StructureError(
        f"a subject stands here twice ({len(again)} more rows than subjects{_listed(again)}).",
        place=replace(place, row=int(again[0]) + 1),
        hint="Keep one row a subject in this table.",
    )


def _listed(rows: np.ndarray) -> str:
    """The numbers of the rows where there are several, the first ten of them."""
    if len(rows) < 2:
        return ""
    return f": rows {', '.join(str(k + 1) for k in rows[:10])}{' and more' if len(rows) > 10 else ''}"


def subject_codes(tables: dict[str, EncodedTable], key: SubjectKey) -> tuple[pd.Index, dict[str, np.ndarray]]:
    """The distinct subjects (the root's first, as text) and each row's index into them, -1 where unknown."""
    if key.root is None and not key.columns:
        return pd.Index([]), {}
    if key.column is None:
        n = tables[key.root].n if key.root else 0
        return pd.Index([str(i) for i in range(n)]), {key.root: np.arange(n, dtype=np.int32)} if key.root else {}
    order = sorted(key.columns, key=lambda t: t != key.root)
    texts = [tables[t][key.columns[t]].texts for t in order if t in tables]
    subjects = pd.Index(pd.unique(np.concatenate(texts)))
    codes = {}
    for name in order:
        column = tables[name][key.columns[name]]
        if len(column.distinct):
            codes[name] = np.append(subjects.get_indexer(column.texts), -1)[column.codes].astype(np.int32)
    return subjects, codes


def reach(
    tables: dict[str, EncodedTable], codes: dict[str, np.ndarray], keys: list[ForeignKey]
) -> dict[str, ForeignKey]:
    """Extend `codes` in place to tables that reach a subject only through a foreign key, and say through which."""
    through: dict[str, ForeignKey] = {}
    while True:
        new = [k for k in keys if k.table not in codes and k.parent in codes and len(k.columns) == 1]
        if not new:
            return through
        key = min(new, key=lambda k: (-_resolved(tables, k), k.parent))
        codes[key.table] = np.append(codes[key.parent], -1)[parent_rows(tables, key)].astype(np.int32)
        through[key.table] = key


def parent_rows(tables: dict[str, EncodedTable], key: ForeignKey) -> np.ndarray:
    """The parent's row that each row names by a one-column key, -1 for none."""
    child, parent = tables[key.table][key.columns[0]], tables[key.parent][key.parent_columns[0]]
    codes, values = pd.factorize(parent.texts)
    first = np.full(len(values) + 1, -1, dtype=np.int64)
    known = np.flatnonzero(parent.codes >= 0)[::-1]
    first[codes[parent.codes[known]]] = known
    return np.append(first[pd.Index(values).get_indexer(child.texts)], -1)[child.codes]


def _resolved(tables: dict[str, EncodedTable], key: ForeignKey) -> int:
    return int((parent_rows(tables, key) >= 0).sum())
