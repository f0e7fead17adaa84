"""The first steps of discovery: encode, join, pivot, and find each row's subject."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from datareplicator.errors import Place, StructureError
from datareplicator.structure.clocks import find_displaced, moved
from datareplicator.structure.corrections import Corrections
from datareplicator.structure.declared import declared_references
from datareplicator.structure.domains import domain_of, join_parts
from datareplicator.structure.encode import Context, EncodedTable, encode_table
from datareplicator.structure.foreign import single_keys
from datareplicator.structure.logical import to_logical
from datareplicator.structure.names import TRIAL_DESIGN, is_named, named, prefix_of
from datareplicator.structure.pointers import Pointers, find_pointers
from datareplicator.structure.spec import Kind, Layout, Structure, TableSpec
from datareplicator.structure.state import State
from datareplicator.structure.subjects import SubjectKey, check_subjects, find_subject, reach, subject_codes
from datareplicator.study import Study


def prepare(study: Study, corrections: Corrections | None = None) -> State:
    """Encode a study and find its subjects, split domains, pointing tables, and the subject of each row.

    `corrections` set kinds of columns right before anything is made of them. Raises StructureError where no study can
    be learned from the tables as they are, RequestError for corrections that do not fit them.
    """
    fix = corrections or Corrections()
    encoded = {name: encode_table(name, t.frame, t.columns) for name, t in study.tables.items()}
    if not any(t.n for t in encoded.values()):
        raise StructureError("no table has rows", hint="Check that the files hold data below their header.")
    if fix:
        encoded = _set_right(encoded, fix)
    files = {name: t.origin.file if t.origin is not None else None for name, t in study.tables.items()}
    key = find_subject({n: t for n, t in encoded.items() if t.n})
    notes = check_subjects(encoded, key, files)
    displaced = find_displaced(encoded, key)
    study, encoded = _on_one_clock(study, encoded, displaced)
    notes += [f"{n}: all dates lie {d} days after those of {key.root}; kept so" for n, d in displaced.items()]
    members, more = join_parts(encoded, key)
    notes += [*more, *(f"{n}: no rows; written empty" for n, t in encoded.items() if not t.n)]
    pointers = find_pointers(encoded, members, key)
    frames = to_logical(study, _skeleton(encoded, members, key, pointers))
    tables = {n: _reuse(n, frame, study, encoded, members[n]) for n, frame in frames.items()}
    tables = fix.columns(tables, members, logical=True)
    logical = SubjectKey(
        key.column,
        next((n for n, parts in members.items() if key.root in parts), None),
        {n: key.columns[parts[0]] for n, parts in members.items() if parts[0] in key.columns},
    )
    subjects, codes = subject_codes(tables, SubjectKey(logical.column, logical.root, _carried(tables, logical)))
    ctx = Context(
        tables=tables,
        subject=key.column,
        root=logical.root,
        subject_columns={t: c for t, c in logical.columns.items() if t in tables},
        subjects=subjects,
        subject_codes=codes,
    )
    state = State(study, logical, members, pointers, ctx, encoded, notes=[*study.notes, *notes, *pointers.notes])
    state.displaced = displaced
    keys = declared_references(fix, ctx, members, single_keys(ctx, state.copied))
    state.through = reach(tables, codes, keys)
    _check_unplaced(state, encoded, files)
    return state


def _on_one_clock(
    study: Study, encoded: dict[str, EncodedTable], displaced: dict[str, int]
) -> tuple[Study, dict[str, EncodedTable]]:
    """Study and columns with the dates of displaced tables on the clock of the others."""
    tables, encoded = dict(study.tables), dict(encoded)
    for name, days in displaced.items():
        table, old = tables[name], encoded[name]
        late = [c for c, held in old.columns.items() if held.kind == Kind.DATE]
        frame = moved(table.frame, late, -days)
        tables[name] = replace(table, frame=frame)
        fresh = encode_table(name, frame[late], table.columns).columns
        encoded[name] = EncodedTable(name, frame, {**old.columns, **fresh}, old.n)
    return (replace(study, tables=tables) if displaced else study), encoded


def _set_right(encoded: dict[str, EncodedTable], fix: Corrections) -> dict[str, EncodedTable]:
    """The source's tables with corrected columns. Names of joined tables are known once subjects are."""
    key = find_subject({n: t for n, t in encoded.items() if t.n})
    members, _ = join_parts(encoded, key)
    columns = {name: [c for part in parts for c in encoded[part].columns] for name, parts in members.items()}
    subjects = {name: key.columns[parts[0]] for name, parts in members.items() if parts[0] in key.columns}
    fix.check_subject(subjects, columns, members)
    return fix.columns(encoded, members, logical=False)


def _carried(tables: dict[str, EncodedTable], key: SubjectKey) -> dict[str, str]:
    return {t: c for t, c in key.columns.items() if t in tables and len(tables[t][c].distinct)}


def _skeleton(
    encoded: dict[str, EncodedTable], members: dict[str, tuple[str, ...]], key: SubjectKey, pointers: Pointers
) -> Structure:
    """Just enough structure to join split domains and pivot supplements."""
    tables = {}
    for name, parts in members.items():
        first = encoded[parts[0]]
        numbering = (c for c in named("sequence", first.columns) if all(_counts(encoded[p], c) for p in parts))
        tables[name] = TableSpec(
            name=name,
            members=parts,
            layout=pointers.layouts.get(name, Layout.EVENTS),
            rows=sum(encoded[p].n for p in parts),
            subjects=0,
            columns=(),
            subject=key.columns.get(parts[0]),
            sequence=next(numbering, None),
        )
    return Structure(subject=key.column, root=key.root, tables=tables, supplements=tuple(pointers.supplements))


def _counts(table: EncodedTable, column: str) -> bool:
    return column in table and table[column].number is not None and table[column].spec.encoding in ("integer", "float")


def _reuse(
    name: str, frame: pd.DataFrame, study: Study, encoded: dict[str, EncodedTable], parts: tuple[str, ...]
) -> EncodedTable:
    """Encode what joining and pivoting made; keep the rest as it was encoded."""
    if len(parts) == 1:
        table = encoded[parts[0]]
        fresh = [c for c in frame.columns if c not in table.columns]
        more = encode_table(name, frame[fresh]).columns if fresh else {}
        return EncodedTable(name, frame, {**table.columns, **more}, table.n)
    declared = {c: column for p in reversed(parts) for c, column in study[p].columns.items()}
    return encode_table(name, frame, declared)


def _check_unplaced(state: State, encoded: dict[str, EncodedTable], files: dict[str, str | None]) -> None:
    """A table of observations that no subject reaches cannot be learned, and must not be copied unseen."""
    ctx = state.ctx
    for name, table in ctx.tables.items():
        if name in ctx.subject_codes or not table.n or name in state.pointers.layouts or ctx.subject is None:
            continue
        domain = domain_of(table) or prefix_of(table.columns)
        observed = any(is_named(role, c) for c in table.columns for role in ("original", "value", "start", "sequence"))
        own = domain is not None and domain not in TRIAL_DESIGN and table.name.upper().startswith(domain)
        if ctx.subject not in table and own and observed:
            part = state.members[name][0]
            raise StructureError(
                f"the subject key {ctx.subject} is missing, and no other column leads to a subject.",
                place=Place(files.get(part), part, ctx.subject),
                hint="Add the column, or leave the table out.",
            )
        state.notes.append(f"{name}: no subject is named or reached; copied unchanged")
