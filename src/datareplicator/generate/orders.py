"""Dates that never precede another one of their row do not in what is made."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.state import State
from datareplicator.structure.spec import Structure


def order_dates(structure: Structure, table: str, state: State) -> None:
    """Move the later date of a pair to the earlier one where it would lie before it."""
    for order in structure.orders:
        low, high = state.days.get((table, order.low)), state.days.get((table, order.high))
        if order.table != table or low is None or high is None:
            continue
        wrong = low > high
        if wrong.any():
            frame = state.frames[table]
            values = frame[order.high].astype(object)
            frame[order.high] = values.where(~wrong, frame[order.low].astype(object))
            state.days[table, order.high] = np.where(wrong, low, high)
        _order_partial(state.frames[table], order.low, order.high, np.isnan(low))


def _order_partial(frame: pd.DataFrame, low: str, high: str, unknown: np.ndarray) -> None:
    """A month or year that lies after the later date becomes that date's."""
    rows = np.flatnonzero(unknown & frame[low].notna().to_numpy() & frame[high].notna().to_numpy())
    if not len(rows) or pd.api.types.is_numeric_dtype(frame[low].dtype):
        return
    first, second = (frame[c].iloc[rows].astype("str") for c in (low, high))
    size = np.minimum(first.str.len(), second.str.len())
    cut = pd.Series([text[:n] for text, n in zip(second, size, strict=True)], index=first.index)
    wrong = (pd.Series([text[:n] for text, n in zip(first, size, strict=True)], index=first.index) > cut).to_numpy()
    if wrong.any():
        values = frame[low].astype(object).to_numpy(copy=True)
        values[rows[wrong]] = cut[wrong].to_numpy()
        frame[low] = values
