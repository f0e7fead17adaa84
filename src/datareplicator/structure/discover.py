"""From a study to its structure. The order of the steps matters: each takes columns out of the next one's sight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from datareplicator.structure.contents import content
from datareplicator.structure.correction import Correction
from datareplicator.structure.corrections import Corrections, Denied
from datareplicator.structure.declared import corrected_key, declared_derivations, declared_links, declared_references
from datareplicator.structure.derive import View, mine_steps, mine_totals
from datareplicator.structure.derive.lookup import build as build_lookup
from datareplicator.structure.describe import (
    describe,
    describe_supplement,
    find_anchor,
    find_visit_table,
    root_named,
    visit_column,
)
from datareplicator.structure.encode import Context
from datareplicator.structure.foreign import composite_keys, self_keys, single_keys, subject_keys
from datareplicator.structure.keys import find_sequence, groups, natural_key
from datareplicator.structure.links import mine_links
from datareplicator.structure.lookups import LookupJob, mine_lookups
from datareplicator.structure.order import COPIED, NUMERIC, choose, circle, protect, rests_on
from datareplicator.structure.orders import mine_orders
from datareplicator.structure.prepare import prepare
from datareplicator.structure.repeated import find_constant
from datareplicator.structure.roles import find_roles, find_test
from datareplicator.structure.spec import Derivation, ForeignKey, Kind, Layout, Ref, Structure, TableSpec
from datareplicator.structure.state import State
from datareplicator.study import Study

Progress = Callable[[str], None]
SOFT = NUMERIC | {"copy_by_key", "interval", "exists", "present", "aggregate", "same", "series"}
"""Templates that a lookup may replace: their targets stay in sight of lookups."""


def discover(
    study: Study,
    *,
    corrections: Sequence[Correction] = (),
    earlier: Structure | None = None,
    progress: Progress | None = None,
) -> Structure:
    """Find keys, layouts, roles, derivations, references and links of a study.

    `corrections` are the user's; each acts in the step that it is about, so that all that follows rests on it.
    `earlier`: what was found in the same study before: formulas are looked for again only in tables that are seen
    otherwise now. `progress` is called with a plain word as each step begins. Raises StructureError where no study can
    be learned: no rows at all, a subject key with unexplained gaps, a table of observations without its subject.
    Raises RequestError for a correction that names what is not there or that the data contradict.
    """
    tell = progress or (lambda _: None)
    fix = Corrections(corrections)
    tell("reading columns")
    state = prepare(study, fix)
    ctx = state.ctx
    fix.check_names(ctx, state.members)
    tell("finding formulas")
    state.finds += find_constant(ctx)
    denied = fix.computed(ctx, state.members)
    denied.forget()
    for name in ctx.tables:
        ctx.test[name] = find_test(ctx, name)
    for name in ctx.tables:
        ctx.sequence[name] = find_sequence(ctx, name, groups(ctx, name, _parent_column(state, name)))
    contents = {name: content(ctx, name) for name in ctx.tables}
    held, only = _held(earlier, ctx, contents)
    mined = mine_steps(ctx, held, only)
    state.finds += [d for step in mined for d in step]
    state.finds = denied.without(state.finds)
    tell("finding keys")
    _find_keys(state, fix, denied)
    tell("finding lookups")
    found = _assemble(state, fix, denied)
    return found.model_copy(update={"mined": tuple(map(tuple, mined)), "contents": contents})


def _held(
    earlier: Structure | None, ctx: Context, contents: dict[str, str]
) -> tuple[Sequence[Sequence[Derivation]], frozenset[str]]:
    """What an earlier discovery found in the same tables, and the tables that are not the same: all of them, where the
    table of subjects, which all others look at, is among them."""
    every = frozenset(contents)
    if earlier is None or earlier.contents.keys() != contents.keys():
        return (), every
    changed = frozenset(name for name in contents if earlier.contents[name] != contents[name])
    return (earlier.mined, changed) if ctx.root not in changed else ((), every)


def _parent_column(state: State, table: str) -> str | None:
    """The column to number rows within, where rows lie below another table's."""
    key = state.through.get(table)
    return key.columns[-1] if key is not None else None


def _find_keys(state: State, fix: Corrections, denied: Denied) -> None:
    ctx = state.ctx
    derived: dict[str, set[str]] = {}
    for d in state.finds:
        if d.template not in SOFT:
            derived.setdefault(d.table, set()).add(d.target)
    for name in ctx.tables:
        group = groups(ctx, name, _parent_column(state, name))
        found = natural_key(ctx, name, group, derived.get(name, set()), ctx.test.get(name))
        state.keys[name] = corrected_key(fix, ctx, state.members, name, group, found)
    state.foreign = [*subject_keys(ctx), *single_keys(ctx, state.copied), *composite_keys(ctx, state.copied)]
    state.foreign += self_keys(ctx, state.copied, state.foreign)
    for _, table, column in fix.resolved(ctx, state.members, deny="reference"):
        if not any(k.table == table and k.columns[-1] == column for k in state.foreign):
            fix.nothing("reference", table, column)
    state.foreign = _one_each(declared_references(fix, ctx, state.members, state.foreign))
    state.finds += denied.without(mine_totals(ctx, state.foreign))
    for name in ctx.tables:
        state.roles[name] = find_roles(ctx, name)
    ctx.visit = visit_column(state)


