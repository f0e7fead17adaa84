"""One expression, checked against a model."""

from __future__ import annotations

from dataclasses import dataclass

from datareplicator.errors import RequestError
from datareplicator.expressions import Expression, ExpressionError, Schema, parse
from datareplicator.expressions.tree import Aggregate, Variable, walk
from datareplicator.generate.conditions.names import closure, find_table, references, tables_of
from datareplicator.model.study_model import StudyModel
from datareplicator.structure.spec import Ref


@dataclass(frozen=True)
class Condition:
    """A checked condition on the rows of a table.

    `computed`: the computed columns that it needs, `free`: the drawn ones; `tables`: all whose rows it looks at;
    `early`: the table of subjects alone decides it; `local`: each row of the table decides for itself.
    """

    table: str
    expression: Expression
    schema: Schema
    reads: frozenset[Ref]
    computed: frozenset[tuple[str, str]]
    free: frozenset[Ref]
    tables: frozenset[str]
    early: bool
    local: bool

    @property
    def needs(self) -> frozenset[str]:
        """The tables that must be there for it to be decided."""
        read = {ref.table for ref in (*self.reads, *self.free)}
        return self.tables | read | {table for table, _ in self.computed}


def condition_of(
    model: StudyModel, schema: Schema, domain: str, text: str, said: str, *, value: bool = False
) -> Condition:
    """A condition on the rows of a table, or any `value` of them. Raises RequestError, ExpressionError with the
    position."""
    try:
        table = find_table(model, domain)
    except RequestError as error:
        raise RequestError(f"{said}: {error.message}", hint=error.hint) from error
    try:
        expression = parse(text)
        own = schema.at(table)
        expression.type(own) if value else expression.check(own)
        found = references(expression, own)
    except ExpressionError as error:
        raise ExpressionError(
            f"{said}: {error.problem}", error.text, error.position, expected=error.expected, near=error.near
        ) from error
    _refuse_whole_tables(model, expression, table, said)
    computed, free = closure(model, found)
    root = model.root.table
    tables = tables_of(expression, own) | {table}
    early = tables == {root} and all(r.table == root for r in free) and all(t == root for t, _ in computed)
    single = own.single | {table}
    flat = not any(isinstance(node, Aggregate) for node in walk(expression.tree))
    local = flat and table != root and all(r.table in single for r in found)
    return Condition(
        table, expression, own, frozenset(found), frozenset(computed), frozenset(free), frozenset(tables), early, local
    )


def _refuse_whole_tables(model: StudyModel, expression: Expression, table: str, said: str) -> None:
    """Subjects are made in blocks: what depends on all of them cannot be kept."""
    key = model.structure.tables[table].subject
    for node in walk(expression.tree):
        if isinstance(node, Aggregate) and node.scope == "table":
            named = {a.name.casefold() for a in node.arguments if isinstance(a, Variable)}
            if node.name == "unique" and key is not None and key.casefold() in named:
                continue
            raise RequestError(
                f"{said}: subjects are made independently of each other, so that nothing can be kept over all rows of "
                "a table.",
                hint="Leave out 'per table': the function is then over the rows of a subject.",
            )
