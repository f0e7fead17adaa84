"""From a study to its structure. The order of the steps matters: each takes columns out of the next one's sight."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.errors import Place, StructureError
from datareplicator.structure.derive import View, mine_formulas
from datareplicator.structure.derive.lookup import build as build_lookup
from datareplicator.structure.domains import domain_of, join_parts
from datareplicator.structure.encode import Context, EncodedTable, encode_table
from datareplicator.structure.foreign import composite_keys, single_keys, subject_keys
from datareplicator.structure.keys import NaturalKey, find_sequence, groups, natural_key
from datareplicator.structure.layout import Facts, find_layout
from datareplicator.structure.links import mine_links
from datareplicator.structure.logical import to_logical
from datareplicator.structure.lookups import LookupJob, mine_lookups
from datareplicator.structure.names import TRIAL_DESIGN, is_named, named, prefix_of
from datareplicator.structure.order import COPIED, choose, protect
from datareplicator.structure.orders import mine_orders
from datareplicator.structure.pointers import Pointers, find_pointers
from datareplicator.structure.repeated import find_constant
from datareplicator.structure.roles import Roles, find_roles, find_test
from datareplicator.structure.spec import (
    MEMBER,
    ColumnSpec,
    Derivation,
    ForeignKey,
    Kind,
    Layout,
    Structure,
    TableSpec,
)
from datareplicator.structure.subjects import (
    SubjectKey,
    check_subjects,
    find_subject,
    reach,
    subject_codes,
    unique_columns,
)
from datareplicator.study import Study

Progress = Callable[[str], None]
MANY = 100  # subjects from which events may have a key other than their number: terms are unique by chance before
SOFT = frozenset({"copy_by_key", "interval", "exists", "present", "aggregate", "same", "limits", "linear"})
"""Templates that a lookup may replace: their targets stay in sight of lookups."""


@dataclass
class _State:
    """What the steps hand on to each other."""

    study: Study
    key: SubjectKey
    members: dict[str, tuple[str, ...]]
    pointers: Pointers
    ctx: Context
    encoded: dict[str, EncodedTable]
    through: dict[str, ForeignKey] = field(default_factory=dict)
    foreign: list[ForeignKey] = field(default_factory=list)
    finds: list[Derivation] = field(default_factory=list)
    keys: dict[str, NaturalKey] = field(default_factory=dict)
    roles: dict[str, Roles] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def copied(self) -> frozenset[str]:
        """Tables that point into others: neither parents nor children of keys."""
        return frozenset(t for t, layout in self.pointers.layouts.items() if layout != Layout.REFERENCE)


def discover(study: Study, *, progress: Progress | None = None) -> Structure:
    """Find keys, layouts, roles, derivations, references and links of a study.

    `progress` is called with a plain word as each step begins. Raises StructureError where no study can be
    learned: no rows at all, a subject key with unexplained gaps, a table of observations without its subject.
    """
    tell = progress or (lambda _: None)
    tell("reading columns")
    state = _prepare(study)
    tell("finding formulas")
    ctx = state.ctx
    state.finds += find_constant(ctx)
    for name in ctx.tables:
        ctx.test[name] = find_test(ctx, name)
    for name in ctx.tables:
        ctx.sequence[name] = find_sequence(ctx, name, groups(ctx, name, _parent_column(state, name)))
    state.finds += mine_formulas(ctx)
    tell("finding keys")
    _find_keys(state)
    tell("finding lookups")
    return _assemble(state)


def _prepare(study: Study) -> _State:
    encoded = {name: encode_table(name, t.frame, t.columns) for name, t in study.tables.items()}
    if not any(t.n for t in encoded.values()):
        raise StructureError("no table has rows", hint="Check that the files hold data below their header.")
    files = {name: t.origin.file if t.origin is not None else None for name, t in study.tables.items()}
    key = find_subject({n: t for n, t in encoded.items() if t.n})
    notes = check_subjects(encoded, key, files)
    members, more = join_parts(encoded, key)
    notes += [*more, *(f"{n}: no rows; written empty" for n, t in encoded.items() if not t.n)]
    pointers = find_pointers(encoded, members, key)
    frames = to_logical(study, _skeleton(encoded, members, key, pointers))
    tables = {n: _reuse(n, frame, study, encoded, members[n]) for n, frame in frames.items()}
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
    state = _State(study, logical, members, pointers, ctx, encoded, notes=[*notes, *pointers.notes])
    keys = single_keys(ctx, state.copied)
    state.through = reach(tables, codes, keys)
    _check_unplaced(state, encoded, files)
    return state


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


def _check_unplaced(state: _State, encoded: dict[str, EncodedTable], files: dict[str, str | None]) -> None:
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
                f"the subject key {ctx.subject} is missing, and no other column leads to a subject",
                place=Place(files.get(part), part, ctx.subject),
                hint="Add the column, or leave the table out.",
            )
        state.notes.append(f"{name}: no subject is named or reached; copied unchanged")


def _parent_column(state: _State, table: str) -> str | None:
    """The column to number rows within, where rows lie below another table's."""
    key = state.through.get(table)
    return key.columns[-1] if key is not None else None


