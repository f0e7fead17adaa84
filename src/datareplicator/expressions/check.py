"""The type check: every name known, every operand of a type that the operator takes, before any row is looked at."""

from __future__ import annotations

import re

import pandas as pd

from datareplicator.dates import parse
from datareplicator.expressions.problems import ExpressionError, near_names
from datareplicator.expressions.schema import Schema
from datareplicator.expressions.signatures import AGGREGATES, BY_ROW, FUNCTIONS, Signature, Type
from datareplicator.expressions.tree import (
    Aggregate,
    Between,
    Binary,
    Call,
    Literal,
    Missing,
    Node,
    Pattern,
    Unary,
    Variable,
    Within,
    to_text,
)

LOGIC = ("and", "or", "implies")
ARITHMETIC = ("+", "-", "*", "/")
ORDERED = ("first", "last", "previous")
_LITERALS = {bool: Type.TRUTH, int: Type.NUMBER, float: Type.NUMBER, str: Type.TEXT}


def resolve(variable: Variable, schema: Schema, text: str) -> tuple[str, str]:
    """The table and column that a variable names. Raises ExpressionError with near names."""
    home = schema.table
    column = schema.find_column(home, variable.text)
    if column is not None:
        return home, column
    if variable.table is None:
        near = near_names(variable.name, schema.tables[home])
        raise ExpressionError(f"{_at(home)}no variable {variable.name!r}", text, variable.at, near=near)
    table = schema.find_table(variable.table)
    if table is None:
        near = near_names(variable.table, schema.tables)
        raise ExpressionError(f"there is no table {variable.table!r}", text, variable.at, near=near)
    column = schema.find_column(table, variable.name)
    if column is None:
        near = near_names(variable.name, schema.tables[table])
        raise ExpressionError(f"{_at(table)}no variable {variable.name!r}", text, variable.at, near=near)
    if table == home:
        return table, column
    for name in (home, table):
        if name not in schema.subjects:
            expected = "variables of the table at hand"
            raise ExpressionError(f"{_at(name)}no subject key", text, variable.at, expected=expected)
    if table not in schema.single:
        expected = f"one value a subject, such as max({column} of {table}) or any({column} = ... of {table})"
        raise ExpressionError(f"{table} has several rows a subject", text, variable.at, expected=expected)
    return table, column


def _at(table: str) -> str:
    return f"{table} has " if table else "the table has "


