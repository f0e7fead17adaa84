"""The rows of records that are carried over the visits of a block's subjects."""

from __future__ import annotations

import numpy as np

from datareplicator.model.carried import Carried, courses
from datareplicator.model.context import VisitDays


def carry(
    model: Carried,
    subject: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    visits: VisitDays,
    seen: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of m records: the record of each row (int) and its visit (int, -1 where the record's first is unknown).

    `first` int[m]: the visit of each record's first row; `end` float[m]: days, NaN where it has not ended.
    """
    index, state = courses(subject, first, end, visits, seen)
    held = index == first[:, None]
    had = np.ones(len(subject), dtype=np.int64)
    u = rng.random(index.shape)
    for k in range(index.shape[1]):
        now = state[:, k] >= 0
        row = now & (u[:, k] < model.going[np.maximum(state[:, k], 0), had])
        had = np.where(now, row, had)
        held[:, k] |= row
    record, place = np.nonzero(held)
    alone = np.flatnonzero(~held.any(axis=1))
    visit = np.append(index[record, place], first[alone])
    record = np.append(record, alone)
    order = np.argsort(record, kind="stable")
    return record[order], visit[order]
