"""Names that made-up persons may have: none that the source has, as long as enough are left.

What is kept of the source's names are digests so short that each fits many names.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pyarrow as pa

from datareplicator.model.personal import distinct_names

LEFT = 0.5
"""Share of a pool that must be left; where the source has more of its names, all may be drawn."""
MANY = 2000
"""Distinct texts above which most of the usual names are among them."""
_WORDS = re.compile(r"[^\W\d_][\w'’-]*")


def taken_names(texts: Iterable[str]) -> np.ndarray:
    """Digests (int64, 16 bits) of the words of the distinct names of a source; none where these are very many.

    >>> len(taken_names(["Miller, Sarah", "SARAH JONES"]))
    3
    """
    distinct = list(dict.fromkeys(texts))
    if len(distinct) > MANY:
        return np.empty(0, dtype=np.int64)
    words = set(_WORDS.findall("\n".join(distinct).casefold()))
    return np.array(sorted({_digest(word) for word in words}), dtype=np.int64)


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
    if free.mean() < LEFT:
        return names, boxes
    return names.filter(pa.array(free)), boxes.filter(pa.array(free))
