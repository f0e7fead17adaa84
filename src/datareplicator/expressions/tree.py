"""The syntax tree of an expression, and its canonical text.

Nodes are equal when they mean the same, wherever they stood: `at`, the position in the text, is not compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields

_LOGIC = {"and", "or", "not", "implies", "true", "false"}
_TESTS = {"in", "between", "like", "matches", "is", "missing"}
_ROWS = {"where", "of", "by", "per", "subject", "table"}
KEYWORDS = frozenset(_LOGIC | _TESTS | _ROWS)
SOFT = frozenset({"subject", "table"})
"""Keywords only after `per`; elsewhere names like any other."""
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Node:
    """Any part of an expression."""

    at: int = field(default=0, compare=False, kw_only=True)

    def children(self) -> Iterator[Node]:
        """The nodes directly below."""
        for f in fields(self):
            value = getattr(self, f.name)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, Node):
                    yield item


@dataclass(frozen=True)
class Literal(Node):
    """A number, text or truth value."""

    value: float | int | str | bool

    def __eq__(self, other: object) -> bool:
        # 1, 1.0 and true are equal in Python, and are three different literals here
        return isinstance(other, Literal) and type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))


@dataclass(frozen=True)
class Variable(Node):
    """A column, of the table at hand or, with `table`, of another one of the same subject."""

    name: str
    table: str | None = None

    @property
    def text(self) -> str:
        """The name as it is written, without quotes."""
        return self.name if self.table is None else f"{self.table}.{self.name}"


@dataclass(frozen=True)
class Unary(Node):
    """``not`` or ``-``."""

    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary(Node):
    """Logic (``and or implies``), comparison (``= != < <= > >=``) and arithmetic (``+ - * /``)."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Within(Node):
    """``value in (a, b)``."""

    value: Node
    options: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True)
class Between(Node):
    """``value between low and high``, both ends included."""

    value: Node
    low: Node
    high: Node
    negated: bool = False


@dataclass(frozen=True)
class Pattern(Node):
    """``value like 'A%'`` or ``value matches 'A.*'``."""

    value: Node
    operator: str
    pattern: str
    negated: bool = False


@dataclass(frozen=True)
class Missing(Node):
    """``value is missing``."""

    value: Node
    negated: bool = False


@dataclass(frozen=True)
class Call(Node):
    """A function of values in one row."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Aggregate(Node):
    """A function over rows: of `table` (None: the table at hand), those where `where` surely holds, within the subject
    (`per` is ``("subject",)``), within its rows of equal named columns, or over the whole table (``("table",)``)."""

    name: str
    arguments: tuple[Node, ...]
    table: str | None = None
    where: Node | None = None
    by: Node | None = None
    scope: str = "subject"  # subject, table or columns
    columns: tuple[str, ...] = ()


# How tightly operators bind, loosest first; what does not stand here never needs parentheses.
LEVEL = {"implies": 1, "or": 2, "and": 3, "not": 4, "comparison": 5, "+": 6, "-": 6, "*": 7, "/": 7, "negative": 8}
COMPARISONS = ("=", "!=", "<=", ">=", "<", ">")


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in node.children():
        yield from walk(child)


def quoted(text: str) -> str:
    """A text literal."""
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """A name, between backticks where it could be read as something else."""
    plain = PLAIN_NAME.fullmatch(name) and (name.lower() not in KEYWORDS or name.lower() in SOFT)
    return name if plain else "`" + name.replace("`", "``") + "`"


def level(node: Node) -> int:
    """How tightly a node binds; 9 for what needs no parentheses anywhere."""
    if isinstance(node, Binary):
        return LEVEL.get(node.operator, LEVEL["comparison"])
    if isinstance(node, Unary):
        return LEVEL["not"] if node.operator == "not" else LEVEL["negative"]
    return LEVEL["comparison"] if isinstance(node, Within | Between | Pattern | Missing) else 9


def to_text(node: Node) -> str:
    """The canonical text: parsing it gives an equal tree."""
    match node:
        case Literal(value=bool() as value):
            return "true" if value else "false"
        case Literal(value=value):
            return quoted(value) if isinstance(value, str) else repr(value)
        case Variable():
            return named(node.name) if node.table is None else f"{named(node.table)}.{named(node.name)}"
        case Unary(operator="not"):
            return f"not {_inside(node.operand, LEVEL['not'])}"
        case Unary():
            return f"-{_inside(node.operand, LEVEL['negative'])}"
        case Binary():
            return _binary(node)
        case Within():
            options = ", ".join(_inside(o, LEVEL["+"]) for o in node.options)
            return f"{_tight(node.value)}{_not(node.negated)} in ({options})"
        case Between():
            return f"{_tight(node.value)}{_not(node.negated)} between {_tight(node.low)} and {_tight(node.high)}"
        case Pattern():
            return f"{_tight(node.value)}{_not(node.negated)} {node.operator} {quoted(node.pattern)}"
        case Missing():
            return f"{_tight(node.value)} is{_not(node.negated)} missing"
        case Call():
            return f"{node.name}({', '.join(map(to_text, node.arguments))})"
        case Aggregate():
            return _aggregate(node)
    raise TypeError(f"no such node: {node!r}")


def _binary(node: Binary) -> str:
    own = level(node)
    if node.operator == "implies":  # binds to the right
        left, right = own + 1, own
    elif own == LEVEL["comparison"]:  # comparisons do not chain
        left, right = own + 1, own + 1
    else:
        left, right = own, own + 1
    return f"{_inside(node.left, left)} {node.operator} {_inside(node.right, right)}"


def _inside(node: Node, least: int) -> str:
    text = to_text(node)
    return f"({text})" if level(node) < least else text


def _tight(node: Node) -> str:
    return _inside(node, LEVEL["+"])


def _not(negated: bool) -> str:
    return " not" if negated else ""


def _aggregate(node: Aggregate) -> str:
    parts = [", ".join(map(to_text, node.arguments))] if node.arguments else []
    if node.table is not None:
        parts.append(f"of {named(node.table)}")
    if node.where is not None:
        parts.append(f"where {to_text(node.where)}")
    if node.by is not None:
        parts.append(f"by {_tight(node.by)}")
    text = f"{node.name}({' '.join(parts)})"
    if node.scope == "table":
        return f"{text} per table"
    return f"{text} per ({', '.join(map(named, node.columns))})" if node.columns else text