def _one_each(keys: list[ForeignKey]) -> list[ForeignKey]:
    kept: dict[tuple, ForeignKey] = {}
    for key in keys:
        kept.setdefault((key.table, key.columns), key)
    return list(kept.values())


def _assemble(state: State, fix: Corrections, denied: Denied) -> Structure:
    ctx = state.ctx
    visit_table = find_visit_table(state)
    tables = {n: describe(state, n, visit_table) for n in ctx.tables}
    tables |= {n: describe_supplement(state, n) for n in state.members if n not in tables}
    tables = {n: tables[n] for n in state.members}
    root = ctx.tables.get(ctx.root or "")
    group = root_named(root, "group")
    site = root_named(root, "site")
    protected = {**_row_names(state), **protect(tables, ctx.root, group, site, visit_table)}
    anchor = find_anchor(state)
    state.finds = [d for d in state.finds if not _attendance(d, tables, anchor, visit_table)]
    declared = _declared(state, fix, tables, protected)
    chosen = choose(state.finds, tables, protected, declared)
    lookups = denied.without(_lookups(state, tables, group, chosen))
    derivations = choose(state.finds + lookups, tables, protected, declared)
    if ctx.root is not None and ctx.subject is not None:
        named = rests_on(derivations, Ref(table=ctx.root, column=ctx.subject))
        fix.check_names_of_subjects(ctx, state.members, {(r.table, r.column) for r in named})
    for what in ("derivation", "dependency"):
        asked = [(t, c) for _, t, c in fix.resolved(ctx, state.members, deny=what)]
        for table, column in denied.idle(asked):
            fix.nothing(what, table, column)
    links = declared_links(fix, ctx, state.members, mine_links(ctx))
    orders = fix.orders(ctx, state.members, mine_orders(ctx))
    return Structure(
        subject=ctx.subject,
        root=ctx.root,
        tables=_naming_subjects(tables, derivations, ctx.root),
        derivations=derivations,
        foreign_keys=tuple(state.foreign),
        supplements=tuple(state.pointers.supplements),
        anchor=anchor,
        group=group,
        site=site,
        visit=ctx.visit,
        visit_table=visit_table,
        links=tuple(link for link in links if tables[link.table].layout not in COPIED),
        orders=tuple(o for o in orders if tables[o.table].layout not in COPIED),
        displaced=state.displaced,
        notes=tuple(dict.fromkeys([*state.notes, *fix.notes])),
        corrections=fix.given,
    )


def _naming_subjects(
    tables: dict[str, TableSpec], derivations: Sequence[Derivation], root: str | None
) -> dict[str, TableSpec]:
    """The tables, in which what repeats an identifier of the subject is an identifier too."""
    copies = {
        (d.table, d.target)
        for d in derivations
        if d.template == "copy_subject"
        and root is not None
        and all(s.table == root and tables[root].column(s.column).kind == Kind.IDENTIFIER for s in d.sources)
    }
    out = dict(tables)
    for name in {table for table, _ in copies}:
        columns = (
            c.model_copy(update={"kind": Kind.IDENTIFIER})
            if (name, c.name) in copies and c.kind == Kind.CATEGORY
            else c
            for c in tables[name].columns
        )
        out[name] = tables[name].model_copy(update={"columns": tuple(columns)})
    return out


def _declared(
    state: State, fix: Corrections, tables: dict[str, TableSpec], protected: dict[Ref, frozenset[str]]
) -> list[Derivation]:
    """The derivations that the user declares. Raises RequestError for one of a column that is drawn or copied, or that
    rests on itself."""
    found: list[Derivation] = []
    for number, d in declared_derivations(fix, state.ctx, state.members, tables):
        if tables[d.table].layout in COPIED:
            raise fix.fail(number, f"the rows of {d.table} are copied or made by other means.")
        if Ref(table=d.table, column=d.target) in protected:
            raise fix.fail(number, "the column says which row it is, and others follow from it: it is drawn.")
        found.append(d)
        if circle(found) is not None:
            raise fix.fail(number, "with the others that are declared, the column rests on itself.")
    return found


def _row_names(state: State) -> dict[Ref, frozenset[str]]:
    """The columns that name rows of other tables of the subject, with the templates that may compute them: a formula
    that fits their numbers is a coincidence of how the rows were counted."""
    ctx = state.ctx
    return {
        Ref(table=key.table, column=key.columns[-1]): frozenset({"copy_by_key", "copy_subject", "constant", "same"})
        for key in state.foreign
        if key.parent in ctx.subject_codes and key.parent != ctx.root and key.columns[-1] != ctx.visit
    }


def _attendance(d: Derivation, tables: dict[str, TableSpec], anchor: str | None, visit_table: str | None) -> bool:
    """A subject's date that equals the first or last date of some findings says only who was there that day: left out
    where visits have a table of their own, and for the date that all others count from."""
    findings = any(tables[s.table].layout == Layout.FINDINGS for s in d.sources if s.table in tables)
    return d.template == "aggregate" and findings and (visit_table is not None or d.target == anchor)


def _lookups(
    state: State, tables: dict[str, TableSpec], group: str | None, chosen: Iterable[Derivation]
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
