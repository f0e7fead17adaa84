"""From tokens to the tree: a parser by recursive descent (Aho, Lam, Sethi, Ullman: Compilers, 4.4).

::

    expression  = implication
    implication = disjunction ["implies" implication]
    disjunction = conjunction {"or" conjunction}
    conjunction = negation {"and" negation}
    negation    = "not" negation | predicate
    predicate   = sum [comparison]
    comparison  = ("=" | "!=" | "<" | "<=" | ">" | ">=") sum
                | ["not"] "in" "(" sum {"," sum} ")"
                | ["not"] "between" sum "and" sum
                | ["not"] ("like" | "matches") text
                | "is" ["not"] "missing"
    sum         = product {("+" | "-") product}
    product     = sign {("*" | "/") sign}
    sign        = "-" sign | primary
    primary     = number | text | "true" | "false" | name ["." name] | call | "(" expression ")"
    call        = name "(" [expression {"," expression}] [rows] ")" ["per" scope]
    rows        = ["of" name] ["where" expression] ["by" sum]
    scope       = "subject" | "table" | "(" name {"," name} ")"
"""

from __future__ import annotations

from datareplicator.expressions.lexer import Token, tokens
from datareplicator.expressions.problems import ExpressionError, near_names
from datareplicator.expressions.signatures import AGGREGATES, FUNCTIONS
from datareplicator.expressions.tree import (
    COMPARISONS,
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

DEEPEST = 60
"""Parentheses, signs and negations within each other, so that no text can exhaust the stack."""
LONGEST_CHAIN = 200
"""Levels of the tree, to which each operator of a chain (a and b and ...) adds one."""


def parse_tree(text: str) -> Node:
    """The tree of an expression. Raises ExpressionError with the position and what was expected there."""
    parser = _Parser(text)
    node = parser.expression()
    if parser.token.kind != "end":
        raise parser.error(f"{parser.token} is left over", "'and', 'or', 'implies' or the end")
    if _height(node) > LONGEST_CHAIN:
        raise parser.error(f"more than {LONGEST_CHAIN} operators in a row", "'in (...)', or several expressions", 1)
    return node


def _height(node: Node) -> int:
    """Levels of a tree, counted without recursion."""
    height, row = 0, [node]
    while row:
        height, row = height + 1, [child for parent in row for child in parent.children()]
    return height


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.index = 0
        self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def error(self, problem: str, expected: str = "", at: int | None = None) -> ExpressionError:
        return ExpressionError(problem, self.text, at or self.token.at, expected=expected)

    def found(self, *values: str) -> Token | None:
        """Take the next token if it is one of these keywords or signs."""
        token = self.token
        if token.kind not in ("keyword", "sign") or token.value.lower() not in values:
            return None
        self.index += 1
        return token

    def expect(self, value: str) -> Token:
        token = self.found(value)
        if token is None:
            raise self.error(f"found {self.token}", repr(value))
        return token

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"more than {DEEPEST} levels within each other", "a simpler expression")

    def expression(self) -> Node:
        self.deeper()
        left = self.disjunction()
        if operator := self.found("implies"):
            left = Binary("implies", left, self.expression(), at=operator.at)
        self.depth -= 1
        return left

    def disjunction(self) -> Node:
        left = self.conjunction()
        while operator := self.found("or"):
            left = Binary("or", left, self.conjunction(), at=operator.at)
        return left

    def conjunction(self) -> Node:
        left = self.negation()
        while operator := self.found("and"):
            left = Binary("and", left, self.negation(), at=operator.at)
        return left

    def negation(self) -> Node:
        operator = self.found("not")
        if operator is None:
            return self.predicate()
        self.deeper()
        node = Unary("not", self.negation(), at=operator.at)
        self.depth -= 1
        return node

    def predicate(self) -> Node:
        left = self.sum()
        if operator := self.found(*COMPARISONS):
            node: Node = Binary(operator.value, left, self.sum(), at=operator.at)
            if self.token.value in COMPARISONS and self.token.kind == "sign":
                raise self.error("comparisons do not chain", "'and', or 'x between a and b'")
            return node
        if operator := self.found("is"):
            negated = self.found("not") is not None
            self.expect("missing")
            return Missing(left, negated, at=operator.at)
        negated = self.found("not") is not None
        if operator := self.found("in"):
            return Within(left, self.options(), negated, at=operator.at)
        if operator := self.found("between"):
            low = self.sum()
            self.expect("and")
            return Between(left, low, self.sum(), negated, at=operator.at)
        if operator := self.found("like", "matches"):
            if self.token.kind != "text":
                raise self.error(f"found {self.token}", "a pattern in quotes")
            pattern = self.tokens[self.index].value
            self.index += 1
            return Pattern(left, operator.value, pattern, negated, at=operator.at)
        if negated:
            raise self.error(f"found {self.token}", "'in', 'between', 'like' or 'matches' after 'not'")
        return left

    def options(self) -> tuple[Node, ...]:
        self.expect("(")
        found = [self.sum()]
        while self.found(","):
            found.append(self.sum())
        self.expect(")")
        return tuple(found)

    def sum(self) -> Node:
        left = self.product()
        while operator := self.found("+", "-"):
            left = Binary(operator.value, left, self.product(), at=operator.at)
        return left

    def product(self) -> Node:
        left = self.sign()
        while operator := self.found("*", "/"):
            left = Binary(operator.value, left, self.sign(), at=operator.at)
        return left

    def sign(self) -> Node:
        operator = self.found("-")
        if operator is None:
            return self.primary()
        self.deeper()
        node = Unary("-", self.sign(), at=operator.at)
        self.depth -= 1
        return node

    def primary(self) -> Node:
        token = self.token
        if self.found("("):
            node = self.expression()
            self.expect(")")
            return node
        if value := self.found("true", "false"):
            return Literal(value.value == "true", at=value.at)
        if token.kind == "number":
            self.index += 1
            return Literal(_number(token, self), at=token.at)
        if token.kind == "text":
            self.index += 1
            return Literal(token.value, at=token.at)
        name = self.name("a value (a number, a text in quotes, a variable, a function) or '('")
        if self.token.value == "(" and self.token.kind == "sign":
            return self.call(name)
        if self.found("."):
            return Variable(self.name("a variable after the table's name").value, name.value, at=name.at)
        return Variable(name.value, at=name.at)

    def name(self, expected: str) -> Token:
        token = self.token
        if token.kind == "name" or (token.kind == "keyword" and token.value.lower() in ("subject", "table")):
            self.index += 1
            return token
        raise self.error(f"found {token}", expected)

    def call(self, name: Token) -> Node:
        word = name.value.lower()
        if word not in FUNCTIONS and word not in AGGREGATES:
            raise ExpressionError(
                f"there is no function {name.value!r}",
                self.text,
                name.at,
                near=near_names(word, [*FUNCTIONS, *AGGREGATES]),
            )
        self.expect("(")
        arguments = []
        if not (self.token.kind in ("sign", "keyword") and self.token.value.lower() in (")", "of", "where", "by")):
            arguments.append(self.expression())
            while self.found(","):
                arguments.append(self.expression())
        table = self.name("the name of a table").value if self.found("of") else None
        where = self.expression() if self.found("where") else None
        by = self.sum() if self.found("by") else None
        self.expect(")")
        scope, columns = self.scope()
        rows = table is not None or where is not None or by is not None or scope is not None
        if word in AGGREGATES and (rows or word not in FUNCTIONS or len(arguments) == 1):
            return Aggregate(word, tuple(arguments), table, where, by, scope or "subject", columns, at=name.at)
        if rows:
            raise self.error(f"{word} takes values of one row", "no 'of', 'where', 'by' or 'per'", name.at)
        return Call(word, tuple(arguments), at=name.at)

    def scope(self) -> tuple[str | None, tuple[str, ...]]:
        if not self.found("per"):
            return None, ()
        if word := self.found("subject", "table"):
            return word.value.lower(), ()
        if not self.found("("):
            raise self.error(f"found {self.token}", "'subject', 'table' or column names in parentheses")
        columns = [self.name("the name of a column").value]
        while self.found(","):
            columns.append(self.name("the name of a column").value)
        self.expect(")")
        return "columns", tuple(columns)


def _number(token: Token, parser: _Parser) -> float | int:
    value = float(token.value)
    if value == float("inf"):
        raise parser.error(f"the number {token.value} is too large", at=token.at)
    return int(token.value) if token.value.isdigit() else value
