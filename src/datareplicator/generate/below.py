"""The occasions of findings that are recorded at the rows of another table, once those rows are there."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.state import State
from datareplicator.model.below import Above, ranks
from datareplicator.model.context import VisitDays
from datareplicator.model.study_model import StudyModel
from datareplicator.model.timeline import VisitRows


def place_below(model: StudyModel, state: State, rows: VisitRows) -> VisitRows:
    """The joint list of visits in which the occasions of such findings are the other table's rows."""
    moved = False
    for timeline in model.timelines:
        if timeline.above is None or timeline.above.parent not in state.frames or timeline.table is None:
            continue
        rows = _replace(rows, timeline.base, timeline.above, _occasions(timeline.table, timeline.above, state))
        moved = True
    if moved:
        end = state.visits.end if state.visits is not None else None
        state.visits = VisitDays(rows, state.subjects.n, model.visits)
        if end is not None:
            state.visits.end = end
    return rows


def _occasions(table: str, above: Above, state: State) -> VisitRows:
    subject = state.subject[above.parent]
    day = state.days.get((above.parent, above.date or ""), np.full(len(subject), np.nan))
    place = ranks(subject, day)
    u = state.streams.get(table, "occasions").random(len(subject))
    keep = np.flatnonzero((place < above.most) & (u < above.share))
    rows = np.full((state.subjects.n, above.most), -1)
    rows[subject[keep], place[keep]] = keep
    state.above[table] = rows
    return VisitRows(subject[keep], place[keep], day[keep])


def _replace(rows: VisitRows, base: int, above: Above, made: VisitRows) -> VisitRows:
    rest = (rows.visit < base) | (rows.visit >= base + above.most)
    subject = np.concatenate([rows.subject[rest], made.subject])
    visit = np.concatenate([rows.visit[rest], made.visit + base])
    day = np.concatenate([rows.day[rest], made.day])
    order = np.lexsort((visit, subject))
    return VisitRows(subject[order], visit[order], day[order])


def name_above(above: Above, table: str, state: State, occasion: np.ndarray) -> pd.Series:
    """For rows of a findings table the value that names the row of the other table. `occasion`: int a row."""
    row = state.above[table][state.subject[table], occasion]
    return state.frames[above.parent][above.parent_column].iloc[row].reset_index(drop=True)