def _find_keys(state: _State) -> None:
    ctx = state.ctx
    derived: dict[str, set[str]] = {}
    for d in state.finds:
        if d.template not in SOFT:
            derived.setdefault(d.table, set()).add(d.target)
    for name in ctx.tables:
        group = groups(ctx, name, _parent_column(state, name))
        state.keys[name] = natural_key(ctx, name, group, derived.get(name, set()), ctx.test.get(name))
    state.foreign = [*subject_keys(ctx), *single_keys(ctx, state.copied), *composite_keys(ctx, state.copied)]
    state.foreign = _one_each(state.foreign)
    for name in ctx.tables:
        state.roles[name] = find_roles(ctx, name)
    ctx.visit = _visit_column(state)


def _one_each(keys: list[ForeignKey]) -> list[ForeignKey]:
    kept: dict[tuple, ForeignKey] = {}
    for key in keys:
        kept.setdefault((key.table, key.columns), key)
    return list(kept.values())


def _visit_column(state: _State) -> str | None:
    counts: dict[str, int] = {}
    for name, roles in state.roles.items():
        if roles.visit is not None and name in state.ctx.subject_codes:
            counts[roles.visit] = counts.get(roles.visit, 0) + 1
    return max(counts, key=lambda c: counts[c], default=None)


def _assemble(state: _State) -> Structure:
    ctx = state.ctx
    visit_table = _visit_table(state)
    tables = {n: _table(state, n, visit_table) for n in ctx.tables}
    tables |= {n: _pointing(state, n) for n in state.members if n not in tables}
    tables = {n: tables[n] for n in state.members}
    root = ctx.tables.get(ctx.root or "")
    group = _root_named(root, "group")
    site = _root_named(root, "site")
    protected = protect(tables, ctx.root, group, site, visit_table)
    anchor = _anchor(state)
    state.finds = [d for d in state.finds if not _attendance(d, tables, anchor, visit_table)]
    chosen = choose(state.finds, tables, protected)
    derivations = choose(state.finds + _lookups(state, tables, group, chosen), tables, protected)
    return Structure(
        subject=ctx.subject,
        root=ctx.root,
        tables=tables,
        derivations=derivations,
        foreign_keys=tuple(state.foreign),
        supplements=tuple(state.pointers.supplements),
        anchor=anchor,
        group=group,
        site=site,
        visit=ctx.visit,
        visit_table=visit_table,
        links=tuple(link for link in mine_links(ctx) if tables[link.table].layout not in COPIED),
        orders=tuple(o for o in mine_orders(ctx) if tables[o.table].layout not in COPIED),
        notes=tuple(dict.fromkeys(state.notes)),
    )


def _attendance(d: Derivation, tables: dict[str, TableSpec], anchor: str | None, visit_table: str | None) -> bool:
    """A subject's date that equals the first or last date of some findings says only who was there that day: left out
    where visits have a table of their own, and for the date that all others count from."""
    findings = any(tables[s.table].layout == Layout.FINDINGS for s in d.sources if s.table in tables)
    return d.template == "aggregate" and findings and (visit_table is not None or d.target == anchor)


