"""Tables with a row a visit, and the visit column of any table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.make_findings import visit_values, without
from datareplicator.generate.rows import fill_rows
from datareplicator.generate.state import State
from datareplicator.model.context import row_context
from datareplicator.model.study_model import StudyModel, VisitColumn, Visits
from datareplicator.model.timeline import VisitRows
from datareplicator.model.training import day_anchors


def make_visits(model: StudyModel, table: Visits, state: State, rows: VisitRows) -> None:
    """One row for each attended visit of the study's own schedule, or for a share of them."""
    spec = model.structure.tables[table.table]
    share = np.zeros(model.visits)
    share[table.seen] = table.share
    u = state.streams.get(table.table, "rows").random(len(rows.visit))
    own = np.flatnonzero((u < share[rows.visit]) & ~without(model, table.table, state)[rows.subject])
    subject, visit = rows.subject[own], rows.visit[own]
    frame = pd.DataFrame(index=pd.RangeIndex(len(own)))
    state.frames[table.table], state.subject[table.table] = frame, subject
    frame[spec.visit] = visit_values(model, spec, visit)
    context = row_context(state.context, subject, {"visit": pd.Series(visit).astype(str).astype("category")})
    fill_rows(table.rows, state, context, day_anchors(subject, visit, state.visits, state.subjects, {}), visit)


def write_visit(
    model: StudyModel,
    table: str,
    column: VisitColumn,
    state: State,
    index: np.ndarray,
    start: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> np.ndarray:
    """Write the visit column: the subject's last visit for the code after the catalogue; only attended visits, none
    before `start` where the subject has a later one, and a visit of its own for each row of a `group`."""
    subject = state.subject[table]
    index = np.where(index == column.last, state.subjects.last_visit[subject], index)
    if state.visits is not None:
        index = state.visits.nearest_attended(subject, index, column.seen)
        if start is not None:
            index = state.visits.first_from(subject, index, start, column.seen)
        if group is not None:
            index = state.visits.one_after_another(subject, index, group, column.seen)
    state.frames[table][column.column] = visit_values(model, model.structure.tables[table], index)
    return index
