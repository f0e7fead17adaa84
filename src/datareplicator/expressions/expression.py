"""The expression as users of the room meet it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from datareplicator.expressions.check import Checker
from datareplicator.expressions.evaluate import Evaluator
from datareplicator.expressions.parser import parse_tree
from datareplicator.expressions.schema import Schema
from datareplicator.expressions.signatures import Type
from datareplicator.expressions.tree import Aggregate, Node, Variable, to_text, walk
from datareplicator.expressions.vectors import Vector


@dataclass(frozen=True)
class Expression:
    """A parsed expression. Equal expressions have equal trees, whatever their blanks and parentheses."""

    tree: Node
    text: str = field(default="", compare=False)

    @property
    def variables(self) -> frozenset[str]:
        """The variables as written: ``AGE``, ``DM.AGE``; ``AE.AESER`` for those within an aggregate ``of AE``."""
        return frozenset(_variables(self.tree, None))

    @property
    def tables(self) -> frozenset[str]:
        """The other tables that it names."""
        nodes = list(walk(self.tree))
        named = {n.table for n in nodes if isinstance(n, Variable | Aggregate)}
        return frozenset(t for t in named if t is not None)

    def check(self, schema: Schema) -> None:
        """Check names and types, and that it is a condition. Raises ExpressionError."""
        Checker(self.text).condition(self.tree, schema)

    def type(self, schema: Schema) -> Type:
        """What it gives. Raises ExpressionError where names or types do not fit."""
        return Checker(self.text).type_of(self.tree, schema)

    def evaluate(
        self,
        frame: pd.DataFrame,
        *,
        subject: str | Mapping[str, str] | None = None,
        others: Mapping[str, pd.DataFrame] | None = None,
        table: str = "",
        schema: Schema | None = None,
    ) -> np.ndarray:
        """Bool array over the rows of `frame`: where the condition surely holds.

        `others` are the frames of other tables by name, `table` the name of `frame`, `subject` the subject key's
        column (or one name a table). Types are judged from the frames unless `schema` gives them. Raises
        ExpressionError.
        """
        return self.truth(frame, subject=subject, others=others, table=table, schema=schema) == 1

    def broken(
        self,
        frame: pd.DataFrame,
        *,
        subject: str | Mapping[str, str] | None = None,
        others: Mapping[str, pd.DataFrame] | None = None,
        table: str = "",
        schema: Schema | None = None,
    ) -> np.ndarray:
        """Bool array: where the condition surely does not hold. Arguments as for `evaluate`."""
        return self.truth(frame, subject=subject, others=others, table=table, schema=schema) == -1

    def truth(
        self,
        frame: pd.DataFrame,
        *,
        subject: str | Mapping[str, str] | None = None,
        others: Mapping[str, pd.DataFrame] | None = None,
        table: str = "",
        schema: Schema | None = None,
    ) -> np.ndarray:
        """Int8 array: 1 where the condition surely holds, -1 where it surely does not, 0 where it is not known.
        Arguments as for `evaluate`."""
        evaluator = self._evaluator(frame, subject, others, table, schema)
        self.check(evaluator.schema)
        return evaluator.truth(self.tree, evaluator.schema)

    def values(
        self,
        frame: pd.DataFrame,
        *,
        subject: str | Mapping[str, str] | None = None,
        others: Mapping[str, pd.DataFrame] | None = None,
        table: str = "",
        schema: Schema | None = None,
    ) -> pd.Series:
        """The values of any expression, with the frame's index: dates as datetime64 where known to the day. Arguments
        as for `evaluate`."""
        found = self.vector(frame, subject=subject, others=others, table=table, schema=schema)
        return found.series().set_axis(frame.index)

    def vector(
        self,
        frame: pd.DataFrame,
        *,
        subject: str | Mapping[str, str] | None = None,
        others: Mapping[str, pd.DataFrame] | None = None,
        table: str = "",
        schema: Schema | None = None,
    ) -> Vector:
        """The values of any expression as the room holds them, partial dates too. Arguments as for `evaluate`."""
        evaluator = self._evaluator(frame, subject, others, table, schema)
        self.type(evaluator.schema)
        return evaluator.value(self.tree, evaluator.schema)

    def _evaluator(
        self,
        frame: pd.DataFrame,
        subject: str | Mapping[str, str] | None,
        others: Mapping[str, pd.DataFrame] | None,
        table: str,
        schema: Schema | None,
    ) -> Evaluator:
        frames = {**(others or {}), table: frame}
        return Evaluator(self.text, schema or Schema.of(table, frames, subject), frames)

    def __str__(self) -> str:
        return to_text(self.tree)


def parse(text: str) -> Expression:
    """Read an expression. Raises ExpressionError with the position and what was expected.

    >>> rule = parse("AGE between 18 and 80 and SEX in ('F', 'M')")
    >>> sorted(rule.variables), str(rule)
    (['AGE', 'SEX'], "AGE between 18 and 80 and SEX in ('F', 'M')")
    >>> parse("AGE > 18 and").tree
    Traceback (most recent call last):
    ...
    datareplicator.expressions.problems.ExpressionError: position 13: found the end. Expected a value (a number, ...
      AGE > 18 and
                  ^
    """
    return Expression(parse_tree(text), text)


def _variables(node: Node, table: str | None) -> set[str]:
    if isinstance(node, Variable):
        return {node.text if node.table is not None or table is None else f"{table}.{node.name}"}
    inner = table
    found: set[str] = set()
    if isinstance(node, Aggregate):
        inner = node.table or table
        found |= {name if table is None else f"{table}.{name}" for name in node.columns}
        found |= {name if inner is None else f"{inner}.{name}" for name in node.columns}
    for child in node.children():
        found |= _variables(child, inner)
    return found
