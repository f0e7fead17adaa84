"""Which visits make up the schedule, which are rare extras, and which only follow once the schedule has ended.

*Regular* visits are those that most subjects still present attend; they are ordered in time, and a subject's stay is
the last of them that it attends. *Tail* visits lie beyond the schedule or float with its end (early termination,
retrieval, safety follow-up). All others are *unscheduled*: they hang on the visit before them.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

_FEW = 8  # an arm smaller than this does not define a schedule of its own
_EARLY = 0.08  # a visit that this share attends before the schedule gets there floats


class VisitKind(IntEnum):
    """The part of a visit in the schedule; UNSEEN visits do not occur in the stratum."""

    UNSEEN = 0
    REGULAR = 1
    TAIL = 2
    UNSCHEDULED = 3


def visit_kinds(attended: np.ndarray, day: np.ndarray, group: np.ndarray, planned: np.ndarray) -> np.ndarray:
    """Kind of each visit (int[V]) from attendance (bool[n, V], visits in order), days (float[n, V], NaN unknown),
    arms (int[n]) and planned days (float[V], NaN where none is stated)."""
    seen = attended.any(axis=0)
    typical = typical_days(attended, day, planned)
    regular = seen & _scheduled(attended, day, group, typical)
    regular &= ~_floating(attended, day, typical, regular)
    if not regular.any():
        regular = seen
    last = np.flatnonzero(regular)[-1] if regular.any() else -1
    beyond = np.arange(len(seen)) > last
    kinds = np.where(beyond, VisitKind.TAIL, VisitKind.UNSCHEDULED)
    return np.where(regular, VisitKind.REGULAR, np.where(seen, kinds, VisitKind.UNSEEN))


def typical_days(attended: np.ndarray, day: np.ndarray, planned: np.ndarray) -> np.ndarray:
    """Median day of each visit; the planned day, then the visit before, where no day is known."""
    typical = np.full(attended.shape[1], np.nan)
    for v in range(attended.shape[1]):
        known = day[attended[:, v] & np.isfinite(day[:, v]), v]
        typical[v] = np.median(known) if len(known) else planned[v]
    before = 0.0
    for v in range(len(typical)):
        before = typical[v] = typical[v] if np.isfinite(typical[v]) else before
    return typical


def _scheduled(attended: np.ndarray, day: np.ndarray, group: np.ndarray, typical: np.ndarray) -> np.ndarray:
    """Visits that more than half of those still present attend, over all subjects or in one arm of some size."""
    known = np.where(attended, np.where(np.isfinite(day), day, typical), -np.inf)
    last = known.max(axis=1, initial=-np.inf)
    present = last[:, None] >= (typical - 0.05 * np.abs(typical))[None, :]
    present |= attended
    scheduled = attended.sum(0) > 0.5 * present.sum(0)
    for g in np.unique(group):
        rows = group == g
        here = present[rows].sum(0)
        scheduled |= (here >= _FEW) & (attended[rows].sum(0) > 0.5 * here)
    return scheduled


def _floating(attended: np.ndarray, day: np.ndarray, typical: np.ndarray, regular: np.ndarray) -> np.ndarray:
    """Visits that come when a subject's stay ends: many attend them before the second last regular visit is due, or
    without the last one and before that is due."""
    floating = np.zeros(len(regular), dtype=bool)
    due: list[int] = []
    for v in np.flatnonzero(regular):
        if len(due) >= 2:
            own = attended[:, v] & np.isfinite(day[:, v])
            early = own & (day[:, v] < typical[due[-2]])
            instead = own & ~attended[:, due[-1]] & (day[:, v] < typical[due[-1]])
            most = max(early.sum(), instead.sum())
            floating[v] = most >= 2 and most > _EARLY * own.sum()
        if not floating[v]:
            due.append(int(v))
    return floating
