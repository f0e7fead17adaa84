"""One derivation a target, none in a circle, in an order in which they can be computed.

Finds come in circles (a collection date equals the first visit's, which equals the root's): what the generator samples
is never a target, and of the rest the more trusted find goes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from datareplicator.structure.derive.choice import preference
from datareplicator.structure.names import is_named, planned_and_actual
from datareplicator.structure.spec import Derivation, Kind, Layout, Ref, Structure, TableSpec

COINCIDENTAL = frozenset({"aggregate", "same", "same_day", "exists", "round", "offset"})
"""Templates that fit by accident: kept only without exception and on enough rows."""

NUMERIC = frozenset({"limits", "linear", "cuts"})
"""Templates that can mimic a table of codes by an accident of numbers."""

ENOUGH = 12
SOURCES = {Layout.VISITS: 0, Layout.SETS: 1, Layout.INTERVALS: 1, Layout.FINDINGS: 2}
"""Which tables vouch for a fact of the subject; others come last."""

FEW = 3  # subjects under which a constant may be the one subject's own
_SHARED = frozenset({Kind.CATEGORY, Kind.FLAG, Kind.TEXT})
COPIED = frozenset({Layout.REFERENCE, Layout.RELATION, Layout.COMMENT, Layout.SUPPLEMENT})
"""Layouts whose rows are copied or made by other means: nothing is computed in them."""
_JUDGED = frozenset({Kind.CATEGORY, Kind.FLAG})
_NUMBERING = frozenset({"row_number", "offset", "constant"})
_PLAIN = frozenset({"constant", "copy_subject"})


def allowed(d: Derivation, tables: Mapping[str, TableSpec], protected: Mapping[Ref, frozenset[str]]) -> bool:
    """Whether a find may be used at all: not on copied tables, not on what is sampled, no coincidence."""
    spec = tables.get(d.table)
    if spec is None or spec.layout in COPIED or Ref(table=d.table, column=d.target) in d.sources:
        return False
    if any(s.table not in tables for s in d.sources):
        return False
    if (
        d.template == "baseline_flag"
        and d.params.get("rule") == "visit"
        and not any(_visit(s.column) for s in d.sources)
    ):
        return False
    if d.template in COINCIDENTAL and (d.agreement < 1.0 or d.rows < ENOUGH):
        return False
    if d.template == "constant" and spec.subjects < FEW and spec.column(d.target).kind not in _SHARED:
        return is_named("sequence", d.target) or is_named("constant", d.target)
    if d.template in ("same", "lookup") and any(planned_and_actual(s.column, d.target) for s in d.sources):
        return False
    exceptions = protected.get(Ref(table=d.table, column=d.target))
    if exceptions is not None and d.template not in exceptions:
        return False
    return not _backwards(d, spec)


def _visit(column: str) -> bool:
    return is_named("visit", column) or is_named("visit_name", column) or is_named("visit_day", column)


def _backwards(d: Derivation, spec: TableSpec) -> bool:
    """Results go from the collected to the standard ones, never back; the standard text may be written from the number
    where there is a collected result to begin with."""
    here = {s.column for s in d.sources if s.table == d.table}
    if d.template in ("items", "repeated", "date_difference"):  # totals and repeats of results; times as results
        return False
    if d.target == spec.original:
        return True
    if d.target == spec.text:
        return spec.value in here and spec.original is None
    if d.target == spec.value:
        return not here & {spec.original, spec.text}
    return False


def protect(
    tables: Mapping[str, TableSpec], root: str | None, group: str | None, site: str | None, visit_table: str | None
) -> dict[Ref, frozenset[str]]:
    """What the generator samples, with the templates that may compute it nevertheless."""
    found: dict[Ref, frozenset[str]] = {}
    for name, spec in tables.items():
        for column in (spec.test, spec.code, spec.visit, *spec.axes):
            if column is not None:
                found[Ref(table=name, column=column)] = _PLAIN
        if spec.sequence is not None:
            found[Ref(table=name, column=spec.sequence)] = _NUMBERING
        if name == visit_table and spec.start is not None:
            found[Ref(table=name, column=spec.start)] = frozenset()
        if spec.subject is not None:
            found[Ref(table=name, column=spec.subject)] = frozenset({"concat"}) if name == root else frozenset()
    for column in (group, site):
        if root is not None and column is not None:
            found[Ref(table=root, column=column)] = frozenset()
    return found


def choose(
    finds: Iterable[Derivation],
    tables: Mapping[str, TableSpec],
    protected: Mapping[Ref, frozenset[str]],
    declared: Iterable[Derivation] = (),
) -> tuple[Derivation, ...]:
    """One find a target, the most trusted that closes no circle, in computable order. What the user `declared` comes
    first and stands alone."""
    kept: dict[Ref, list[Derivation]] = {Ref(table=d.table, column=d.target): [d] for d in declared}
    usable = [d for d in finds if allowed(d, tables, protected) and Ref(table=d.table, column=d.target) not in kept]
    looked_up = {(d.table, d.target): len(d.sources) for d in usable if d.template == "lookup" and d.agreement == 1.0}
    usable = [d for d in usable if not _replaced(d, looked_up.get((d.table, d.target), 0))]
    for d in sorted(usable, key=lambda d: _order(d, tables)):
        target = Ref(table=d.table, column=d.target)
        beside = kept.get(target, [])
        if all(_partial(k) != _partial(d) for k in beside) and not _reaches(reads(d), target, kept):
            kept[target] = sorted([*beside, d], key=_partial)
    return _sorted(kept)


def _replaced(d: Derivation, determinants: int) -> bool:
    """Whether an exact lookup by so many determinants (0: none) is better: it serves rows that the other table
    lacks, and needs no accident of numbers."""
    return (determinants > 0 and d.template == "copy_by_key") or (determinants == 1 and d.template in NUMERIC)


def _order(d: Derivation, tables: Mapping[str, TableSpec]) -> tuple:
    """By trust; of a circle of arithmetic (amount, price, number) the column with most decimals, then further right."""
    best = preference(d)
    if d.template in ("aggregate", "exists"):
        layouts = [tables[s.table].layout for s in d.sources if s.table != d.table]
        coded = d.params.get("codes") is not None
        return (*best[:2], coded, max((SOURCES.get(layout, 3) for layout in layouts), default=0), *best[2:])
    if d.template != "arithmetic":
        return (*best[:2], 0, 0, *best[2:])
    names = [c.name for c in tables[d.table].columns]
    return (*best[:2], -tables[d.table].column(d.target).decimals, -names.index(d.target), *best[2:])


def _partial(d: Derivation) -> bool:
    """Whether a find speaks of some rows only, so that it corrects what another find or the generator wrote."""
    return bool(d.params.get("partial"))


def reads(d: Derivation) -> set[Ref]:
    """The columns that must be there before a derivation is computed: its sources, and those by which its parameters
    group, sort, pick and restrict rows."""
    params = d.params
    own = [*params.get("by", ()), *params.get("cell", ()), *(part["column"] for part in params.get("order", ()))]
    own += [params[key] for key in ("needs", "repeat") if params.get(key)]
    own += [params["after"]["column"]] if isinstance(params.get("after"), dict) else []
    if params.get("only"):
        own.append(params["only"]["column"])
    out = {*d.sources, *(Ref(table=d.table, column=column) for column in own)}
    if params.get("where"):
        out.add(Ref(table=d.sources[0].table, column=params["where"]["column"]))
    if d.template in ("copy_by_key", "rollup"):
        for here, there in params["keys"]:
            out |= {Ref(table=d.table, column=here), Ref(table=d.sources[0].table, column=there)}
    return out - {Ref(table=d.table, column=d.target)}


def _reaches(needs: set[Ref], target: Ref, kept: Mapping[Ref, list[Derivation]]) -> bool:
    front, seen = list(needs), set()
    while front:
        ref = front.pop()
        if ref == target:
            return True
        if ref not in seen and ref in kept:
            front += [source for d in kept[ref] for source in reads(d)]
        seen.add(ref)
    return False


def circle(derivations: Iterable[Derivation]) -> Ref | None:
    """A column that rests on itself, if there is one."""
    kept = {Ref(table=d.table, column=d.target): [d] for d in derivations}
    return next((ref for ref, found in kept.items() if _reaches(reads(found[0]), ref, kept)), None)


def _sorted(kept: Mapping[Ref, list[Derivation]]) -> tuple[Derivation, ...]:
    """Depth first: what a derivation reads stands before it."""
    done: dict[Ref, list[Derivation]] = {}

    def visit(ref: Ref) -> None:
        if ref in done or ref not in kept:
            return
        for source in sorted({s for d in kept[ref] for s in reads(d)}, key=lambda s: (s.table, s.column)):
            visit(source)
        done[ref] = kept[ref]

    for ref in kept:
        visit(ref)
    return tuple(d for found in done.values() for d in found)


def needed(structure: Structure, table: str, column: str) -> list[Derivation]:
    """The derivations of one table that a column of it rests on, in computing order."""
    wanted, out = {column}, []
    for derivation in reversed(structure.derivations):
        if derivation.table == table and derivation.target in wanted:
            wanted |= {s.column for s in reads(derivation) if s.table == table}
            out.append(derivation)
    return out[::-1]


def judged(structure: Structure, spec: TableSpec) -> tuple[str, ...]:
    """The categories of a findings table that follow from tests and results alone, such as a flag against limits."""
    given = {c for c in (spec.test, *spec.axes, spec.visit, spec.value) if c is not None}
    found = []
    for d in structure.derivations:
        if d.table != spec.name or spec.value is None or spec.column(d.target).kind not in _JUDGED:
            continue
        steps = needed(structure, spec.name, d.target)
        made = {Ref(table=spec.name, column=step.target) for step in steps}
        leaves = {ref for step in steps for ref in reads(step)} - made
        if Ref(table=spec.name, column=spec.value) in leaves and all(
            ref.table == spec.name and ref.column in given for ref in leaves
        ):
            found.append(d.target)
    return tuple(found)


def rests_on(derivations: Iterable[Derivation], column: Ref) -> set[Ref]:
    """All columns that a column is computed from, at first or second hand."""
    found, known = {column}, list(derivations)
    for d in reversed(known):
        if Ref(table=d.table, column=d.target) in found:
            found |= reads(d)
    return found - {column}


def following(structure: Structure, table: str, column: str) -> dict[str, Derivation]:
    """The columns of a table that follow from one column of it alone, by name, in computing order."""
    known, out = {Ref(table=table, column=column)}, {}
    for derivation in structure.derivations:
        if derivation.table == table and derivation.sources and reads(derivation) <= known:
            known.add(Ref(table=table, column=derivation.target))
            out[derivation.target] = derivation
    return out
