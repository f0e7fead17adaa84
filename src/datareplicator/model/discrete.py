"""Distributions of whole days as tables: the exact habits of a study (on the day, one day late) and smooth tails.

A table is a list of days and their probabilities. Days that are clearly more frequent than their neighbourhood keep
that excess; all else is smoothed by a kernel that widens away from the centre, so that few data give a smooth table and
no odd day of one subject is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from pydantic import model_validator

from datareplicator.document import Document, Floats, Ints


class Discrete(NamedTuple):
    """One distribution: `day` float[k] ascending, `mass` float[k] summing to 1. Empty where nothing is known."""

    day: np.ndarray
    mass: np.ndarray


EMPTY = Discrete(np.empty(0), np.empty(0))
_SPREAD = 0.08  # the kernel's least width is this share of the distance from the median,
_WIDEST = 30.0  # but no more than this many days
_LONGEST = 4000  # days that a smoothed table may span


def learn_days(days: np.ndarray, prior: Discrete = EMPTY, strength: float = 0.0) -> Discrete:
    """Distribution of `days` (float[n], NaN ignored), mixed with `prior` as if that were `strength` further values.

    The support reaches a little beyond the sample's: a day, a tenth of the range, and more where there are hardly any
    values. Values all equal stay so without a prior.

    >>> learn_days(np.array([0.0, 0.0, 0.0, 0.0])).day.tolist()
    [0.0]
    """
    days = np.round(days[np.isfinite(days)])
    if not len(days):
        return prior
    value, count = np.unique(days, return_counts=True)
    own = _smooth(value, count.astype(float))
    day, mass = own.day, own.mass * len(days)
    margin = 1 + 0.1 * (value[-1] - value[0]) + 6 / len(days)
    if strength and len(prior.day):
        near = (prior.day >= value[0] - margin) & (prior.day <= value[-1] + margin)
        if near.any():
            share = strength * prior.mass[near] / prior.mass[near].sum()
            day, mass = np.append(day, prior.day[near]), np.append(mass, share)
    return _collect(day, mass)


def _smooth(value: np.ndarray, count: np.ndarray) -> Discrete:
    """Kernel estimate on whole days plus the excess of habitual days.

    Two thirds of Silverman's width, wider in the tails; an excess counts from one standard error on.

    Silverman, B. W. (1986), Density Estimation for Statistics and Data Analysis, section 3.4.
    """
    n, reach = count.sum(), value[-1] - value[0]
    middle, spread = _centre(value, count)
    width = np.maximum(0.6 * spread * n**-0.2, np.minimum(_SPREAD * np.abs(value - middle), _WIDEST))
    if len(value) == 1 or reach > _LONGEST or (spread == 0 and n < 2 * len(value)):
        return Discrete(value, count / n)
    edge = np.ceil(1 + 0.05 * reach)
    grid = np.arange(value[0] - edge, value[-1] + edge + 1)
    step = np.maximum(width, 0.2)[:, None]
    kernel = np.exp(-0.5 * ((grid[None, :] - value[:, None]) / step) ** 2)
    kernel /= kernel.sum(axis=1, keepdims=True)
    expected = count @ kernel
    here = expected[np.searchsorted(grid, value)]
    excess = np.maximum(count - here - np.sqrt(here), 0.0)
    mass = (count - excess) @ kernel
    mass[np.searchsorted(grid, value)] += excess
    keep = mass > 1e-4 * n
    return Discrete(grid[keep], mass[keep] / mass[keep].sum())


def _centre(value: np.ndarray, count: np.ndarray) -> tuple[float, float]:
    """Median and robust standard deviation."""
    place = np.cumsum(count) / count.sum()
    low, middle, high = (float(value[np.searchsorted(place, q)]) for q in (0.25, 0.5, 0.75))
    return middle, (high - low) / 1.349


def _collect(day: np.ndarray, mass: np.ndarray) -> Discrete:
    distinct, inverse = np.unique(day, return_inverse=True)
    total = np.bincount(inverse, mass)
    return Discrete(distinct, total / total.sum())


class DiscreteTables(Document):
    """Several tables, one after the other: table j is `day[start[j]:start[j+1]]` with its cumulated probabilities.

    The values need not be days: distributions over indices (patterns, codes) are kept the same way.

    An empty table gives NaN.
    """

    start: Ints
    day: Floats
    cumulated: Floats

    @model_validator(mode="after")
    def _check(self) -> DiscreteTables:
        if self.start.ndim != 1 or len(self.start) < 1 or self.start[0] != 0 or (np.diff(self.start) < 0).any():
            raise ValueError("start must be ascending from 0")
        if self.day.shape != self.cumulated.shape or self.day.ndim != 1 or self.start[-1] != len(self.day):
            raise ValueError("day and cumulated must have the length that start names")
        if not (np.isfinite(self.day).all() and np.isfinite(self.cumulated).all()):
            raise ValueError("days and cumulated probabilities must be known")
        if ((self.cumulated < 0) | (self.cumulated > 1 + 1e-6)).any():
            raise ValueError("cumulated probabilities must lie between 0 and 1")
        return self

    @classmethod
    def of(cls, tables: Sequence[Discrete]) -> DiscreteTables:
        """Pack tables."""
        start = np.append(0, np.cumsum([len(t.day) for t in tables], dtype=np.int64)).astype(np.int64)
        return cls(
            start=start,
            day=np.concatenate([t.day for t in tables] or [np.empty(0)]),
            cumulated=np.concatenate([np.minimum(np.cumsum(t.mass), 1.0) for t in tables] or [np.empty(0)]),
        )

    def __len__(self) -> int:
        return len(self.start) - 1

    def pick(self, table: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Days at probabilities `u` (float, any shape, 0 to 1) of tables `table` (int, same shape).

        >>> tables = DiscreteTables.of([learn_days(np.array([1.0, 1.0, 5.0, 5.0]))])
        >>> tables.pick(np.zeros(2, int), np.array([0.2, 0.7])).tolist()
        [1.0, 5.0]
        """
        if not len(self.day):
            return np.full(np.shape(u), np.nan)
        first, last = self.start[table], self.start[table + 1] - 1
        owner = np.repeat(np.arange(len(self)), np.diff(self.start))
        place = np.searchsorted(owner + np.minimum(self.cumulated, 1 - 1e-9), table + np.clip(u, 0, 1 - 2e-9))
        place = np.clip(place, first, np.maximum(last, first))
        return np.where(last >= first, self.day[np.minimum(place, len(self.day) - 1)], np.nan)

    def rank(self, table: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Mid-rank probability of each `day` in its table (0.5 where unknown); the inverse of `pick`."""
        if not len(self.day):
            return np.full(np.shape(day), 0.5)
        first, count = self.start[table], self.start[table + 1] - self.start[table]
        span = (np.ptp(self.day) + 1) * 2
        low = self.day.min()
        key = np.repeat(np.arange(len(self)), np.diff(self.start)) * span + (self.day - low)
        wanted = table * span + np.clip(np.nan_to_num(day) - low, 0, span / 2)
        before = np.searchsorted(key, wanted, side="left") - first
        after = np.searchsorted(key, wanted, side="right") - first
        total = np.append(0.0, self.cumulated)

        def below(k: np.ndarray) -> np.ndarray:
            return np.where(k > 0, total[np.minimum(first + k, len(self.day))], 0.0)

        rank = (below(np.clip(before, 0, count)) + below(np.clip(after, 0, count))) / 2
        return np.where(np.isfinite(day) & (count > 0), np.clip(rank, 1e-3, 1 - 1e-3), 0.5)