def _visit_table(state: _State) -> str | None:
    """The table that most others point at by (subject, visit); else one of visits only, by its key."""
    ctx, visit = state.ctx, state.ctx.visit
    if visit is None:
        return None
    parents = [k.parent for k in state.foreign if k.columns[-1] == visit and len(k.columns) == 2]
    usable = [t for t in ctx.tables if ctx.test.get(t) is None and state.keys[t].columns == (visit,)]
    counted = [t for t in dict.fromkeys(parents) if ctx.test.get(t) is None]
    named_sv = [t for t in usable if t.upper() in ("SV", "VISITS", "VISIT")]
    return next(iter([*named_sv, *sorted(counted, key=lambda t: -parents.count(t))]), None)


def _table(state: _State, name: str, visit_table: str | None) -> TableSpec:
    ctx, roles, key = state.ctx, state.roles[name], state.keys[name]
    table, through = ctx.tables[name], state.through.get(name)
    parent = through or _rows_above(state, name, visit_table)
    facts = Facts(name, roles, key, parent, through is not None, name == visit_table)
    layout = state.pointers.layouts.get(name) or find_layout(ctx, facts)
    subject = ctx.subject_columns.get(name) if name in ctx.subject_codes else None
    codes = ctx.subject_codes.get(name, np.empty(0, dtype=np.int32))
    axes: tuple[str, ...] = ()
    if layout == Layout.FINDINGS:
        dates = [c for c in key.columns if table[c].kind == Kind.DATE]
        axes = tuple(c for c in key.columns if c not in (roles.test, roles.visit, *dates))
    return TableSpec(
        name=name,
        members=state.members[name],
        layout=layout,
        rows=table.n,
        subjects=len(np.unique(codes[codes >= 0])),
        columns=tuple(_spec(ctx, name, c.spec) for c in table.columns.values()),
        subject=subject,
        parent_key=parent if layout == Layout.CHILDREN else None,
        key=_full_key(state, name, layout, subject),
        sequence=ctx.sequence.get(name),
        axes=axes,
        **_role_fields(roles, layout),
    )


def _spec(ctx: Context, table: str, spec: ColumnSpec) -> ColumnSpec:
    """The subject key is an identifier wherever it stands, however few subjects there are."""
    if spec.name == ctx.subject_columns.get(table) and spec.kind != Kind.EMPTY:
        return spec.model_copy(update={"kind": Kind.IDENTIFIER, "pii": None})
    return spec


def _role_fields(roles: Roles, layout: Layout) -> dict[str, str | None]:
    fields = dict(vars(roles))
    if layout != Layout.FINDINGS:
        fields |= dict.fromkeys(("test", "value", "text", "original", "unit", "status"))
    if layout in (Layout.REFERENCE, Layout.SUBJECT, Layout.VISITS, Layout.RELATION):
        fields["code"] = None
    if layout == Layout.SUBJECT:
        fields["visit"] = None
    return fields


def _full_key(state: _State, name: str, layout: Layout, subject: str | None) -> tuple[str, ...]:
    """The key with the subject (or the parent's key) in front; the row number where nothing else names a row."""
    ctx, found = state.ctx, state.keys[name].columns
    if name == ctx.root and subject is None:
        return tuple(unique_columns(ctx.tables[name]))[:1]
    table = ctx.tables[name]
    to_here = [k.parent_columns for k in state.foreign if k.parent == name]
    pointed = next((c[-1] for c in to_here if len(c) == 1), None)
    if name != ctx.root and pointed is not None and pointed in unique_columns(table):
        return (pointed,)
    front = (subject,) if subject is not None else ()
    through = state.through.get(name)
    if through is not None and not front:
        front = through.columns
    if front and len(table[front[0]].distinct) == table.n:
        return front
    numbered = ctx.sequence.get(name) is not None and layout in (Layout.EVENTS, Layout.SETS)
    if found and not (numbered and ctx.n_subjects < MANY and ctx.visit not in found):
        return (*front, *(c for c in found if c not in front))
    if ctx.sequence.get(name) is not None:
        return (*front, ctx.sequence[name])
    return tuple(c for c in unique_columns(table) if c != MEMBER)[:1]


