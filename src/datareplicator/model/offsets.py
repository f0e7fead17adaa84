"""Dates as distances from other dates: which date a date follows, how often it falls on it, and how far off it is else.

Every date of a study is close to some other day of its subject: a disposition to the last visit, the end of a dose to
the visit where the next begins, a period's start to the end of the one before. The anchor that explains a date with
the shortest code (an atom, and the spread of the rest) is learned per group of rows, with a second and third choice
for rows whose subject lacks the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pydantic import model_validator

from datareplicator.document import Document, Floats, Ints
from datareplicator.model.discrete import EMPTY, Discrete, DiscreteTables

_LEVELS = 3  # choices of an anchor
_KNOTS = 33  # quantiles of the distances that are no habit
_HABIT = 0.03  # distances this common, in two subjects or more, are habits and keep their share
_OWN = 10  # a group of fewer rows leans on groups that count from the same anchor,
_POOL = 2.0  # which then are worth this many rows
_CERTAIN = 3  # unless so many rows have one distance and no other
_CHOICE = 1.0  # rows' worth of all groups in a group's choice of anchor
_PARTIAL = 0.98  # an anchor known for fewer rows than this needs a second choice,
_SECOND = 3.0  # which costs this many nats,
_CLOSE = 1.7  # and is worth it only where it costs fewer nats than this a row


class OffsetModel(Document):
    """C groups of rows, and one more for rows of no or an unseen group.

    `anchors`: names of candidate anchors. `codes` int[C] ascending. `missing` float[C+1]: share of rows without the
    date. `level` int[C+1, 3]: per choice the anchor (index into `anchors`), -1 none. Per group and choice, flattened to
    3(C+1): `habits`: common distances and their shares within `habit`, `habit` float: their total share, `knots`
    float[., 33]: quantiles of the other distances in days. `whole`: the distances are whole days.
    """

    anchors: tuple[str, ...]
    codes: Ints
    missing: Floats
    level: Ints
    habits: DiscreteTables
    habit: Floats
    knots: Floats
    whole: bool

    @model_validator(mode="after")
    def _check(self) -> OffsetModel:
        groups = len(self.codes) + 1
        if (np.diff(self.codes) <= 0).any():
            raise ValueError("codes must ascend")
        if self.missing.shape != (groups,) or self.level.shape != (groups, _LEVELS):
            raise ValueError("missing and level must have one row a group and one for all others")
        cells = groups * _LEVELS
        if len(self.habits) != cells or self.habit.shape != (cells,) or self.knots.shape != (cells, _KNOTS):
            raise ValueError("habits, habit and knots must have one row a group and choice")
        if self.level.size and (self.level.min() < -1 or self.level.max() >= len(self.anchors)):
            raise ValueError("level names an anchor that does not exist")
        return self


@dataclass
class _Sample:
    """Rows with a known date: distances from each anchor (float[n, A], NaN unknown), subject."""

    away: np.ndarray
    subject: np.ndarray

    def rows(self, mask: np.ndarray) -> _Sample:
        return _Sample(self.away[mask], self.subject[mask])


class _Pool(NamedTuple):
    """What all rows together say: their anchor of last resort, and what each anchor saves, at the weight of a prior."""

    resort: int
    gains: np.ndarray


def fit_offsets(
    target: np.ndarray,
    anchors: Mapping[str, np.ndarray],
    group: np.ndarray,
    subject: np.ndarray,
    coarse: np.ndarray | None = None,
) -> OffsetModel:
    """Learn how a date follows from others.

    `target` float[n]: days relative to the subject's reference start, NaN where missing; `anchors`: candidates by name,
    float[n] each, NaN where the subject has no such day; earlier ones win ties. `group` int[n]: code of the row, -1
    none; `subject` int[n]. `coarse` int[n]: codes beyond those of `group`, of wider groups that rows of an unseen
    code belong to.
    """
    names = tuple(anchors)
    known = np.isfinite(target)
    table = np.column_stack([anchors[name] for name in names]) if names else np.empty((len(target), 0))
    sample = _Sample(target[known, None] - table[known], subject[known])
    wider = np.full(len(group), -1, dtype=np.int64) if coarse is None else coarse
    fine = np.unique(group[group >= 0])
    codes = np.concatenate([fine, np.unique(wider[wider >= 0])])
    broad = _span(target[known])
    resort = _resort(sample, broad)
    share = _CHOICE / max(len(sample.away), 1)
    pool = _Pool(resort, share * np.maximum(_gains(sample.away, broad), 0.0))
    everywhere = [(group == code) | (wider == code) for code in codes]
    members = [rows[known] for rows in everywhere]
    levels = [_choose(sample.rows(rows), broad, pool) for rows in members] + [_choose(sample, broad, pool)]
    cells = []
    for rows, level in zip([*members, np.ones(known.sum(), dtype=bool)], levels, strict=True):
        alike = [m for m, other in zip(members[: len(fine)], levels, strict=False) if other[0] == level[0]]
        pooled = np.any(alike, axis=0) & ~rows if alike else np.zeros(known.sum(), dtype=bool)
        cells += _distances(sample.rows(rows), level, sample.rows(pooled))
    everywhere.append(np.ones(len(target), dtype=bool))
    missing = [1 - known[rows].mean() if rows.any() else 0.0 for rows in everywhere]
    whole = bool((sample.away[np.isfinite(sample.away)] % 1 == 0).all())
    return OffsetModel(
        anchors=names,
        codes=codes,
        missing=np.array(missing),
        level=np.array(levels, dtype=np.int64).reshape(-1, _LEVELS),
        habits=DiscreteTables.of([cell[0] for cell in cells]),
        habit=np.array([cell[1] for cell in cells]),
        knots=np.array([cell[2] for cell in cells]),
        whole=whole,
    )


def _span(values: np.ndarray) -> float:
    """Width in days of the central nine tenths, at least one."""
    return 1.0 + float(np.subtract(*np.quantile(values, [0.95, 0.05]))) if len(values) else 1.0


def _length(away: np.ndarray) -> float:
    """Nats that one distance costs: an atom at its share, the rest uniform over their span.

    A distance of zero is added, so that of several anchors at constant distances the one on the day itself wins, and
    so that a single row tells a near anchor from a far one.
    """
    away = np.append(away, 0.0)
    n = len(away)
    value, count = np.unique(away, return_counts=True)
    top = count.max()
    rest = away[away != value[np.argmax(count)]] if top > 1 else away
    p = min(max(top if top > 1 else 0, 0.5) / (n + 1), 1 - 0.5 / (n + 1))
    # An empty sample of the rest still has to be told: a week over the number of rows seen.
    spread = _span(rest) + 7.0 / n
    return float(-(p * np.log(p) + (1 - p) * np.log((1 - p) / spread)))


def _choose(sample: _Sample, broad: float, pool: _Pool | None) -> list[int]:
    """Up to three anchors, each for the rows that the ones before leave without a day.

    The pooled rows have a say in the first choice, and name the anchor of last resort.
    """
    levels: list[int] = []
    rest = np.ones(len(sample.away), dtype=bool)
    while len(levels) < _LEVELS and rest.any() and sample.away.shape[1]:
        gains = _gains(sample.away[rest], broad, pool.gains if pool is not None and not levels else None)
        best = int(np.argmax(gains))
        if not np.isfinite(gains[best]):
            break
        levels.append(best)
        rest &= ~np.isfinite(sample.away[:, best])
    if pool is not None and pool.resort not in levels:
        levels.append(pool.resort)
    return (levels + [-1] * _LEVELS)[:_LEVELS]


def _gains(away: np.ndarray, broad: float, prior: np.ndarray | None = None) -> np.ndarray:
    """Nats that each anchor saves over all rows, against a day anywhere in the study (float[A], -inf unusable).

    An anchor that is not known for all rows must be close, and counts together with the best choice for the rows that
    it leaves. Anchors come in the order of preference: a saving of a hundredth of a nat a row counts for nothing.
    """
    known = np.isfinite(away)
    if not len(away):
        return np.full(away.shape[1], -np.inf)
    length = np.array([_length(away[known[:, a], a]) if known[:, a].any() else np.inf for a in range(away.shape[1])])
    partial = known.mean(axis=0) < _PARTIAL
    usable = np.isfinite(length) & (~partial | (length <= _CLOSE))
    if not usable.any():
        usable = np.isfinite(length)
    value = np.log(broad + 7)
    gains = np.where(usable, known.sum(axis=0) * (value - np.where(usable, length, 0.0)), -np.inf)
    full = usable & ~partial
    for a in np.flatnonzero(usable & partial):
        left = ~known[:, a]
        rest = [left.sum() * (value - _length(away[left, b])) for b in np.flatnonzero(full)]
        gains[a] += max(rest, default=0.0) - _SECOND
    if prior is not None:
        gains = gains + prior
    return np.where(gains >= gains.max(initial=-np.inf) - 0.01 * len(away), gains.max(initial=-np.inf), gains)


def _resort(sample: _Sample, broad: float) -> int:
    """The best anchor among those known for most rows; -1 when there is none at all."""
    if not sample.away.size:
        return -1
    known = np.isfinite(sample.away)
    ample = known.mean(axis=0) >= known.mean(axis=0).max() - 0.02
    length = [_length(sample.away[known[:, a], a]) if ample[a] else np.inf for a in range(known.shape[1])]
    return int(np.argmin(length)) if known.any() else -1


def _distances(sample: _Sample, levels: list[int], pool: _Sample) -> list[tuple[Discrete, float, np.ndarray]]:
    """Habits, their share, and quantiles of the rest, for each choice of anchor.

    A group of few rows leans on `pool`: the rows that other groups count from the same first anchor. Rows that follow
    another day are no help: a consent lies months before the end that a withdrawal follows.
    """
    cells = []
    rest = np.ones(len(sample.away), dtype=bool)
    for level in levels:
        if level < 0:
            cells.append((EMPTY, 0.0, np.full(_KNOTS, np.nan)))
            continue
        there = np.isfinite(sample.away[:, level])
        use = rest & there
        rest &= ~use
        if not use.any():  # a choice for subjects who lack a day that all here have
            use = there
        value, subject, weight = sample.away[use, level], sample.subject[use], np.ones(use.sum())
        fill = np.isfinite(pool.away[:, level])
        certain = len(value) >= _CERTAIN and np.ptp(value) == 0
        if use.sum() < _OWN and fill.any() and not certain:
            value, subject = np.append(value, pool.away[fill, level]), np.append(subject, pool.subject[fill])
            weight = np.append(weight, np.full(fill.sum(), _POOL / fill.sum()))
        cells.append(_describe(value, subject, weight))
    return cells


def _describe(value: np.ndarray, subject: np.ndarray, weight: np.ndarray) -> tuple[Discrete, float, np.ndarray]:
    if not len(value):
        return EMPTY, 0.0, np.full(_KNOTS, np.nan)
    distinct, inverse = np.unique(value, return_inverse=True)
    share = np.bincount(inverse, weight) / weight.sum()
    pairs = np.unique(np.column_stack([inverse, subject]), axis=0)
    subjects = np.bincount(pairs[:, 0], minlength=len(distinct))
    common = (share >= _HABIT) & (subjects >= 2)
    if len(distinct) == 1:
        common[:] = True
    habit = float(share[common].sum())
    habits = Discrete(distinct[common], share[common] / habit) if habit > 0 else EMPTY
    if common.all():
        return habits, 1.0, np.full(_KNOTS, np.nan)
    rest, mass = distinct[~common], share[~common]
    place = (np.cumsum(mass) - mass / 2) / mass.sum()
    knots = np.interp(np.linspace(0, 1, _KNOTS), place, rest)
    return habits, habit, knots


class ClockModel(Document):
    """Time of day and precision of a date column; C groups and one more for rows of no or an unseen group.

    `codes` int[C] ascending. `precisions` int[P]: the lengths of ISO 8601 text that occur; `share` float[C+1, P].
    `times` int: seconds of common times and `time_share`; the rest by `hour` float[24] and `minute` float[60];
    `seconds`: whether seconds are recorded; `together`: rows of one visit carry one time.
    """

    codes: Ints
    precisions: Ints
    share: Floats
    times: Ints
    time_share: Floats
    hour: Floats
    minute: Floats
    seconds: bool
    together: bool

    @model_validator(mode="after")
    def _check(self) -> ClockModel:
        if self.share.shape != (len(self.codes) + 1, len(self.precisions)):
            raise ValueError("share must have one row a group and one column a precision")
        if self.hour.shape != (24,) or self.minute.shape != (60,) or self.times.shape != self.time_share.shape:
            raise ValueError("hour, minute and times have the wrong length")
        return self


def fit_clock(
    second: np.ndarray, precision: np.ndarray, key: np.ndarray, group: np.ndarray, subject: np.ndarray
) -> ClockModel:
    """Learn times of day and precisions.

    `second` float[n]: within the day; `precision` int[n]: `dates.Precision`, rows without a date (0) are left out;
    `key` int[n]: rows that may share one time (the subject's visit); `group` int[n]: code of the row, -1 none.
    """
    known = precision > 0
    second, precision, key, group, subject = (x[known] for x in (second, precision, key, group, subject))
    codes = np.unique(group[group >= 0])
    levels = np.unique(precision).astype(np.int64)
    if not len(levels):
        levels = np.array([10], dtype=np.int64)
    counts = np.zeros((len(codes) + 1, len(levels)))
    counts[-1] = np.bincount(np.searchsorted(levels, precision), minlength=len(levels))
    counts[-1, 0] += not counts[-1].any()
    for c, code in enumerate(codes):
        counts[c] = np.bincount(np.searchsorted(levels, precision[group == code]), minlength=len(levels))
    timed = precision > 10
    clock, owner = second[timed], subject[timed]
    stamp = (clock // 60 * 60).astype(np.int64)
    value, inverse = np.unique(stamp, return_inverse=True)
    people = np.bincount(np.unique(np.column_stack([inverse, owner]), axis=0)[:, 0].astype(int), minlength=len(value))
    share = np.bincount(inverse, minlength=len(value)) / max(len(stamp), 1)
    common = (share >= _HABIT) & (people >= 2)
    rest = stamp[~common[inverse]] if len(stamp) else stamp
    hour = np.bincount(rest // 3600, minlength=24)[:24] + (0.0 if len(rest) else 1.0)
    minute = np.bincount(rest % 3600 // 60, minlength=60)[:60] + 0.05
    return ClockModel(
        codes=codes,
        precisions=levels,
        share=counts / counts.sum(axis=1, keepdims=True),
        times=value[common],
        time_share=share[common],
        hour=hour / hour.sum(),
        minute=minute / minute.sum(),
        seconds=bool((clock % 60 != 0).any()),
        together=_together(key[timed], clock),
    )


def _together(key: np.ndarray, second: np.ndarray) -> bool:
    """Whether most visits with several rows carry a single time."""
    if not len(key):
        return True
    label, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
    low, high = np.full(len(label), np.inf), np.full(len(label), -np.inf)
    np.minimum.at(low, inverse, second)
    np.maximum.at(high, inverse, second)
    several = count > 1
    return bool((low == high)[several].mean() > 0.5) if several.any() else True
