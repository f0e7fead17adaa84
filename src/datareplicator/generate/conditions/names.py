"""What expressions may name: the logical tables of a model, their columns and types."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from datareplicator.errors import RequestError
from datareplicator.expressions import Expression, Schema, Type
from datareplicator.expressions.check import Checker, resolve
from datareplicator.expressions.tree import Aggregate, Node, Variable, walk
from datareplicator.model.study_model import StudyModel
from datareplicator.structure.names import is_named
from datareplicator.structure.order import reads
from datareplicator.structure.spec import ColumnSpec, Kind, Layout, Ref, TableSpec

COPIED = (Layout.REFERENCE, Layout.SUPPLEMENT, Layout.RELATION)
_STORED = {"integer": Type.NUMBER, "float": Type.NUMBER, "boolean": Type.TRUTH, "date": Type.DATE, "time": Type.NUMBER}


def schema_of(model: StudyModel) -> Schema:
    """The tables with subjects, their columns and types, as the source has them."""
    tables = {name: spec for name, spec in model.structure.tables.items() if spec.layout not in COPIED}
    types = {name: {c.name: _type(c) for c in spec.columns} for name, spec in tables.items()}
    subjects = {name: spec.subject for name, spec in tables.items() if spec.subject is not None}
    single = {n for n, spec in tables.items() if spec.layout in (Layout.SUBJECT, Layout.ONCE)} | {model.root.table}
    return Schema("", types, subjects, frozenset(single & set(subjects)))


def _type(column: ColumnSpec) -> Type:
    if column.kind == Kind.EMPTY and column.encoding == "text":
        return Type.DATE if any(is_named(role, column.name) for role in ("start", "end", "date")) else Type.TEXT
    if column.encoding in ("text", "datetime"):
        return Type.DATE if column.kind == Kind.DATE or column.encoding == "datetime" else Type.TEXT
    return _STORED[column.encoding]


def find_table(model: StudyModel, name: str) -> str:
    """The logical table of a name: its own, one of its parts', or its domain's. Raises RequestError."""
    known: dict[str, str] = {}
    for table, spec in model.structure.tables.items():
        for other in (table, *spec.members, *_domain(model, spec)):
            known.setdefault(other.casefold(), table)
    found = known.get(name.casefold())
    if found is None:
        near = difflib.get_close_matches(name.casefold(), known, n=2, cutoff=0.5)
        names = " or ".join(repr(known[n]) for n in near)
        raise RequestError(f"there is no table {name!r}.", hint=f"Did you mean {names}?" if near else None)
    if model.structure.tables[found].layout in COPIED:
        raise RequestError(f"the rows of {found} are not drawn, but copied or made from other tables.")
    return found


def _domain(model: StudyModel, spec: TableSpec) -> Iterator[str]:
    """The value of a constant column DOMAIN."""
    for d in model.structure.derivations:
        if d.table == spec.name and d.template == "constant" and d.target.upper() == "DOMAIN":
            yield str(d.params.get("value"))


def references(expression: Expression, schema: Schema) -> set[Ref]:
    """The columns that a checked expression reads."""
    return set(_references(expression.tree, schema, expression.text))


def _references(node: Node, schema: Schema, text: str) -> Iterator[Ref]:
    inner = schema
    if isinstance(node, Variable):
        table, column = resolve(node, schema, text)
        yield Ref(table=table, column=column)
    if isinstance(node, Aggregate):
        inner = Checker(text).rows_of(node, schema)
        for name in node.columns:
            for table in {schema.table, inner.table}:
                yield Ref(table=table, column=schema.find_column(table, name) or name)
    for child in node.children():
        yield from _references(child, inner, text)


def tables_of(expression: Expression, schema: Schema) -> set[str]:
    """The tables whose rows a checked expression counts or reads."""
    named = {n.table for n in walk(expression.tree) if isinstance(n, Aggregate) and n.table is not None}
    return {schema.find_table(n) or n for n in named} | {r.table for r in references(expression, schema)}


def closure(model: StudyModel, wanted: set[Ref]) -> tuple[set[tuple[str, str]], set[Ref]]:
    """The computed columns among those wanted and among what they rest on, and the drawn ones."""
    held, computed = set(wanted), set()
    for d in reversed(model.structure.derivations):
        target = Ref(table=d.table, column=d.target)
        if target in held:
            computed.add((d.table, d.target))
            held |= reads(d)
    partial = {(d.table, d.target) for d in model.structure.derivations if d.params.get("partial")}
    free = {r for r in held if (r.table, r.column) not in computed or (r.table, r.column) in partial}
    return computed, free