def _rows_above(state: _State, name: str, visit_table: str | None) -> ForeignKey | None:
    """A key, never missing, to rows of another table of the subject that is no visit table and has more than one child
    a row: order lines that carry the customer as well."""
    ctx = state.ctx
    for key in state.foreign:
        if key.table != name or key.parent in (ctx.root, visit_table) or key.parent not in ctx.subject_codes:
            continue
        if is_named("visit", key.columns[-1]) or ctx.test.get(key.parent) is not None:
            continue
        column = ctx.tables[name][key.columns[-1]]
        if column.present.all() and len(column.distinct) < ctx.tables[name].n:
            return key
    return None


def _pointing(state: _State, name: str) -> TableSpec:
    """A supplemental table, which has no logical frame of its own."""
    parts = state.members[name]
    source = [state.encoded[p] for p in parts]
    specs = {c.name: c.spec for t in source for c in t.columns.values()}
    return TableSpec(
        name=name,
        members=parts,
        layout=Layout.SUPPLEMENT,
        rows=sum(t.n for t in source),
        subjects=0,
        columns=tuple(specs.values()),
        subject=state.key.columns.get(name),
    )


def _root_named(root: EncodedTable | None, role: str) -> str | None:
    if root is None:
        return None
    fits = [c for c in named(role, root.columns) if root[c].kind not in (Kind.EMPTY, Kind.PII, Kind.DATE, Kind.TEXT)]
    return next(iter(fits), None)


def _lookups(
    state: _State, tables: dict[str, TableSpec], group: str | None, chosen: Iterable[Derivation]
) -> list[Derivation]:
    ctx, found = state.ctx, []
    view = View({name: table.frame for name, table in ctx.tables.items()})
    for name, spec in tables.items():
        if spec.layout in COPIED:
            continue
        first = [spec.test, spec.code, spec.visit, *spec.axes, *(state.keys[name].columns)]
        first = [group, *first] if name == ctx.root else first
        computed = {d.target for d in chosen if d.table == name and d.template not in SOFT}
        job = LookupJob(
            table=name,
            first=list(dict.fromkeys(c for c in first if c is not None and ctx.tables[name][c].kind != Kind.DATE)),
            results={c for c in (spec.value, spec.text, spec.original) if c is not None},
            derived=computed,
            axes={c for c in (spec.test, spec.code, *spec.axes) if c is not None},
            tested=spec.test is not None,
        )
        found += mine_lookups(ctx, job, lambda t, by, target: build_lookup(view, t, by, target))
    return found


def _anchor(state: _State) -> str | None:
    """The root date that most study days count from; else one named so; else the earliest that nearly all have."""
    ctx = state.ctx
    if ctx.root is None:
        return None
    votes: dict[str, int] = {}
    for d in state.finds:
        if d.template == "study_day":
            for source in d.sources:
                if source.table == ctx.root and not (d.table == ctx.root and source.column == d.sources[0].column):
                    votes[source.column] = votes.get(source.column, 0) + d.rows
    if votes:
        return max(votes, key=lambda c: votes[c])
    root = ctx.tables[ctx.root]
    dates = {n: c.days for n, c in root.columns.items() if c.kind == Kind.DATE and np.isfinite(c.days).any()}
    fits = [c for c in named("anchor", dates) if np.isfinite(dates[c]).mean() > 0.2]
    if fits:
        return fits[0]
    recent = {n: d for n, d in dates.items() if np.isfinite(d).mean() >= 0.8}
    latest = max((np.nanmedian(d) for d in recent.values()), default=0.0)
    sensible = {n: d for n, d in recent.items() if latest - np.nanmedian(d) < 730 and "bi" not in n.lower()[:3]}
    return min(sensible, key=lambda n: np.nanmedian(sensible[n]), default=None)
