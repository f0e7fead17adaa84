"""What corrections declare: references, keys, dependencies, formulas and links, each held against the data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from datareplicator.errors import Place
from datareplicator.expressions import ExpressionError, Schema, Type, parse
from datareplicator.expressions.tree import Aggregate, Node, Variable
from datareplicator.structure.correction import Correction
from datareplicator.structure.corrections import Corrections, Members, place_of
from datareplicator.structure.derive import View, compute
from datareplicator.structure.derive.bits import BITS
from datareplicator.structure.derive.lookup import build as build_lookup
from datareplicator.structure.derive.outcome import agreement, equal, exact
from datareplicator.structure.derive.view import Values
from datareplicator.structure.encode import Context, EncodedColumn
from datareplicator.structure.keys import NaturalKey, describe_key, unique_within
from datareplicator.structure.spec import Derivation, ForeignKey, Kind, Layout, Link, Ref, TableSpec

_NUMBERS = ("integer", "float", "time")


def _columns(ctx: Context) -> dict[str, dict[str, EncodedColumn]]:
    return {name: table.columns for name, table in ctx.tables.items()}


# References and keys


def declared_references(fix: Corrections, ctx: Context, members: Members, found: list[ForeignKey]) -> list[ForeignKey]:
    """The references found, without the denied ones and with the declared ones."""
    for _, table, column in fix.resolved(ctx, members, deny="reference"):
        found = [k for k in found if k.table != table or k.columns[-1] != column]
    for number, c in fix.numbered(declare="reference"):
        table, column = fix.variable(number, c.variable or "", _columns(ctx), members)
        parent, name = fix.variable(number, c.to or "", _columns(ctx), members)
        if table == parent:
            raise fix.fail(number, "a reference leads to another table.")
        made = _reference(fix, number, ctx, (table, column), (parent, name))
        found = [k for k in found if k.table != table or k.columns[-1] != column]
        found = [made, *(k for k in found if (k.table, k.parent) != (parent, table))]
    return found


def _reference(
    fix: Corrections, number: int, ctx: Context, child: tuple[str, str], parent: tuple[str, str]
) -> ForeignKey:
    """A reference, within the subject where both tables name it; each value must be found where it points."""
    keys = [ctx.subject_columns.get(t) for t in (child[0], parent[0])]
    pairs = [(child[1], parent[1])]
    if None not in keys and child[1] != keys[0]:
        pairs.insert(0, (keys[0], keys[1]))  # type: ignore[arg-type]
    here, there = (_cells(ctx, t, [p[i] for p in pairs]) for i, t in enumerate((child[0], parent[0])))
    again = np.flatnonzero(pd.Index(there).duplicated() & ctx.tables[parent[0]][parent[1]].present)
    if len(again):
        place = place_of(ctx, parent[0], parent[1], int(again[0]))
        raise fix.fail(number, "the value names two rows, so that a reference to it is not clear.", place)
    lost = np.flatnonzero(ctx.tables[child[0]][child[1]].present & ~pd.Index(here).isin(there))
    if len(lost):
        column = ctx.tables[child[0]][child[1]]
        value = column.texts[column.codes[lost[0]]]
        place = place_of(ctx, child[0], child[1], int(lost[0]))
        raise fix.fail(number, f"{value!r} is not found in {parent[0]}.{parent[1]} ({len(lost)} rows).", place)
    columns, named = zip(*pairs, strict=True)
    return ForeignKey(table=child[0], columns=columns, parent=parent[0], parent_columns=named)


def _cells(ctx: Context, table: str, columns: list[str]) -> list[tuple[str | None, ...]]:
    encoded = [ctx.tables[table][c] for c in columns]
    return list(zip(*(np.append(c.texts, None)[c.codes] for c in encoded), strict=True))


def corrected_key(
    fix: Corrections, ctx: Context, members: Members, name: str, group: np.ndarray, found: NaturalKey
) -> NaturalKey:
    """The natural key of a table: as declared, else as found unless it is denied."""
    subject = ctx.subject_columns.get(name)
    for number, c in fix.numbered(deny="key"):
        if fix.table(number, c.table or "", ctx.tables, members) != name:
            continue
        denied = None if c.columns is None else _key_columns(fix, number, c, ctx, name, subject)
        options = [found.columns, *found.alternatives] if denied is not None else []
        left = [k for k in options if set(k) != set(denied or ())]
        found = describe_key(ctx, name, left) if left and left[0] else NaturalKey()
    for number, c in fix.numbered(declare="key"):
        if fix.table(number, c.table or "", ctx.tables, members) != name:
            continue
        columns = _key_columns(fix, number, c, ctx, name, subject)
        codes = [ctx.tables[name][k].codes for k in columns]
        if unique_within(group, codes):
            raise fix.fail(number, "the key names two rows.", _first_repeated(ctx, name, group, columns))
        found = describe_key(ctx, name, [columns], declared=True)
    return found


def _key_columns(
    fix: Corrections, number: int, c: Correction, ctx: Context, table: str, subject: str | None
) -> tuple[str, ...]:
    """The columns of a key beside the subject, names checked."""
    found = [fix.variable(number, f"{table}.{name}", _columns(ctx), {table: ()})[1] for name in c.columns or ()]
    return tuple(name for name in found if name != subject)


def _first_repeated(ctx: Context, table: str, group: np.ndarray, columns: tuple[str, ...]) -> Place:
    cells = pd.DataFrame({"": group, **{c: ctx.tables[table][c].codes for c in columns}})
    row = int(np.flatnonzero(cells.duplicated().to_numpy())[0])
    return place_of(ctx, table, ", ".join(columns) or None, row)


# Derivations


def declared_derivations(
    fix: Corrections, ctx: Context, members: Members, tables: Mapping[str, TableSpec]
) -> list[tuple[int, Derivation]]:
    """The declared dependencies and formulas, each with the number of its correction."""
    view = View({name: table.frame for name, table in ctx.tables.items()})
    found = []
    for number, c in fix.numbered(declare="dependency"):
        table, target = fix.variable(number, c.variable or "", _columns(ctx), members)
        by = [fix.variable(number, f"{table}.{name}", _columns(ctx), {table: ()})[1] for name in c.by or ()]
        if target in by:
            raise fix.fail(number, "a column does not depend on itself.")
        for name in (*by, target):
            if ctx.tables[table][name].kind == Kind.DATE:
                raise fix.fail(
                    number, f"{name} holds dates, which move with the subject: no table of values holds them."
                )
        found.append((number, _agreed(fix, number, c, ctx, view, build_lookup(view, table, by, target))))
    for number, c in fix.numbered(declare="derivation"):
        table, target = fix.variable(number, c.variable or "", _columns(ctx), members)
        found.append((number, _agreed(fix, number, c, ctx, view, _formula(fix, number, c, ctx, tables, table, target))))
    return found


def _agreed(fix: Corrections, number: int, c: Correction, ctx: Context, view: View, d: Derivation) -> Derivation:
    """The derivation with its agreement. Raises RequestError with the first row that contradicts it."""
    target = view.values(d.table, d.target)
    result = compute(d, view)
    if "formula" in d.params and target.stored_number:
        for bits in BITS if exact(result, target) < 1 else ():
            other = d.model_copy(update={"params": {**d.params, "bits": bits}})
            if exact(compute(other, view), target) > exact(result, target):
                d, result = other, compute(other, view)
    share, rows = agreement(result, target)
    if rows and 1 - share > c.exceptions:
        values = Values(result)
        wrong = np.flatnonzero(~equal(values, target) & (values.present | target.present))
        row = int(wrong[0])
        said = "missing" if not values.present[row] else repr(values.text_levels[values.codes[row]])
        held = "missing" if not target.present[row] else repr(target.text_levels[target.codes[row]])
        raise fix.fail(
            number,
            f"it gives {said}, the data hold {held}; {len(wrong)} of {rows} rows contradict it.",
            place_of(ctx, d.table, d.target, row),
            hint=f"Allow for them with `exceptions: {_up(1 - share)}`." if share >= 0.5 else None,
        )
    return d.model_copy(update={"agreement": share, "rows": rows})


def _up(share: float) -> float:
    """A share rounded up to three digits."""
    return float(np.ceil(share * 1000) / 1000)


def _formula(
    fix: Corrections,
    number: int,
    c: Correction,
    ctx: Context,
    tables: Mapping[str, TableSpec],
    table: str,
    target: str,
) -> Derivation:
    schema = _schema(ctx, tables, table)
    try:
        expression = parse(c.formula or "")
        gives = expression.type(schema)
    except ExpressionError as error:
        raise fix.fail(number, str(error)) from error
    own = ctx.tables[table][target].spec
    wanted = schema.tables[table][target]
    if gives not in (wanted, Type.ANY):
        raise fix.fail(number, f"the formula gives a {gives}, the column holds a {wanted}.")
    sources = _sources(expression.tree, schema)
    if Ref(table=table, column=target) in sources:
        raise fix.fail(number, "a column is not computed from itself.")
    named = {r.table for r in sources} | {table}
    params = {
        "formula": str(expression),
        "types": {t: {r.column: str(schema.tables[t][r.column]) for r in sources if r.table == t} for t in named},
        "subjects": {t: key for t, key in schema.subjects.items() if t in named},
        "single": sorted(schema.single & named),
        "stored": "text" if own.encoding == "text" else "datetime",
    }
    return Derivation(table=table, target=target, template="formula", sources=sources, params=params)


def _schema(ctx: Context, tables: Mapping[str, TableSpec], table: str) -> Schema:
    """Types as discovery sees them, which are those of new rows too."""
    types = {name: {c.name: _type(c) for c in t.columns.values()} for name, t in ctx.tables.items()}
    subjects = {name: key for name, key in ctx.subject_columns.items() if name in ctx.subject_codes}
    single = {name for name in subjects if tables[name].layout in (Layout.SUBJECT, Layout.ONCE)}
    return Schema(table, types, subjects, frozenset(single))


def _type(column: EncodedColumn) -> Type:
    if column.kind == Kind.EMPTY:
        return Type.ANY
    if column.kind == Kind.DATE:
        return Type.DATE
    if column.spec.encoding == "boolean":
        return Type.TRUTH
    return Type.NUMBER if column.spec.encoding in _NUMBERS else Type.TEXT


def _sources(tree: Node, schema: Schema) -> tuple[Ref, ...]:
    """All columns that a formula reads; of a table whose rows are counted the subject key at least."""
    found: dict[Ref, None] = {}

    def visit(node: Node, home: str) -> None:
        if isinstance(node, Variable):
            own = schema.find_column(home, node.text)
            table = home if own is not None or node.table is None else schema.find_table(node.table) or home
            column = own or schema.find_column(table, node.name)
            assert column is not None
            found[Ref(table=table, column=column)] = None
            return
        if isinstance(node, Aggregate):
            inner = home if node.table is None else schema.find_table(node.table) or home
            for table in (home, inner):
                key = schema.subjects.get(table)
                names = [schema.find_column(table, c) for c in node.columns] + [key if node.scope != "table" else None]
                found.update({Ref(table=table, column=c): None for c in names if c is not None})
            home = inner
        for child in node.children():
            visit(child, home)

    visit(tree, schema.table)
    for ref in [r for r in found if r.table != schema.table]:
        for table in (ref.table, schema.table):
            if table in schema.subjects:
                found[Ref(table=table, column=schema.subjects[table])] = None
    return tuple(found)


# Links


def declared_links(fix: Corrections, ctx: Context, members: Members, found: list[Link]) -> list[Link]:
    """The links found, without the denied ones and with the declared ones."""
    found = fix.links(ctx, members, found)
    for number, c in fix.numbered(declare="link"):
        root, column = fix.variable(number, c.variable or "", _columns(ctx), members)
        if root != ctx.root:
            raise fix.fail(number, f"links start at the table of subjects, {ctx.root}.")
        table = fix.table(number, c.table or "", ctx.tables, members)
        if table == root or table not in ctx.subject_codes:
            raise fix.fail(number, "links lead to another table that names subjects.")
        made = _link(fix, number, c, ctx, column, table)
        same = (made.kind, made.root, made.value, made.table, made.column, made.code, made.date)
        found = [k for k in found if (k.kind, k.root, k.value, k.table, k.column, k.code, k.date) != same]
        found.append(made)
    return found


def _link(fix: Corrections, number: int, c: Correction, ctx: Context, column: str, table: str) -> Link:
    rows = np.arange(ctx.tables[table].n)
    other = date = None
    if c.column is not None:
        other = fix.variable(number, f"{table}.{c.column}", _columns(ctx), {table: ()})[1]
        rows = _rows_with(fix, number, ctx, table, other, c.code or "")
    subjects = ctx.subject_codes[table]
    rows = rows[subjects[rows] >= 0]
    told = np.zeros(ctx.n_subjects, dtype=bool)
    told[subjects[rows]] = True
    fields = {"root": column, "table": table, "column": other, "code": c.code, "subjects": int(told.sum())}
    if c.date is not None:
        date = fix.variable(number, f"{table}.{c.date}", _columns(ctx), {table: ()})[1]
        _check_dates(fix, number, ctx, column, table, date, rows)
        return Link(kind="date", date=date, **fields)
    holding = _rows_with(fix, number, ctx, ctx.root or "", column, c.value or "")
    holds = np.zeros(ctx.n_subjects, dtype=bool)
    holds[ctx.subject_codes[ctx.root or ""][holding]] = True
    if other is None:
        wrong = rows[holds[subjects[rows]]]
        if len(wrong):
            raise fix.fail(number, "a subject of that value has a row here.", place_of(ctx, table, None, int(wrong[0])))
        return Link(kind="presence", value=c.value, **{**fields, "subjects": int(holds.sum())})
    wrong = rows[~holds[subjects[rows]]]
    if len(wrong):
        raise fix.fail(
            number, f"the subject's {column} is not {c.value!r}.", place_of(ctx, table, other, int(wrong[0]))
        )
    lone = np.flatnonzero(holds & ~told)
    if len(lone):
        row = int(ctx.root_rows[lone[0]])
        raise fix.fail(
            number,
            f"the subject has no row of {table} with {other} {c.code!r}.",
            place_of(ctx, ctx.root or "", column, row),
        )
    return Link(kind="flag", value=c.value, **fields)


def _rows_with(fix: Corrections, number: int, ctx: Context, table: str, column: str, value: str) -> np.ndarray:
    """The rows that hold a value. Raises RequestError where none does, with near values."""
    encoded = ctx.tables[table][column]
    if value not in encoded.texts:
        raise fix.fail(number, f"{table}.{column} is never {value!r}.", hint=_some(encoded))
    return np.flatnonzero(np.append(encoded.texts == value, False)[encoded.codes])


def _some(column: EncodedColumn) -> str | None:
    if column.kind not in (Kind.CATEGORY, Kind.FLAG) or not 0 < len(column.texts) <= 12:
        return None
    return f"It is {', '.join(map(repr, column.texts))}."


def _check_dates(
    fix: Corrections, number: int, ctx: Context, root: str, table: str, date: str, rows: np.ndarray
) -> None:
    for name, column in ((ctx.root or "", root), (table, date)):
        if ctx.tables[name][column].kind != Kind.DATE:
            raise fix.fail(number, f"{name}.{column} holds no dates.")
    own = np.append(ctx.tables[ctx.root or ""][root].days, np.nan)[ctx.root_rows[ctx.subject_codes[table][rows]]]
    wrong = rows[~(ctx.tables[table][date].days[rows] == own)]
    if len(wrong):
        raise fix.fail(number, f"the date is not the subject's {root}.", place_of(ctx, table, date, int(wrong[0])))
