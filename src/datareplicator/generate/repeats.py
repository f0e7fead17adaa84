"""Rows of events that repeat another one of their subject where the source's never do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.make_findings import visit_values
from datareplicator.generate.state import State
from datareplicator.model.context import MARK
from datareplicator.model.study_model import Events, StudyModel


def settle_repeats(model: StudyModel, table: Events, state: State, visit: np.ndarray | None) -> None:
    """Move repeated rows to other visits of their subject at which a like row does not stand yet; drop what is left.

    `visit`: int per row, index in the catalogue, None where the table has no visits.
    """
    repeated = _repeated(table, state)
    if repeated.any() and visit is not None and table.visit is not None and table.visit.column in table.unique:
        _move(model, table, state, visit, repeated)
        repeated = _repeated(table, state)
    if repeated.any():
        _take(table.table, state, np.flatnonzero(~repeated))


def _repeated(table: Events, state: State) -> np.ndarray:
    frame = state.frames[table.table]
    columns = [c for c in table.unique if c in frame]
    return frame[columns].assign(**{MARK: state.subject[table.table]}).duplicated().to_numpy()


def _move(model: StudyModel, table: Events, state: State, visit: np.ndarray, repeated: np.ndarray) -> None:
    """Give each repeated row the place of a like of another row of its subject: that row, at a visit after it."""
    assert table.visit is not None and state.visits is not None
    name, column = table.table, table.visit.column
    subject, frame = state.subject[name], state.frames[name]
    like = [c for c in table.unique if c != column and c in frame]
    group = (
        frame[like].assign(**{MARK: subject}).groupby([MARK, *like], dropna=False, observed=True).ngroup().to_numpy()
    )
    first = pd.Series(np.where(visit >= 0, visit, 10**6)).groupby(group).transform("min").to_numpy()
    rows = np.flatnonzero(~pd.Series(group).duplicated().to_numpy() & (visit >= 0))
    index = np.arange(state.visits.attended.shape[1])
    free = state.visits.attended[subject[rows]] & np.isin(index, table.visit.seen) & (index >= first[rows][:, None])
    place = np.full(int(group.max(initial=-1)) + 1, -1)
    place[group[rows]] = np.arange(len(rows))
    held = (place[group] >= 0) & (visit >= 0)
    free[place[group[held]], visit[held]] = False
    which, where = np.nonzero(free)
    slots = pd.DataFrame({"s": subject[rows][which], "row": rows[which], "visit": where})
    slots["k"] = slots.groupby("s").cumcount()
    spare = pd.DataFrame({"own": np.flatnonzero(repeated), "s": subject[repeated]})
    spare["k"] = spare.groupby("s").cumcount()
    made = spare.merge(slots, on=["s", "k"])
    take, at = np.arange(len(frame)), visit.copy()
    take[made["own"].to_numpy()] = made["row"].to_numpy()
    at[made["own"].to_numpy()] = made["visit"].to_numpy()
    _take(name, state, take)
    state.frames[name][column] = visit_values(model, model.structure.tables[name], at)


def _take(name: str, state: State, rows: np.ndarray) -> None:
    """Leave the given rows of a table, in that order, wherever the block speaks of its rows."""
    state.frames[name] = state.frames[name].iloc[rows].reset_index(drop=True)
    state.subject[name] = state.subject[name][rows]
    for store in (state.days, state.seconds):
        for key in [key for key in store if key[0] == name]:
            store[key] = store[key][rows]
    for mark in [mark for mark in state.marks if mark.startswith(f"{name}/")]:
        state.marks[mark] = state.marks[mark][rows]
