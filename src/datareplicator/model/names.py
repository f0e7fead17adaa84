"""How names of persons are written, and which columns tell of the same person: their values agree."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pandas as pd

from datareplicator.structure.lexicon import TITLE

KINDS = ("name", "first_name", "last_name", "initials", "email")
"""Kinds of personal data that are written with a person's name."""
AGREEING = 0.8
"""Share of the rows whose values of two columns agree from which on both tell of the same person."""
SURE = 3
"""Rows from which on values alone say so."""
TWENTIETHS = 20
FORM = r"^(?:[^{}]|\{(?:[Ff]irst|FIRST|[Mm]iddle|MIDDLE|[Ll]ast|LAST|[FfMmLl])\})*$"
"""What a form of a name may be."""
_WORD = re.compile(r"[^\W\d_](?:\.(?=\s|$)|[\w'’-]*)")
_OF_NAMES = re.compile(
    r"(first|last|given|family|fore|sur|full)?_?(name|nam|initials?|init)$|e_?mail(_?addr(ess)?)?$", re.IGNORECASE
)
Held = dict[tuple[str, str], tuple[str | None, pd.Series]]
"""Columns by table and name: the kind of personal data, and values, of which each row is of one person."""


def persons_of(held: Held) -> dict[tuple[str, str], str]:
    """The person of each column: one for columns that agree."""
    person = {key: ".".join(key) for key in held}
    for one, other in combinations(held, 2):
        if person[one] != person[other] and _same(one, other, held):
            old, new = person[other], person[one]
            person = {key: new if value == old else value for key, value in person.items()}
    return person


def _same(one: tuple[str, str], other: tuple[str, str], held: Held) -> bool:
    (kind, mine), (their_kind, theirs) = held[one], held[other]
    called_alike = one[0] == other[0] and _OF_NAMES.sub("", one[1]) == _OF_NAMES.sub("", other[1])
    if {kind, their_kind} == {"first_name", "last_name"}:
        return called_alike  # the parts of a name say nothing of each other
    both = (mine.notna() & theirs.notna()).to_numpy()
    if not both.any():
        return called_alike
    pairs = zip(mine[both], theirs[both], strict=True)
    share = np.mean([agree(str(kind), a, str(their_kind), b) for a, b in pairs])
    evident = kind == their_kind != "initials"  # one whole name, written twice
    return bool(share >= AGREEING and (evident or called_alike or both.sum() >= SURE))


def agree(kind: str, text: str, other_kind: str, other: str) -> bool:
    """Whether two values may be of the same person.

    >>> agree("name", "Miller, Sarah J.", "initials", "SJM"), agree("name", "Sarah Miller", "email", "smiller@d.org")
    (True, True)
    >>> agree("name", "Sarah Miller", "initials", "TK"), agree("name", "Sarah Miller", "name", "Sarah Jones")
    (False, False)
    """
    if kind == "initials" or other_kind == "initials":
        a, b = sorted((_letters(kind, text), _letters(other_kind, other)), key=len)
        return bool(a) and (a == b or (len(a) > 1 and len(b) > 1 and (a[0], a[-1]) == (b[0], b[-1])) or a == b[:1])
    if kind == other_kind:
        return _words(kind, text) == _words(kind, other)
    mine, theirs = (_words(k, t) for k, t in ((kind, text), (other_kind, other)))
    if "email" in (kind, other_kind):
        box = "".join(mine if kind == "email" else theirs)
        return any(len(w) > 1 and w in box for w in (theirs if kind == "email" else mine))
    return bool(mine & theirs)


def _words(kind: str, text: str) -> set[str]:
    text = text.split("@")[0] if kind == "email" else text
    return {word.casefold() for word in re.findall(r"[^\W\d_]+", text)}


def _letters(kind: str, text: str) -> str:
    if kind == "initials":
        return "".join(c for c in text.casefold() if c.isalpha())
    _, parts = parse(kind, text.split("@")[0] if kind == "email" else text)
    first, last = ("".join(w for w, p in parts if p == part)[:1] for part in ("first", "last"))
    middle = "".join(w[:1] for w, p in parts if p == "middle")
    return (first + middle + last).casefold()


def parse(kind: str, text: str) -> tuple[list[tuple[int, int]], list[tuple[str, str]]]:
    """Where the words of a name lie (start, end), and each word with the part that it is: first, middle or last."""
    words = [m for m in _WORD.finditer(text) if not TITLE.fullmatch(m.group())]
    if kind == "first_name":
        parts = ["first", *["middle"] * (len(words) - 1)]
    elif kind == "last_name" or len(words) < 2:
        parts = ["last"] * len(words)
    elif "," in text[: words[-1].start()]:
        front = sum(m.start() < text.index(",") for m in words)
        parts = [*["last"] * front, "first", *["middle"] * (len(words) - front - 1)]
    else:
        parts = ["first", *["middle"] * (len(words) - 2), "last"]
    return [m.span() for m in words], [(m.group(), p) for m, p in zip(words, parts[: len(words)], strict=False)]


def form(kind: str, text: str) -> str:
    """How a name is written: its parts in braces, in the case of the text, a letter alone as one letter.

    >>> form("name", "Dr. Sarah J. MILLER"), form("name", "Miller, Sarah"), form("initials", "S-M")
    ('Dr. {First} {M}. {LAST}', '{Last}, {First}', '{F}-{L}')
    """
    if kind == "email":
        return ""
    if kind == "initials":
        letters = [m.span() for m in re.finditer(r"[^\W\d_]", text)]
        names = {1: ["first"], 2: ["first", "last"]}.get(len(letters), ["first", "middle", "last"])
        return _braces(text, letters, [(text[a:b], p) for (a, b), p in zip(letters, names, strict=False)])
    return _braces(text, *parse(kind, text))


def _braces(text: str, spans: list[tuple[int, int]], parts: list[tuple[str, str]]) -> str:
    out, at, before = "", 0, ""
    for (start, end), (word, part) in zip(spans, parts, strict=False):
        between = re.sub(r"\d", "", text[at:start])
        bare = word.rstrip(".")
        label = part[0] if len(bare) == 1 else part
        label = label.upper() if bare.isupper() else label.title() if bare[:1].isupper() else label
        if part != before:  # a last name of several words is one name
            out += f"{between}{{{label}}}" + word[len(bare) :]
        at, before = end, part
    rest = re.sub(r"[^\W_]", "", text[at:]) if spans else ""
    return out + rest


def usual_forms(forms: list[str]) -> tuple[str, ...]:
    """The forms of two subjects or more, each in its share of twenty; without such, the first of the most frequent."""
    held = pd.Series([f for f in forms if "{" in f], dtype=object).value_counts()
    shared = held[held >= 2] if (held >= 2).any() else held.iloc[:1]
    times = np.maximum(np.round(TWENTIETHS * shared / max(shared.sum(), 1)), 1).astype(int)
    return tuple(str(f) for f in np.repeat(times.index.to_numpy(dtype=object), times.to_numpy()))
