"""The seed tree: every random number of DataReplicator comes from here and from nothing else.

A stream is named by (seed, block, path), where the path says what it is for ("LB", "residual"). Philox is a
counter-based generator (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"): its key is the digest
of the name, so that streams are independent and cost no state. The plan of blocks is fixed by the request, never
by the number of workers; that is why any number of workers gives the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """Named random streams of one block of subjects.

    >>> a = Streams(seed=7, block=0).get("LB", "residual").random(3)
    >>> b = Streams(seed=7, block=0).get("LB", "residual").random(3)
    >>> bool((a == b).all())
    True
    """

    seed: int
    block: int = 0
    prefix: tuple[str, ...] = ()

    def under(self, *path: str) -> Streams:
        """The same tree seen from a branch: `streams.under("LB").get("x")` is `streams.get("LB", "x")`."""
        return Streams(self.seed, self.block, self.prefix + path)

    def get(self, *path: str) -> np.random.Generator:
        """A fresh generator for this path; asking twice gives the same numbers again, so ask once for each use."""
        name = "\x1f".join((str(self.seed), str(self.block), *self.prefix, *path)).encode()
        key = int.from_bytes(hashlib.blake2b(name, digest_size=16).digest(), "little")
        return np.random.Generator(np.random.Philox(key=key))
