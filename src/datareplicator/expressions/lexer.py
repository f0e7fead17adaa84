"""From text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from datareplicator.expressions.problems import ExpressionError
from datareplicator.expressions.tree import KEYWORDS

LONGEST = 20_000
"""Characters an expression may have."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<text>'(?:[^']|'')*'|"(?:[^"]|"")*")
      | (?P<quoted>`(?:[^`]|``)+`)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign><=|>=|<>|!=|==|[=<>+\-*/(),.])""",
    re.VERBOSE,
)
_SAME = {"==": "=", "<>": "!="}


@dataclass(frozen=True)
class Token:
    """`kind`: number, text, name, keyword, sign or end. `value` is the name, the sign or the unquoted text."""

    kind: str
    value: str
    at: int

    def __str__(self) -> str:
        return "the end" if self.kind == "end" else repr(self.value)


def tokens(text: str) -> list[Token]:
    """Cut a text into tokens, an end token last. Positions count from 1."""
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression is longer than {LONGEST:,} characters", text[:LONGEST], 1)
    found: list[Token] = []
    start = 0
    while start < len(text):
        match = _TOKEN.match(text, start)
        if match is None:
            raise _unreadable(text, start)
        kind, value = match.lastgroup or "", match.group()
        if kind != "space":
            found.append(_token(kind, value, start + 1))
        if kind == "number" and text[match.end() : match.end() + 1].isalpha():
            raise ExpressionError(f"{value!r} runs into a name", text, match.end() + 1, expected="an operator")
        start = match.end()
    found.append(Token("end", "", len(text) + 1))
    return found


def _token(kind: str, value: str, at: int) -> Token:
    if kind in ("text", "quoted"):
        mark = value[0]
        return Token("text" if kind == "text" else "name", value[1:-1].replace(mark * 2, mark), at)
    if kind == "name" and value.lower() in KEYWORDS:
        return Token("keyword", value if value.lower() in ("subject", "table") else value.lower(), at)
    return Token(kind, _SAME.get(value, value), at)


def _unreadable(text: str, start: int) -> ExpressionError:
    character = text[start]
    if character in "'\"`":
        return ExpressionError("a quote is opened and not closed", text, start + 1, expected=f"another {character}")
    hints = {"&": "'and'", "|": "'or'", "!": "'not' or '!='", "{": "'('", "[": "'('", "%": "the function mod(a, b)"}
    return ExpressionError(
        f"the character {character!r} means nothing here", text, start + 1, expected=hints.get(character, "")
    )
