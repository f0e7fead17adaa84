"""Names that made-up persons may have: none that the source has, as long as enough are left.

What is kept of the source's names are short digests of those that are in our own pools: each fits many names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Set
from functools import lru_cache

import numpy as np
import pyarrow as pa

from datareplicator.model.personal import distinct_names

POOLS = ("first_name", "last_name")
LEFT = 0.5
"""Share of a pool that must be left; where the source has more of its names, all may be drawn."""
_WORDS = re.compile(r"[^\W\d_][\w'’-]*")


def words_of(texts: Iterable[str]) -> set[str]:
    """The words of names, in small letters."""
    return set(_WORDS.findall("\n".join(texts).casefold()))


def taken_names(words: Set[str]) -> np.ndarray:
    """Digests (int64) of the pools' names that are among `words`; of a pool of which too little is left, none."""
    found: set[int] = set()
    for what in POOLS:
        names = distinct_names(what)[0].to_pylist()
        mine = [name for name in names if name.casefold() in words]
        found |= {_digest(name) for name in mine} if len(mine) <= LEFT * len(names) else set()
    return np.array(sorted(found), dtype=np.int64)


def _digest(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.casefold().encode(), digest_size=2).digest(), "little")


def free_names(what: str, taken: Iterable[int]) -> tuple[pa.Array, pa.Array]:
    """A pool's names and how they stand in an address, without those whose digests are `taken`."""
    return _free(what, tuple(sorted(set(taken))))


@lru_cache(maxsize=64)
def _free(what: str, taken: tuple[int, ...]) -> tuple[pa.Array, pa.Array]:
    names, boxes = distinct_names(what)
    barred = set(taken)
    free = np.array([_digest(name) not in barred for name in names.to_pylist()], dtype=bool)
    if not free.any():
        return names, boxes
    return names.filter(pa.array(free)), boxes.filter(pa.array(free))