class Checker:
    """Types of the parts of one expression. `text` is what positions count in."""

    def __init__(self, text: str) -> None:
        self.text = text

    def condition(self, node: Node, schema: Schema) -> None:
        """Check that a node is a condition."""
        self._need(node, schema, Type.TRUTH, "a condition such as X > 1")

    def type_of(self, node: Node, schema: Schema) -> Type:
        """The type of a node. Raises ExpressionError where its parts do not fit."""
        match node:
            case Literal():
                return _LITERALS[type(node.value)]
            case Variable():
                table, column = resolve(node, schema, self.text)
                return schema.tables[table][column]
            case Unary(operator=operator):
                kind = Type.TRUTH if operator == "not" else Type.NUMBER
                return self._need(node.operand, schema, kind)
            case Binary(operator=operator) if operator in LOGIC:
                self._need(node.left, schema, Type.TRUTH)
                return self._need(node.right, schema, Type.TRUTH)
            case Binary(operator=operator) if operator in ARITHMETIC:
                return self._arithmetic(node, schema)
            case Binary():
                return self._comparison(node, node.left, node.right, schema)
            case Within():
                for option in node.options:
                    self._comparison(node, node.value, option, schema)
                return Type.TRUTH
            case Between():
                self._comparison(node, node.value, node.low, schema, ordered=True)
                return self._comparison(node, node.value, node.high, schema, ordered=True)
            case Pattern():
                return self._pattern(node, schema)
            case Missing():
                self.type_of(node.value, schema)
                return Type.TRUTH
            case Call():
                return self._call(node, schema)
            case Aggregate():
                return self._aggregate(node, schema)
        raise TypeError(f"no such node: {node!r}")

    def fail(self, node: Node, problem: str, expected: str = "") -> ExpressionError:
        """An error at a node."""
        return ExpressionError(problem, self.text, node.at, expected=expected)

    def _need(self, node: Node, schema: Schema, kind: Type, expected: str = "") -> Type:
        found = self.type_of(node, schema)
        if found in (kind, Type.ANY):
            return kind
        if kind == Type.DATE and isinstance(node, Literal) and isinstance(node.value, str):
            self._date_literal(node)
            return kind
        if kind == Type.TEXT and found == Type.DATE and isinstance(node, Variable):
            return kind  # a date as it is written
        hint = {(Type.NUMBER, Type.TEXT): "number", (Type.DATE, Type.TEXT): "date"}.get((kind, found))
        better = f"a {kind}: {hint}({to_text(node)})" if hint and not isinstance(node, Literal) else f"a {kind}"
        raise self.fail(node, f"{to_text(node)} is a {found}", expected or better)

    def _date_literal(self, node: Literal) -> None:
        moments = parse(pd.Series([node.value], dtype="str"))
        if not moments.valid[0] or not moments.precision[0]:
            raise self.fail(node, f"{to_text(node)} is no date", "an ISO 8601 date such as '2014-03-05' or '2014-03'")

    def _arithmetic(self, node: Binary, schema: Schema) -> Type:
        left, right = self.type_of(node.left, schema), self.type_of(node.right, schema)
        if Type.ANY in (left, right) and {left, right} <= {Type.ANY, Type.DATE} and node.operator in ("+", "-"):
            return Type.ANY
        if left == Type.ANY and node.operator in ("+", "-"):
            self._need(node.right, schema, Type.NUMBER)
            return Type.ANY
        if left == Type.DATE and node.operator == "-" and right == Type.DATE:
            return Type.NUMBER
        if left == Type.DATE and node.operator in ("+", "-"):
            self._need(node.right, schema, Type.NUMBER)
            return Type.DATE
        self._need(node.left, schema, Type.NUMBER)
        return self._need(node.right, schema, Type.NUMBER)

    def _comparison(self, node: Node, left: Node, right: Node, schema: Schema, ordered: bool = False) -> Type:
        a, b = self.type_of(left, schema), self.type_of(right, schema)
        for part in (left, right):
            if isinstance(part, Literal) and part.value == "":
                raise self.fail(part, "a text is never empty", "'is missing'")
        if a != b and Type.ANY not in (a, b):
            if Type.DATE in (a, b):
                self._need(right if a == Type.DATE else left, schema, Type.DATE)
            else:
                numeric = a == Type.NUMBER or b == Type.NUMBER
                self._need(left, schema, Type.NUMBER if numeric else b)
                self._need(right, schema, Type.NUMBER if numeric else a)
        operator = node.operator if isinstance(node, Binary) else "="
        if Type.TRUTH in (a, b) and (ordered or operator not in ("=", "!=")):
            raise self.fail(node, "truth values have no order", "'=' or '!='")
        return Type.TRUTH

    def _pattern(self, node: Pattern, schema: Schema) -> Type:
        self._need(node.value, schema, Type.TEXT)
        if node.operator == "matches":
            try:
                re.compile(node.pattern)
            except re.error as error:
                raise self.fail(node, f"the pattern is no regular expression ({error})") from error
        return Type.TRUTH

    def _call(self, node: Call, schema: Schema) -> Type:
        signature = FUNCTIONS[node.name]
        self._count(node, node.arguments, signature)
        open_ended = [a for i, a in enumerate(node.arguments) if signature.takes_at(i) is None]
        own = next((t for a in open_ended if (t := self.type_of(a, schema)) != Type.ANY), Type.ANY)
        for index, argument in enumerate(node.arguments):
            kind = signature.takes_at(index) or own
            if kind != Type.ANY:
                self._need(argument, schema, kind)
        return signature.gives or own

    def _count(self, node: Call | Aggregate, arguments: tuple[Node, ...], signature: Signature) -> None:
        least, most = signature.least, None if signature.repeated else len(signature.takes)
        if len(arguments) < least or (most is not None and len(arguments) > most):
            bound = f"{least} or more" if most is None else f"{least}" if least == most else f"{least} to {most}"
            given = f"{len(arguments)} given"
            raise self.fail(node, f"{node.name} takes {bound} argument{'s' * (bound != '1')}, {given}")

    def _aggregate(self, node: Aggregate, schema: Schema) -> Type:
        signature = AGGREGATES[node.name]
        self._count(node, node.arguments, signature)
        inner = self.rows_of(node, schema)
        self._scope(node, schema, inner)
        if node.by is not None:
            if node.name not in ORDERED:
                raise self.fail(node, f"{node.name} needs no order", f"'by' with {', '.join(ORDERED)} alone")
            self.type_of(node.by, inner)
        if node.where is not None:
            self._need(node.where, inner, Type.TRUTH)
        kinds = [
            self.type_of(argument, inner) if kind is None else self._need(argument, inner, kind)
            for argument, kind in ((a, signature.takes_at(i)) for i, a in enumerate(node.arguments))
        ]
        if node.name in ("min", "max") and kinds[0] == Type.TRUTH:
            raise self.fail(node, "truth values have no order", "'any' or 'all'")
        return kinds[0] if signature.gives is None else signature.gives

    def rows_of(self, node: Aggregate, schema: Schema) -> Schema:
        """The schema with the aggregate's own table at hand."""
        if node.table is None:
            return schema
        table = schema.find_table(node.table)
        if table is None:
            near = near_names(node.table, schema.tables)
            raise ExpressionError(f"there is no table {node.table!r}", self.text, node.at, near=near)
        if node.name in BY_ROW and table != schema.table:
            raise self.fail(node, f"{node.name} gives each row a value of its own", "no 'of'")
        return schema.at(table)

    def _scope(self, node: Aggregate, outer: Schema, inner: Schema) -> None:
        keyed = [t for t in (outer.table, inner.table) if t in outer.subjects]
        if node.scope == "subject" and len(keyed) < 2:
            without = next(t for t in (outer.table, inner.table) if t not in outer.subjects)
            raise self.fail(node, f"{_at(without)}no subject key", "'per table' or 'per (columns)'")
        for name in node.columns:
            for table in {outer.table, inner.table}:
                if outer.find_column(table, name) is None:
                    near = near_names(name, outer.tables[table])
                    raise ExpressionError(f"{_at(table)}no variable {name!r}", self.text, node.at, near=near)
