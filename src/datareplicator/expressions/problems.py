"""The error of expressions: where it is, what was expected, which known name is near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from datareplicator.errors import RequestError

WIDTH = 100  # characters of the expression that are shown around the position


class ExpressionError(RequestError):
    """An expression that cannot be read or does not fit the tables.

    `text` is the expression, `position` the place of the problem in it (from 1), `expected` what would have been
    right there, `near` the known names that are close to an unknown one. The message ends with the text and a caret.
    """

    code = "expression"

    def __init__(self, problem: str, text: str, position: int, *, expected: str = "", near: Iterable[str] = ()) -> None:
        self.problem, self.text, self.position = problem, text, position
        self.expected, self.near = expected, tuple(near)
        rest = f" Expected {expected}." if expected else ""
        if self.near:
            rest += f" Did you mean {' or '.join(repr(name) for name in self.near)}?"
        super().__init__(f"position {position}: {problem}.{rest}\n{_caret(text, position)}")


def _caret(text: str, position: int) -> str:
    """The part of the text around the position, and a caret below it."""
    flat = "".join(" " if c.isspace() else c for c in text)
    first = max(0, position - 1 - WIDTH // 2)
    return f"  {flat[first : first + WIDTH]}\n  {' ' * (position - 1 - first)}^"


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """Up to two known names close to one that is not known, whatever their case."""
    folded: dict[str, str] = {}
    for other in known:
        folded.setdefault(other.casefold(), other)
    cutoff = 0.6 if len(name) > 3 else 0.5  # of two letters, one right
    return [folded[n] for n in difflib.get_close_matches(name.casefold(), folded, n=2, cutoff=cutoff)]
