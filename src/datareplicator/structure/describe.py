"""From what was found to the description of each table, and of the study's anchor, visits, arm and site."""

from __future__ import annotations

import numpy as np

from datareplicator.structure.encode import Context, EncodedTable
from datareplicator.structure.layout import Facts, find_layout
from datareplicator.structure.names import is_named, named
from datareplicator.structure.roles import Roles
from datareplicator.structure.spec import MEMBER, ColumnSpec, ForeignKey, Kind, Layout, TableSpec
from datareplicator.structure.state import State
from datareplicator.structure.subjects import numbered, unique_columns

MANY = 100  # subjects from which events may have a key other than their number: terms are unique by chance before


def visit_column(state: State) -> str | None:
    """The column that numbers visits in most tables with subjects."""
    counts: dict[str, int] = {}
    for name, roles in state.roles.items():
        if roles.visit is not None and name in state.ctx.subject_codes:
            counts[roles.visit] = counts.get(roles.visit, 0) + 1
    return max(counts, key=lambda c: counts[c], default=None)


def find_visit_table(state: State) -> str | None:
    """The table that most others point at by (subject, visit); else one of visits only, by its key."""
    ctx, visit = state.ctx, state.ctx.visit
    if visit is None:
        return None
    parents = [k.parent for k in state.foreign if k.columns[-1] == visit and len(k.columns) == 2]
    usable = [t for t in ctx.tables if ctx.test.get(t) is None and state.keys[t].columns == (visit,)]
    counted = [t for t in dict.fromkeys(parents) if ctx.test.get(t) is None]
    named_sv = [t for t in usable if t.upper() in ("SV", "VISITS", "VISIT")]
    return next(iter([*named_sv, *sorted(counted, key=lambda t: -parents.count(t))]), None)


def describe(state: State, name: str, visit_table: str | None) -> TableSpec:
    """A logical table: its layout, keys and the part its columns play."""
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
        rows = [k.columns[-1] for k in state.foreign if k.table == name and k.parent in ctx.subject_codes]
        axes = tuple(c for c in key.columns if c not in (roles.test, roles.visit, *dates, *rows))
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


def _full_key(state: State, name: str, layout: Layout, subject: str | None) -> tuple[str, ...]:
    """The key with the subject (or the parent's key) in front; the row number where nothing else names a row."""
    ctx, found = state.ctx, state.keys[name].columns
    if name == ctx.root and subject is None:
        return _row_names(ctx.tables[name])
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
    if state.keys[name].declared:
        return (*front, *(c for c in found if c not in front))
    if found and not (numbered and ctx.n_subjects < MANY and found != (ctx.visit,)):
        return (*front, *(c for c in found if c not in front))
    if ctx.sequence.get(name) is not None:
        return (*front, ctx.sequence[name])
    return _row_names(table)


def _row_names(table: EncodedTable) -> tuple[str, ...]:
    """The first column that names rows; a measurement that happens to have no value twice does not."""
    return tuple(c for c in unique_columns(table) if c != MEMBER and numbered(table[c]))[:1]


def _rows_above(state: State, name: str, visit_table: str | None) -> ForeignKey | None:
    """A key, never missing, to rows of another table of the subject that is no visit table and has more than one child
    a row: order lines that carry the customer as well."""
    ctx = state.ctx
    for key in state.foreign:
        if key.table != name or key.parent in (name, ctx.root, visit_table) or key.parent not in ctx.subject_codes:
            continue
        if is_named("visit", key.columns[-1]) or ctx.test.get(key.parent) is not None:
            continue
        column = ctx.tables[name][key.columns[-1]]
        if column.present.all() and len(column.distinct) < ctx.tables[name].n:
            return key
    return None


def describe_supplement(state: State, name: str) -> TableSpec:
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


def root_named(root: EncodedTable | None, role: str) -> str | None:
    """The root column whose name says the role best (the planned arm, the site)."""
    if root is None:
        return None
    fits = [c for c in named(role, root.columns) if root[c].kind not in (Kind.EMPTY, Kind.PII, Kind.DATE, Kind.TEXT)]
    return next(iter(fits), None)


def find_anchor(state: State) -> str | None:
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
