"""Evaluation over whole columns."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from datareplicator.dates import Precision, parse, to_text
from datareplicator.expressions.aggregates import by_group, identities, previous, unique
from datareplicator.expressions.check import ARITHMETIC, Checker, resolve
from datareplicator.expressions.compare import MIRRORED, compare, compare_period
from datareplicator.expressions.functions import call, days_of, shift, stacked
from datareplicator.expressions.schema import Schema
from datareplicator.expressions.signatures import AGGREGATES, BY_ROW, FUNCTIONS, Type
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
)
from datareplicator.expressions.vectors import (
    Dates,
    Numbers,
    Texts,
    Truths,
    Vector,
    column_vector,
    finite,
    texts_to_dates,
)

_LIKE = {"%": ".*", "_": "."}


class Evaluator:
    """One expression over the frames of a schema. Columns are read once each."""

    def __init__(self, text: str, schema: Schema, frames: Mapping[str, pd.DataFrame]) -> None:
        self.text, self.frames = text, frames
        self.checker = Checker(text)
        self.schema = schema
        self._columns: dict[tuple[str, str, Type], Vector] = {}
        self._codes: dict[tuple[str, ...], np.ndarray] = {}

    def value(self, node: Node, schema: Schema) -> Vector:
        """The values of a checked node in the rows of the schema's table."""
        match node:
            case Literal():
                return _constant(node.value, len(self.frames[schema.table]))
            case Variable():
                return self._variable(node, schema, None)
            case Unary(operator="not"):
                return Truths(-self.truth(node.operand, schema))
            case Unary():
                return Numbers(-self._numbers(node.operand, schema))
            case Binary(operator=operator) if operator in ARITHMETIC:
                return self._arithmetic(node, schema)
            case Binary(operator=operator) if operator in MIRRORED:
                return self._compare(operator, node.left, node.right, schema)
            case Binary():
                left, right = self.truth(node.left, schema), self.truth(node.right, schema)
                if node.operator == "and":
                    return Truths(np.minimum(left, right))
                return Truths(np.maximum(left if node.operator == "or" else -left, right))
            case Within():
                found = [self._compare("=", node.value, option, schema).values for option in node.options]
                return _negated(np.maximum.reduce(found), node.negated)
            case Between():
                low = self._compare(">=", node.value, node.low, schema).values
                high = self._compare("<=", node.value, node.high, schema).values
                return _negated(np.minimum(low, high), node.negated)
            case Pattern():
                return self._pattern(node, schema)
            case Missing():
                return _negated(np.where(self.value(node.value, schema).missing, 1, -1), node.negated)
            case Call():
                return self._call(node, schema)
            case Aggregate():
                return self._aggregate(node, schema)
        raise TypeError(f"no such node: {node!r}")

    def truth(self, node: Node, schema: Schema) -> np.ndarray:
        """A condition: int8, 1 true, 0 unknown, -1 false."""
        found = self.value(node, schema)
        return found.values if isinstance(found, Truths) else np.zeros(len(found), dtype=np.int8)

    def _numbers(self, node: Node, schema: Schema) -> np.ndarray:
        found = self.value(node, schema)
        return found.values if isinstance(found, Numbers) else np.full(len(found), np.nan)

    def _as(self, kind: Type | None, node: Node, schema: Schema) -> Vector:
        """A node as the type that a function takes: a written date is read, a date where text is asked is its text."""
        if kind == Type.TEXT and isinstance(node, Variable):
            found = self._variable(node, schema, Type.TEXT)
        else:
            found = self.value(node, schema)
        if kind == Type.DATE and isinstance(found, Texts):
            return texts_to_dates(found)
        if kind is not None and found.type != kind:  # a column without values
            return _nothing(kind, len(found))
        return found

    def _variable(self, node: Variable, schema: Schema, kind: Type | None) -> Vector:
        table, column = resolve(node, schema, self.text)
        own = schema.tables[table][column]
        if kind == Type.TEXT and own != Type.DATE:
            kind = own
        key = (table, column, kind or own)
        if key not in self._columns:
            series = self.frames[table][column]
            if key[2] == Type.TEXT and pd.api.types.is_datetime64_any_dtype(series.dtype):
                series = _written(series)
            self._columns[key] = column_vector(series, key[2])
        vector = self._columns[key]
        return vector if table == schema.table else vector.take(self._rows_of(table, schema))

    def _rows_of(self, table: str, schema: Schema) -> np.ndarray:
        """The row of a table with one row a subject, for each row at hand; -1 where the subject has none."""
        keys = [self.frames[t][schema.subjects[t]] for t in (table, schema.table)]
        index = pd.Index(keys[0].astype(object))
        present = index.notna()
        rows = index[present].get_indexer(keys[1].astype(object))
        return np.where(rows < 0, -1, np.append(np.flatnonzero(present), -1)[rows])

    def _arithmetic(self, node: Binary, schema: Schema) -> Vector:
        left, right = self.value(node.left, schema), self.value(node.right, schema)
        if isinstance(left, Dates) and isinstance(right, Dates):
            return Numbers(days_of(left) - days_of(right))
        if isinstance(left, Dates):
            days = self._numbers(node.right, schema)
            return shift(left, days if node.operator == "+" else -days)
        a, b = (v.values if isinstance(v, Numbers) else np.full(len(v), np.nan) for v in (left, right))
        operation = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}[node.operator]
        with np.errstate(all="ignore"):
            return Numbers(finite(operation(a, b)))

    def _compare(self, operator: str, left: Node, right: Node, schema: Schema) -> Truths:
        a, b = self.value(left, schema), self.value(right, schema)
        if isinstance(a, Dates) and isinstance(b, Texts):
            return compare_period(operator, a, texts_to_dates(b))
        if isinstance(b, Dates) and isinstance(a, Texts):
            return compare_period(MIRRORED[operator], b, texts_to_dates(a))
        if type(a) is not type(b):  # one is a column without values
            return Truths(np.zeros(len(a), dtype=np.int8))
        return compare(operator, a, b)

    def _pattern(self, node: Pattern, schema: Schema) -> Truths:
        texts = self._as(Type.TEXT, node.value, schema)
        assert isinstance(texts, Texts)
        like = node.operator == "like"
        source = "".join(_LIKE.get(c, re.escape(c)) for c in node.pattern) if like else node.pattern
        fits = re.compile(source, re.DOTALL if like else 0).fullmatch
        found = np.array([1 if fits(t) else -1 for t in texts.distinct] + [0], dtype=np.int8)
        return _negated(found[texts.codes], node.negated)

    def _call(self, node: Call, schema: Schema) -> Vector:
        signature = FUNCTIONS[node.name]
        own = None if signature.gives else self.checker.type_of(node, schema)
        kinds = [signature.takes_at(i) or (None if own == Type.ANY else own) for i in range(len(node.arguments))]
        return call(node.name, [self._as(k, a, schema) for k, a in zip(kinds, node.arguments, strict=True)])

    def _aggregate(self, node: Aggregate, schema: Schema) -> Vector:
        inner = self.checker.rows_of(node, schema)
        outer_group, group, n = self._groups(node, schema, inner)
        if node.where is not None:
            group = np.where(self.truth(node.where, inner) == 1, group, -1)
        kinds = [AGGREGATES[node.name].takes_at(i) for i in range(len(node.arguments))]
        arguments = [self._as(k, a, inner) for k, a in zip(kinds, node.arguments, strict=True)]
        by = None if node.by is None else self.value(node.by, inner).order
        if node.name in BY_ROW:
            return unique(arguments, group) if node.name == "unique" else previous(arguments[0], group, by)
        found = by_group(node.name, arguments[0] if arguments else None, group, n, by)
        return found.take(outer_group)

    def _groups(self, node: Aggregate, outer: Schema, inner: Schema) -> tuple[np.ndarray, np.ndarray, int]:
        """Group codes of the rows at hand and of the aggregate's rows, and how many groups there are."""
        tables = [outer.table] if inner.table == outer.table else [outer.table, inner.table]
        sizes = [len(self.frames[t]) for t in tables]
        codes = np.zeros(sum(sizes), dtype=np.int64)
        if node.scope != "table":
            keyed = all(t in outer.subjects for t in tables)
            names = [[outer.subjects[t]] if keyed else [] for t in tables]
            for table, own in zip(tables, names, strict=True):
                own += [outer.find_column(table, c) or c for c in node.columns]
            for pair in zip(*names, strict=True):
                codes = _finer(codes, self._joint(tables, pair, outer))
        groups = int(codes.max(initial=-1)) + 1
        return codes[: sizes[0]], codes[len(codes) - sizes[-1] :], max(groups, 1)

    def _joint(self, tables: list[str], columns: tuple[str, ...], schema: Schema) -> np.ndarray:
        """Codes of the values of one column of each table, equal for equal values of either."""
        key = (*tables, *columns)
        if key not in self._codes:
            pairs = [Variable(column) for column in columns]
            vectors = [self._variable(v, schema.at(t), Type.TEXT) for v, t in zip(pairs, tables, strict=True)]
            self._codes[key] = identities(stacked(vectors))
        return self._codes[key]


