"""Misspelt values: rare texts that one slip of the hand makes of a frequent one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

SHORTEST = 4
"""Shorter words are too near to each other to tell a slip from a word."""

CUT = 0.75
"""Share of a text that must be left for it to count as a cut of another."""


def nearest(texts: Sequence[str], count: np.ndarray) -> list[int | None]:
    """For each rare text the most frequent one that a single slip, or a cut, makes it of; None without one.

    A slip is one letter too many, too few, another, or two neighbours exchanged; digits and differences within them
    are no slips (GRADE 1 and GRADE 2 are two words). Candidates come from deletion neighbourhoods, so that the cost
    follows the number of texts, not of pairs (Mor and Fraenkel 1982).

    >>> nearest(["HEADACHE", "HAEDACHE", "NAUSEA"], np.array([90, 1, 50]))
    [None, 0, None]
    """
    by_deletion: dict[str, list[int]] = defaultdict(list)
    frequent = [i for i in range(len(texts)) if count[i] > 2 and len(texts[i]) >= SHORTEST]
    rare = [i for i in range(len(texts)) if count[i] <= 2 and len(texts[i]) >= SHORTEST]
    if not rare:
        return [None] * len(texts)
    for i in frequent:
        for key in _deletions(texts[i]):
            by_deletion[key].append(i)
    found: list[int | None] = [None] * len(texts)
    prefixes = sorted((texts[i], i) for i in frequent)
    words = [text for text, _ in prefixes]
    for i in rare:
        near = {j for key in _deletions(texts[i]) for j in by_deletion.get(key, ()) if _slip(texts[i], texts[j])}
        at = int(np.searchsorted(np.array(words, dtype=object), texts[i])) if words else 0
        if at < len(words) and words[at].startswith(texts[i]) and len(texts[i]) >= CUT * len(words[at]):
            near.add(prefixes[at][1])
        if near:
            found[i] = max(near, key=lambda j: (count[j], -j))
    return found


def _deletions(text: str) -> Iterator[str]:
    yield text
    for k in range(len(text)):
        yield text[:k] + text[k + 1 :]


def _slip(a: str, b: str) -> bool:
    """Whether one slip makes one text of the other, and it is a slip in a letter."""
    if a == b:
        return False
    short, long = sorted((a, b), key=len)
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    end = 0
    while end < len(short) - start and short[len(short) - 1 - end] == long[len(long) - 1 - end]:
        end += 1
    left, right = short[start : len(short) - end], long[start : len(long) - end]
    if any(char.isdigit() for char in left + right):
        return False
    if len(long) - len(short) == 1:
        return left == ""
    return len(long) == len(short) and (len(left) == 1 or (len(left) == 2 and left == right[::-1]))
