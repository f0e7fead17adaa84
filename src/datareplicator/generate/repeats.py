"""Rows of events that repeat another one of their subject where the source's never do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.state import State
from datareplicator.model.context import MARK
from datareplicator.model.study_model import Events
from datareplicator.structure.derive import View, apply
from datareplicator.structure.order import following
from datareplicator.structure.spec import Structure


def drop_repeats(structure: Structure, table: Events, state: State) -> None:
    """Leave out the rows that repeat another one of their subject in a set of columns in which the source's do not. Of
    such rows one that something else in the study asks for stays, else the first."""
    name = table.table
    marked = np.zeros(len(state.subject[name]), dtype=bool)
    for mark in [mark for mark in state.marks if mark.startswith(f"{name}/")]:
        marked |= state.marks[mark]
    order = np.argsort(~marked, kind="stable")
    repeated = np.zeros(len(marked), dtype=bool)
    frame = state.frames[name]
    if table.term is not None:
        wanted = {c for columns in table.unique for c in columns} - set(frame.columns)
        frame = _with_following(structure, name, table.term, wanted, frame)
    for columns in table.unique:
        key = frame[[c for c in columns if c in frame]].assign(**{MARK: state.subject[name]})
        key = key.iloc[order][~repeated[order]]
        repeated[key.index[key.duplicated().to_numpy()]] = True
    if repeated.any():
        _take(name, state, np.flatnonzero(~repeated | marked))


def _with_following(structure: Structure, name: str, term: str, wanted: set[str], frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the columns that follow from its `term` alone, if any of them is `wanted`."""
    view = View({name: frame})
    found = following(structure, name, term)
    if wanted & set(found):
        for derivation in found.values():
            apply(derivation, view)
    return view.frames[name]


def _take(name: str, state: State, rows: np.ndarray) -> None:
    """Leave the given rows of a table, in that order, wherever the block speaks of its rows."""
    state.frames[name] = state.frames[name].iloc[rows].reset_index(drop=True)
    state.subject[name] = state.subject[name][rows]
    for store in (state.days, state.seconds):
        for key in [key for key in store if key[0] == name]:
            store[key] = store[key][rows]
    for mark in [mark for mark in state.marks if mark.startswith(f"{name}/")]:
        state.marks[mark] = state.marks[mark][rows]
