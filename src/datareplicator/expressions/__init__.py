"""Conditions on rows: a small grammar, parsed and typed, evaluated over whole columns in three values.

See docs/reference/expressions.md.
"""

from datareplicator.expressions.expression import Expression, parse
from datareplicator.expressions.problems import ExpressionError
from datareplicator.expressions.schema import Schema
from datareplicator.expressions.signatures import AGGREGATES, FUNCTIONS, Type

__all__ = ["AGGREGATES", "FUNCTIONS", "Expression", "ExpressionError", "Schema", "Type", "parse"]
