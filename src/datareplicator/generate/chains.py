"""Columns that name other rows of their own table, in a block."""

from __future__ import annotations

import numpy as np

from datareplicator.generate.state import State
from datareplicator.model.chains import OwnReference


def name_own_rows(references: tuple[OwnReference, ...], state: State) -> None:
    """Fill the columns of tables that have the key already and not yet the reference.

    A row names one of the rows before it: of its subject, or of subjects before its own, so that a block that is cut
    never names a row that is not there. Rows with none before them name none, or themselves where the source has that.
    """
    for reference in references:
        frame = state.frames.get(reference.table)
        if frame is None or reference.key not in frame or reference.column in frame:
            continue
        at = _rows_before(reference, state)
        values = frame[reference.key].reset_index(drop=True)
        taken = values.iloc[np.maximum(at, 0)].reset_index(drop=True) if len(values) else values
        frame[reference.column] = taken.where(at >= 0).array


def _rows_before(reference: OwnReference, state: State) -> np.ndarray:
    """For each row the one that it names, -1 for none."""
    subject = state.subject[reference.table]
    n = len(subject)
    draw = state.streams.get(reference.table, "names", reference.column).random((3, n))
    order = np.argsort(subject, kind="stable")
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    first = np.searchsorted(subject[order], subject, side="left")
    start = first if reference.within else np.zeros(n, dtype=np.int64)
    end = place if reference.within or state.subjects.n == n else first
    # Rows that are named at all are as many as in the source: each draws one of those that came before it.
    leads = np.flatnonzero(draw[0][order] < max(reference.named, 1e-9)) if not reference.within else np.arange(n)
    low, high = np.searchsorted(leads, start), np.searchsorted(leads, end)
    pick = low + np.floor(draw[1] * (high - low)).astype(np.int64)
    pick = high - 1 if reference.next else pick
    there = high > low
    named = np.where(there, order[leads[np.minimum(pick, max(len(leads) - 1, 0))]] if len(leads) else -1, -1)
    itself = (draw[2] >= reference.missing) & (draw[2] < reference.missing + reference.own)
    itself |= ~there & (reference.own > 0)
    out = np.where(draw[2] < reference.missing, -1, named)
    return np.where(itself, np.arange(n), out)
