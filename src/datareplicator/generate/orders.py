"""Dates that never precede another one of their row do not in what is made."""

from __future__ import annotations

import numpy as np

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
