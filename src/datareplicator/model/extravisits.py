"""Visits outside the schedule: unscheduled ones, as rates after their parent visit, and those that follow a stay."""

from __future__ import annotations

import numpy as np
from pydantic import model_validator

from datareplicator.document import Document, Floats, Ints
from datareplicator.model.discrete import EMPTY, Discrete, DiscreteTables, learn_days
from datareplicator.model.visitkinds import VisitKind

_RATE = 4.0  # subjects' worth of the overall rate in the rate after one particular last visit
_GAP = 5.0  # values' worth of the pooled gap in the gap of one unscheduled visit


class ExtraVisits(Document):
    """E visits in the catalogue's order, R regular visits.

    `visit` int[E]: catalogue index. `parent` int[E]: regular visit (its place among the regular ones) that must have
    been attended, -1 none. `previous` int[E]: extra visit that must exist too, -1 none. `rate` float[E, R]:
    probability given the last regular visit, and given parent and previous. `absolute` int[E]: 1 where the day is
    counted from the anchor, 0 where from the visit before. `gap`: E tables of days.
    """

    visit: Ints
    parent: Ints
    previous: Ints
    rate: Floats
    absolute: Ints
    gap: DiscreteTables

    @model_validator(mode="after")
    def _check(self) -> ExtraVisits:
        e = len(self.visit)
        if any(len(x) != e for x in (self.parent, self.previous, self.absolute, self.rate, self.gap)):
            raise ValueError("the tables of extra visits differ in length")
        if e and (self.rate.ndim != 2 or (self.previous >= np.arange(e)).any()):
            raise ValueError("an extra visit hangs on a visit that does not come before it")
        return self

    def __len__(self) -> int:
        return len(self.visit)


def fit_extras(attended: np.ndarray, day: np.ndarray, kinds: np.ndarray, last: np.ndarray) -> ExtraVisits:
    """Learn the extra visits of a stratum.

    `attended` bool[n, V], `day` float[n, V]: its subjects over the catalogue; `kinds` int[V]: `VisitKind`; `last`
    int[n]: place of the last regular visit among the regular ones, -1 none.
    """
    regular = np.flatnonzero(kinds == VisitKind.REGULAR)
    extra = np.flatnonzero((kinds == VisitKind.UNSCHEDULED) | (kinds == VisitKind.TAIL))
    parent = np.where(kinds[extra] == VisitKind.TAIL, -1, np.searchsorted(regular, extra) - 1)
    previous = _previous(attended, extra, parent)
    since = day - days_before(day)
    pooled = _pooled_gap(since[:, extra[parent >= 0]])
    rate = np.zeros((len(extra), len(regular)))
    absolute = np.zeros(len(extra), dtype=np.int64)
    gap: list[Discrete] = []
    for e, v in enumerate(extra):
        had = attended[:, v] & (last >= 0)
        if parent[e] < 0:
            rate[e] = _tail_rate(had, last, len(regular))
            absolute[e] = not np.isfinite(since[had, v]).any() or _spread(day[had, v]) < _spread(since[had, v])
        else:
            possible = attended[:, extra[previous[e]]] if previous[e] >= 0 else attended[:, regular[parent[e]]]
            rate[e] = min(1.0, had.sum() / max((possible | had).sum(), 1))
        prior = EMPTY if parent[e] < 0 else pooled
        gap.append(learn_days(day[had, v] if absolute[e] else np.maximum(since[had, v], 0), prior, _GAP))
    return ExtraVisits(
        visit=extra, parent=parent, previous=previous, rate=rate, absolute=absolute, gap=DiscreteTables.of(gap)
    )


def days_before(day: np.ndarray) -> np.ndarray:
    """Latest known day over the columns to the left (float[n, V], NaN where none)."""
    filled = np.where(np.isfinite(day), day, -np.inf)
    latest = np.maximum.accumulate(filled, axis=1)
    shifted = np.column_stack([np.full(len(day), -np.inf), latest[:, :-1]])[:, : day.shape[1]]
    return np.where(np.isfinite(shifted), shifted, np.nan)


def _previous(attended: np.ndarray, extra: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """The extra visit just before, where it hangs on the same regular visit and all who have this one have that one
    (a second unscheduled visit follows a first)."""
    previous = np.full(len(extra), -1, dtype=np.int64)
    for e in range(1, len(extra)):
        if parent[e] >= 0 and parent[e] == parent[e - 1]:
            first, second = attended[:, extra[e - 1]], attended[:, extra[e]]
            if second.sum() >= 2 and (first | ~second).all():
                previous[e] = e - 1
    return previous


def _tail_rate(had: np.ndarray, last: np.ndarray, visits: int) -> np.ndarray:
    """Rate by last regular visit, shrunk to all who stopped early; those who reached the end stand for themselves."""
    count = np.bincount(last[had], minlength=visits)[:visits].astype(float)
    total = np.bincount(last[last >= 0], minlength=visits)[:visits].astype(float)
    early = count[:-1].sum() / max(total[:-1].sum(), 1.0)
    rate = (count + _RATE * early) / (total + _RATE)
    if total[-1] > 0:
        rate[-1] = count[-1] / total[-1]
    return rate


def _spread(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.subtract(*np.quantile(values, [0.85, 0.15]))) if len(values) else np.inf


def _pooled_gap(since: np.ndarray) -> Discrete:
    values = since[np.isfinite(since)]
    return learn_days(np.maximum(values, 0))
