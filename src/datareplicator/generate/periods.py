"""Dates of generated periods, one position of all subjects after the other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from datareplicator.generate.offsets import sample_offsets
from datareplicator.model.periods import (
    PREVIOUS_END,
    PREVIOUS_START,
    START,
    PeriodModel,
    coarse_groups,
    places,
    row_groups,
    subject_anchors,
)
from datareplicator.seeds import Streams


def _earliest(model: PeriodModel, before_start: np.ndarray, before_end: np.ndarray) -> np.ndarray | None:
    """The day from which on a period may start, float a row."""
    if model.apart is not None:
        return np.fmax(before_start, before_end + model.apart)
    return before_start if model.ordered else None


def sample_periods(
    model: PeriodModel,
    code: np.ndarray,
    subject: np.ndarray,
    days: Mapping[str, np.ndarray],
    visit_days: np.ndarray,
    streams: Streams,
) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends (float[n] days, NaN missing) of rows sorted by subject; arguments as in `fit_periods`."""
    position, last = places(subject)
    group, coarse = row_groups(code, position, last, model.codes), coarse_groups(position, last, model.codes)
    start, end = np.full(len(code), np.nan), np.full(len(code), np.nan)
    for j in range(int(position.max(initial=-1)) + 1):
        rows = np.flatnonzero(position == j)
        nothing = np.full(len(rows), np.nan)
        before_start, before_end = (start[rows - 1], end[rows - 1]) if j else (nothing, nothing)
        shared = subject_anchors(days, visit_days, model.visits, subject[rows])
        own = streams.under(f"position {j}")
        start[rows] = sample_offsets(
            model.start,
            {PREVIOUS_END: before_end, **shared, PREVIOUS_START: before_start},
            group[rows],
            own.under("start"),
            low=_earliest(model, before_start, before_end),
            coarse=coarse[rows],
        )
        end[rows] = sample_offsets(
            model.end,
            {**shared, START: start[rows]},
            group[rows],
            own.under("end"),
            low=start[rows] if model.forward else None,
            coarse=coarse[rows],
        )
    return start, end
