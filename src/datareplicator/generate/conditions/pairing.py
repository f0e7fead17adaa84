"""Which subjects of a spare block go into which places of a block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from datareplicator.generate.request import BLOCK


@dataclass
class Standing:
    """What the subjects of a block are worth: `broken` bool (rules, subjects); `shows` bool and `rows` int (quotas,
    subjects)."""

    broken: np.ndarray
    shows: np.ndarray
    rows: np.ndarray

    @property
    def bad(self) -> np.ndarray:
        """bool a subject: breaks a rule."""
        return self.broken.any(axis=0)

    def exchange(self, other: Standing, slots: np.ndarray, takes: np.ndarray) -> None:
        """Put the others' in place of some subjects."""
        for name in ("broken", "shows", "rows"):
            getattr(self, name)[:, slots] = getattr(other, name)[:, takes]


def pair_places(
    mine: Standing,
    theirs: Standing,
    places: np.ndarray,
    lacks: Mapping[int, int],
    by_rows: frozenset[int],
    cells: np.ndarray,
    other_cells: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, the subjects of the other block that go into them, and for the sake of which quota (-1: of none): first
    for what is missing, then for what is bad."""
    good, bad = ~theirs.bad, mine.bad & places
    shown = mine.shows[list(lacks)].any(axis=0) | (mine.rows[sorted(by_rows)] > 0).any(axis=0)
    plain = places & ~bad & ~shown
    pairs: list[tuple[int, int, int]] = []

    def plainest(open_to: np.ndarray) -> np.ndarray:
        """Who may come, those first who show nothing that is counted."""
        takes = np.flatnonzero(open_to)
        return takes[np.argsort(theirs.shows[list(lacks)][:, takes].sum(axis=0), kind="stable")]

    def put(slot: int, take: int, why: int) -> None:
        pairs.append((slot, take, why))
        plain[slot] = bad[slot] = good[take] = False

    for k, lack in lacks.items():
        left = lack
        # Who gives way where there are too many, and who may come instead.
        crowded, without = (
            (places & (mine.rows[k] > 0), theirs.rows[k] == 0)
            if k in by_rows
            else (places & mine.shows[k], ~theirs.shows[k])
        )
        for take in plainest(good & (theirs.shows[k] if lack > 0 else without)):
            room = (bad | plain if lack > 0 else crowded & ~np.isin(np.arange(BLOCK), [p[0] for p in pairs])) & (
                cells == other_cells[take]
            )
            fits = np.flatnonzero(room)
            if left == 0 or not len(fits):
                continue
            slot = int(fits[np.argmax(bad[fits])] if bad[fits].any() else fits[-1])
            gain = int(theirs.rows[k][take]) - int(mine.rows[k][slot]) if k in by_rows else int(np.sign(left))
            if abs(gain) <= abs(left) and gain * left > 0:
                put(slot, int(take), k)
                left -= gain
    for cell in np.unique(cells[bad]):
        here, there = np.flatnonzero(bad & (cells == cell)), plainest(good & (other_cells == cell))
        for slot, take in zip(here, there, strict=False):
            put(int(slot), int(take), -1)
    slots, takes, why = np.array(pairs, dtype=np.int64).reshape(-1, 3).T
    return slots, takes, why
