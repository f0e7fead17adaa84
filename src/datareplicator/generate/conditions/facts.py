"""What subjects show of a condition that they break, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from datareplicator.expressions import Expression
from datareplicator.expressions.check import resolve
from datareplicator.expressions.tree import (
    COMPARISONS,
    Aggregate,
    Between,
    Binary,
    Call,
    Literal,
    Node,
    Pattern,
    Unary,
    Variable,
    Within,
    to_text,
    walk,
)
from datareplicator.expressions.vectors import Dates, Numbers, Texts, Vector
from datareplicator.generate.conditions.condition import Condition
from datareplicator.generate.conditions.judge import Seen
from datareplicator.generate.conditions.learned import known_values
from datareplicator.model.study_model import StudyModel
from datareplicator.structure.spec import Ref

MOST_TEXTS = 6
MOST_FACTS = 3


def facts(model: StudyModel, seen: Seen, condition: Condition, subjects: np.ndarray) -> str:
    """What the rows of some subjects (bool) show of a condition that they break; empty where nothing is to be said.

    Of conditions joined by `and` only the parts that are broken, of `a implies b` what rows show where `a` holds.
    """
    rows = subjects[seen.subject[condition.table]]
    said = list(dict.fromkeys(_facts(model, seen, condition, condition.expression.tree, rows)))
    return "; ".join(said[:MOST_FACTS])


def _facts(model: StudyModel, seen: Seen, condition: Condition, node: Node, rows: np.ndarray) -> Iterator[str]:
    match node:
        case Binary(operator="implies"):
            where = rows & (seen.truth(_part(condition, node.left)) == 1)
            holds = " holds" if isinstance(node.left, Aggregate | Call) else ""
            for fact in _facts(model, seen, condition, node.right, where):
                yield f"where {to_text(node.left)}{holds}, {fact}"
        case Binary(operator="and"):
            for side in (node.left, node.right):
                if (seen.truth(_part(condition, side))[rows] < 0).any():
                    yield from _facts(model, seen, condition, side, rows)
        case Binary(operator="or"):
            yield from _facts(model, seen, condition, node.left, rows)
            yield from _facts(model, seen, condition, node.right, rows)
        case Unary(operator="not"):
            yield from _facts(model, seen, condition, node.operand, rows)
        case Binary(operator=operator) if operator in COMPARISONS and not any(map(_plain, (node.left, node.right))):
            yield share(node, seen.truth(_part(condition, node))[rows])
        case Binary(operator=operator) if operator in COMPARISONS:
            yield from _values(model, seen, condition, (node.left, node.right), rows)
        case Within() | Pattern():
            yield from _values(model, seen, condition, (node.value,), rows)
        case Between():
            yield from _values(model, seen, condition, (node.value, node.low, node.high), rows)
        case Literal():
            return
        case _:
            yield share(node, seen.truth(_part(condition, node))[rows])


def _part(condition: Condition, node: Node) -> Condition:
    return replace(condition, expression=Expression(node, condition.expression.text))


def _values(
    model: StudyModel, seen: Seen, condition: Condition, nodes: tuple[Node, ...], rows: np.ndarray
) -> Iterator[str]:
    for node in nodes:
        if not _plain(node):
            values = seen.vector(_part(condition, node)).take(np.flatnonzero(rows))
            yield f"{to_text(node)} is {_range(values)}{_learned(model, condition, node)}"


def _plain(node: Node) -> bool:
    """Whether a node is the same in all rows."""
    return all(isinstance(part, Literal | Unary | Binary) for part in walk(node))


def _learned(model: StudyModel, condition: Condition, node: Node) -> str:
    if not isinstance(node, Variable):
        return ""
    table, column = resolve(node, condition.schema, condition.expression.text)
    known = known_values(model, Ref(table=table, column=column))
    return f" (learned: {known.range_said})" if known.ranged else ""


def _range(values: Vector) -> str:
    known = np.flatnonzero(~values.missing)
    if not len(known):
        return "missing"
    held = values.take(known)
    if isinstance(held, Texts):
        texts = sorted({str(held.distinct[code]) for code in np.unique(held.codes)})
        more = f" and {len(texts) - MOST_TEXTS:,} more" if len(texts) > MOST_TEXTS else ""
        return ", ".join(map(repr, texts[:MOST_TEXTS])) + more
    if isinstance(held, Numbers):
        low, high = (f"{v:.12g}" for v in (held.values.min(), held.values.max()))
    elif isinstance(held, Dates):
        text = held.iso().astype(object)
        order = np.argsort(held.low, kind="stable")
        low, high = text[order[0]], text[order[-1]]
    else:
        return _truths(held.values)
    return low if low == high else f"from {low} to {high}"


def _truths(truth: np.ndarray) -> str:
    return "true" if (truth > 0).all() else "false" if (truth < 0).all() else "true or false"


def share(node: Node, truth: np.ndarray) -> str:
    """In how many rows a condition holds, in words."""
    held = float((truth == 1).mean()) if len(truth) else 0.0
    often = "always holds" if held == 1 else "never holds" if held == 0 else f"holds in {held:.1%} of the rows"
    return f"{to_text(node)} {often}"