def _finer(codes: np.ndarray, more: np.ndarray) -> np.ndarray:
    """Codes of pairs; -1 where either is."""
    inside = (codes >= 0) & (more >= 0)
    result = np.full(len(codes), -1, dtype=np.int64)
    pairs = codes[inside] * (int(more.max(initial=0)) + 1) + more[inside]
    result[inside] = np.unique(pairs, return_inverse=True)[1].reshape(-1)
    return result


def _constant(value: float | str | bool, n: int) -> Vector:
    if isinstance(value, bool):
        return Truths(np.full(n, 1 if value else -1, dtype=np.int8))
    if isinstance(value, str):
        return Texts(np.zeros(n, dtype=np.int64), np.array([value], dtype=object))
    return Numbers(np.full(n, float(value)))


def _nothing(kind: Type, n: int) -> Vector:
    """A column without values, of a type."""
    gone = np.full(n, np.nan)
    match kind:
        case Type.TEXT:
            return Texts(np.full(n, -1, dtype=np.int64), np.empty(0, dtype=object))
        case Type.DATE:
            return Dates(gone, gone, np.zeros(n, dtype=np.int8))
        case Type.TRUTH:
            return Truths(np.zeros(n, dtype=np.int8))
    return Numbers(gone)


def _negated(values: np.ndarray, negated: bool) -> Truths:
    return Truths((-values if negated else values).astype(np.int8))


def _written(column: pd.Series) -> pd.Series:
    """True dates as ISO 8601 text."""
    moments = parse(column)
    precision = np.where(moments.precision > 0, np.maximum(moments.precision, Precision.DAY), 0)
    return pd.Series(to_text(moments.day, precision, moments.second))
