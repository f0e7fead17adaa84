"""Computed columns of a table that others need before the block is finished."""

from __future__ import annotations

import pandas as pd

from datareplicator.generate.state import State
from datareplicator.structure.derive import View, apply
from datareplicator.structure.order import needed
from datareplicator.structure.spec import Structure


def column_so_far(structure: Structure, table: str, column: str, state: State) -> pd.Series:
    """A column of a table whose free columns are there, drawn or computed from them."""
    frame = state.frames[table]
    if column in frame:
        return frame[column]
    view = View({table: frame})
    for derivation in needed(structure, table, column):
        apply(derivation, view)
    return view.frames[table][column]
