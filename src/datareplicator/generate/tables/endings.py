"""Rows that end a subject's study."""

from __future__ import annotations

import numpy as np

from datareplicator.dates import Precision
from datareplicator.generate.state import State
from datareplicator.model.study_model import Sets, StudyModel


def cover_visits(model: StudyModel, table: Sets, state: State) -> None:
    """Move the last row of a subject to the last visit where it would lie before: a disposition ends the study."""
    if table.covers is None or (table.table, table.covers) not in state.days:
        return
    day, subject = state.days[table.table, table.covers], state.subject[table.table]
    order = np.lexsort((np.nan_to_num(day, nan=-np.inf), subject))
    rows = order[np.append(subject[order][1:] != subject[order][:-1], True)] if len(order) else order
    rows = rows[day[rows] < state.subjects.last_day[subject[rows]]]
    if len(rows):
        moved = day.copy()
        moved[rows] = state.subjects.last_day[subject[rows]]
        column = state.frames[table.table][table.covers].astype(object)
        text = model.structure.tables[table.table].column(table.covers).encoding == "text"
        state.write_date(table.table, table.covers, moved, np.full(len(day), int(Precision.DAY)), None, text)
        fresh = state.frames[table.table][table.covers].astype(object)
        state.frames[table.table][table.covers] = fresh.where(np.isin(np.arange(len(day)), rows), column)


def end_study(table: Sets, state: State) -> None:
    """Keep the day of each subject's last row as one that later tables keep to."""
    if table.final is None or (table.table, table.final) not in state.days:
        return
    final = np.full(state.subjects.n, np.nan)
    np.fmax.at(final, state.subject[table.table], state.days[table.table, table.final])
    state.ends[table.table] = final
