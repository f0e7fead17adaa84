"""Tables with a row a visit, and the visit column of any table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from datareplicator.generate.make_findings import visit_values, without
from datareplicator.generate.rows import fill_rows
from datareplicator.generate.state import State
from datareplicator.model.context import row_context
from datareplicator.model.stretch import Stretch, learned_visit, visit_now
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
    like = learned_visit(model.stretch, visit)
    context = row_context(state.context, subject, {"visit": pd.Series(like).astype(str).astype("category")})
    fill_rows(table.rows, state, context, day_anchors(subject, visit, state.visits, state.subjects, {}), like, visit)
    end = state.days.get((table.table, spec.end or ""))
    if state.visits is not None and end is not None and table.table == model.structure.visit_table:
        state.visits.end[subject, visit] = end


def settle_visit(
    column: VisitColumn,
    state: State,
    subject: np.ndarray,
    index: np.ndarray,
    start: np.ndarray | None = None,
    stretch: Stretch | None = None,
) -> np.ndarray:
    """The visits of rows, int[m], from learned ones: the subject's last visit for the code after the catalogue; only
    attended visits, none before `start` where the subject has a later one."""
    at_last = index == column.last
    now = visit_now(stretch, np.where(at_last, -1, index))
    index = np.where(at_last, state.subjects.last_visit[subject], now)
    if state.visits is not None:
        index = state.visits.nearest_attended(subject, index, column.seen)
        if start is not None:
            index = state.visits.first_from(subject, index, start, column.seen)
    return index
