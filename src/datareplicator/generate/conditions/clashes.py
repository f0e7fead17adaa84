"""Contradictions that show without drawing anything: between two constraints, or with what was learned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from datareplicator.expressions import Expression, ExpressionError, Schema
from datareplicator.expressions.check import Checker, resolve
from datareplicator.expressions.compare import MIRRORED
from datareplicator.expressions.problems import near_names
from datareplicator.expressions.tree import Aggregate, Between, Binary, Literal, Node, Unary, Variable, Within
from datareplicator.generate.conditions.learned import ROOM, Known
from datareplicator.structure.spec import Ref


@dataclass(frozen=True)
class Allowed:
    """What a condition leaves of a column's values: a range (ends open where `above` or `below`), or some texts."""

    low: float = -np.inf
    high: float = np.inf
    above: bool = False
    below: bool = False
    texts: frozenset[str] | None = None
    not_texts: frozenset[str] = frozenset()

    def both(self, other: Allowed) -> Allowed:
        """What is left of both."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        held = [t for t in (self.texts, other.texts) if t is not None]
        return Allowed(
            low,
            high,
            any(a.above and a.low == low for a in (self, other)),
            any(a.below and a.high == high for a in (self, other)),
            frozenset.intersection(*held) if held else None,
            self.not_texts | other.not_texts,
        )

    @property
    def empty(self) -> bool:
        """Whether no value is left."""
        if self.texts is not None and not self.texts - self.not_texts:
            return True
        return self.low > self.high or (self.low == self.high and (self.above or self.below))

    def said(self) -> str:
        """In words."""
        if self.texts is not None:
            return " or ".join(repr(t) for t in sorted(self.texts)) or "no value"
        return f"{'above' if self.above else 'from'} {self.low:g} {'to below' if self.below else 'to'} {self.high:g}"


def allowed(expression: Expression, schema: Schema) -> dict[Ref, Allowed]:
    """What each column may hold where the condition holds, as far as its parts joined by `and` say."""
    found: dict[Ref, Allowed] = {}
    for variable, part in _atoms(expression.tree):
        table, column = resolve(variable, schema, expression.text)
        ref = Ref(table=table, column=column)
        found[ref] = found.get(ref, Allowed()).both(part)
    return found


def _atoms(node: Node) -> Iterator[tuple[Variable, Allowed]]:
    match node:
        case Binary(operator="and"):
            yield from _atoms(node.left)
            yield from _atoms(node.right)
        case Binary(left=Variable() as variable, right=right, operator=operator) if _value(right) is not None:
            yield from ((variable, a) for a in _compared(operator, _value(right)))
        case Binary(left=left, right=Variable() as variable, operator=operator) if _value(left) is not None:
            yield from ((variable, a) for a in _compared(MIRRORED.get(operator, operator), _value(left)))
        case Between(value=Variable() as variable, negated=False):
            for bound, operator in ((node.low, ">="), (node.high, "<=")):
                if _value(bound) is not None:
                    yield from ((variable, a) for a in _compared(operator, _value(bound)))
        case Within(value=Variable() as variable, negated=negated):
            values = [_value(option) for option in node.options]
            if values and all(isinstance(v, str) for v in values):
                texts = frozenset(str(v) for v in values)
                yield variable, Allowed(not_texts=texts) if negated else Allowed(texts=texts)
            elif values and not negated and all(isinstance(v, float) for v in values):
                numbers = [float(v) for v in values if v is not None]
                yield variable, Allowed(min(numbers), max(numbers))


def _value(node: Node) -> float | str | None:
    if isinstance(node, Unary) and node.operator == "-" and isinstance(node.operand, Literal):
        inner = _value(node.operand)
        return -inner if isinstance(inner, float) else None
    if isinstance(node, Literal) and not isinstance(node.value, bool):
        return node.value if isinstance(node.value, str) else float(node.value)
    return None


def _compared(operator: str, value: float | str | None) -> Iterator[Allowed]:
    if isinstance(value, str):
        if operator == "=":
            yield Allowed(texts=frozenset({value}))
        elif operator == "!=":
            yield Allowed(not_texts=frozenset({value}))
    elif value is not None:
        if operator in ("=", ">", ">="):
            yield Allowed(low=value, above=operator == ">")
        if operator in ("=", "<", "<="):
            yield Allowed(high=value, below=operator == "<")


def learned_clash(column: Ref, part: Allowed, known: Known, room: float = ROOM) -> str | None:
    """Why nothing that was learned of a column fits, or None.

    `room`: how far beyond what was learned numbers may lie, as a share of their range.
    """
    name = f"{column.table}.{column.column}"
    if known.texts is not None and (part.texts is not None or part.not_texts):
        left = (known.texts if part.texts is None else known.texts & part.texts) - part.not_texts
        if left:
            return None
        if not known.texts:
            return f"{name} has no values in the source"
        return f"{name} is {_listed(known.texts)} in the source"
    if known.ranged and part.texts is None:
        beyond = room * (known.high - known.low)
        reach = replace(part, low=part.low - beyond, high=part.high + beyond)
        if reach.low > known.high or reach.high < known.low:
            return f"{name} was learned to be {known.range_said}"
    return None


def _listed(texts: Iterable[str]) -> str:
    names = sorted(texts)
    return ", ".join(repr(n) for n in names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def refuse_unknown(expression: Expression, schema: Schema, known: Callable[[Ref], Known], said: str) -> None:
    """Refuse texts that a condition (called `said`) wants of a column and that the column never holds: raises
    ExpressionError with the position and near texts. What only an `if` (left of `implies`) or a negation speaks of
    may be anything."""
    for variable, texts, at, inner in _wanted(expression.tree, schema, expression.text):
        table, column = resolve(variable, inner, expression.text)
        held = known(Ref(table=table, column=column)).texts
        if held is not None and not held & texts:
            text = sorted(texts)[0]
            shown = f"it is {_listed(held)}" if held else "it has no values"
            problem = f"{said}: {table}.{column} is never {text!r} in the source: {shown}"
            raise ExpressionError(problem, expression.text, at, near=near_names(text, held))


def _wanted(node: Node, schema: Schema, text: str) -> Iterator[tuple[Variable, frozenset[str], int, Schema]]:
    """The texts that columns are to have for a condition to hold, where they stand, and whose tables are meant."""
    match node:
        case Binary(operator="and" | "or"):
            yield from _wanted(node.left, schema, text)
            yield from _wanted(node.right, schema, text)
        case Binary(operator="implies"):
            yield from _wanted(node.right, schema, text)
        case Binary(operator="=", left=Variable() as variable, right=Literal(value=str() as value) as literal):
            yield variable, frozenset({value}), literal.at, schema
        case Within(value=Variable() as variable, negated=False) if all(
            isinstance(_value(o), str) for o in node.options
        ):
            yield variable, frozenset(str(_value(o)) for o in node.options), node.options[0].at, schema
        case Aggregate(name="any" | "all"):
            for argument in node.arguments:
                yield from _wanted(argument, Checker(text).rows_of(node, schema), text)


def unknown_text(expression: Expression, schema: Schema, known: Mapping[Ref, Known]) -> tuple[str, list[str]] | None:
    """A text that is compared with a column and that the column never holds, with near ones."""
    for variable, part in _atoms(expression.tree):
        table, column = resolve(variable, schema, expression.text)
        held = known.get(Ref(table=table, column=column))
        if held is not None and held.texts is not None and part.texts is not None and not held.texts & part.texts:
            text = sorted(part.texts)[0]
            return f"{table}.{column} is never {text!r} in the source", near_names(text, held.texts)
    return None
