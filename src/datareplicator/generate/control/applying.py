"""Change drawn values of a block as asked for, before anything is computed from them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.control.altered import Altered
from datareplicator.generate.state import State
from datareplicator.generate.subjects import SubjectDraw


def change_covariates(altered: Altered, draw: SubjectDraw) -> None:
    """Numbers that are known of subjects from the start."""
    subjects = draw.subjects
    for name, shapes in altered.covariates.items():
        value = subjects.covariates[name].to_numpy(dtype=float)
        for s, shape in enumerate(shapes):
            value = np.where(subjects.stratum == s, shape(value), value)
        draw.values[name] = value
        subjects.covariates[name] = value


def change_results(
    altered: Altered, table: str, cell: np.ndarray, value: np.ndarray, day: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Results (float a row) of cells of a findings table on days from the anchor, and which of them changed."""
    out, changed = value.copy(), np.zeros(len(value), dtype=bool)
    for (name, k), shape in altered.results.items():
        if name == table:
            rows = (cell == k) & np.isfinite(value)
            out[rows] = shape(value[rows], day[rows])
            changed |= rows
    return out, changed


def change_columns(altered: Altered, state: State) -> None:
    """Numbers and gaps of all other columns."""
    for (table, column), (shift, scale, decimals) in altered.numbers.items():
        if table in state.frames and column in state.frames[table]:
            frame = state.frames[table]
            value = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
            middle = float(np.nanmedian(value)) if np.isfinite(value).any() else 0.0
            frame[column] = np.round(middle + scale * (value - middle) + shift, decimals)
    for (table, column), (share, times) in altered.missing.items():
        if table in state.frames and column in state.frames[table]:
            _change_gaps(state, table, column, share, times)


def _change_gaps(state: State, table: str, column: str, share: float, times: float) -> None:
    """More gaps where there are values, or values of other rows in gaps."""
    frame = state.frames[table]
    u = state.streams.get("gaps", table, column).random((2, len(frame)))
    gap = frame[column].isna().to_numpy()
    if times >= 1:
        more = ~gap & (u[0] < (min(times * share, 1.0) - share) / max(1 - share, 1e-9))
        frame[column] = frame[column].where(~more)
        for store in (state.days, state.seconds):
            if (table, column) in store:
                store[table, column] = np.where(more, np.nan, store[table, column])
        return
    known = np.flatnonzero(~gap)
    fill = np.flatnonzero(gap & (u[0] < 1 - times))
    if len(known) and len(fill):
        rows = np.arange(len(frame))
        rows[fill] = known[(u[1, fill] * len(known)).astype(np.int64)]
        frame[column] = frame[column].array.take(rows)
